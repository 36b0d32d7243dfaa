"""The headline: what goes out, what comes back, how sure, against today, and the next unit of money."""

from __future__ import annotations

from allocator.plan.solution import Status, Today
from allocator.quantities import largest_remainder, money, money_short, percent, ratio, signed_money
from allocator.report.document import Figure, Money
from allocator.report.purpose import aim, outcome_figures, safety_figures
from allocator.report.scale import Scale
from allocator.report.view import CheckedReturn, PlanView
from allocator.response.curves import Evidence

BREAK_EVEN_BAND = 0.005  # a marginal return that shows as 1.00 is break-even
LEAST_GAP = 1e-4  # a gap is never shown as none
MOSTLY = 0.5  # share of opinion above which it decides the plan

_RESTS_ON = {Evidence.TESTED: "tests", Evidence.MODELLED: "models", Evidence.OPINION: "opinion"}


def subtitle(view: PlanView) -> tuple[str, ...]:
    """Give horizon, currency and how the solve ended."""
    horizon = f"{view.start} to {view.end}" if view.start and view.end else ""
    return tuple(item for item in (horizon, view.currency, aim(view), _ending(view)) if item)


def figures(view: PlanView, scale: Scale) -> tuple[Figure, ...]:
    """Give the headline figures of a plan."""
    checked = _checked(view.checked, scale) if view.checked else ()
    return (
        _spend(view, scale),
        _return(view, scale),
        *outcome_figures(view, scale),
        *safety_figures(view),
        *checked,
        _against_today(view, scale),
        _next_money(view, scale),
    )


def _ending(view: PlanView) -> str:
    if view.solution.status is Status.FEASIBLE_GAP and view.solution.optimality:
        gap = view.solution.optimality.gap
        return f"feasible within {percent(max(gap, LEAST_GAP), 2)} of the best"
    return view.solution.status.value.replace("_", " ")


def _money(value: float, shown: float, scale: Scale) -> Money:
    return Money(value, shown, scale.decimals)


def _shown_spend(view: PlanView, scale: Scale) -> float:
    return scale.total([view.of_channel(channel.name).spend for channel in view.channels])


def _shown_margin(view: PlanView, scale: Scale) -> float:
    return scale.total([view.of_channel(channel.name).margin for channel in view.channels])


def _spend(view: PlanView, scale: Scale) -> Figure:
    shown = _shown_spend(view, scale)
    left = round(round(view.budget, scale.decimals) - shown, scale.decimals)
    remark = f"of {money(view.budget, scale.decimals)} budget, {money(left, scale.decimals)} left"
    return Figure("Spend", _money(view.whole.spend, shown, scale), (remark,))


def _return(view: PlanView, scale: Scale) -> Figure:
    per_unit = f"{ratio(view.whole.return_per_unit)} per {view.currency or '1'}"
    remarks = ["margin", per_unit, *_likely(view), *_rests_on(view)]
    return Figure("Return", _money(view.whole.margin, _shown_margin(view, scale), scale), tuple(remarks))


def _checked(checked: CheckedReturn, scale: Scale) -> tuple[Figure]:
    """Say what plans made on one half of the test bring on the other."""
    remarks = ["margin", checked.method]
    if checked.interval is not None:
        low, high = checked.interval
        remarks.append(f"likely {money_short(low)} to {money_short(high)}")
    remarks.append(f"promised there {money_short(checked.promised)}")
    return (Figure("Checked", Money(checked.value, decimals=scale.decimals), tuple(remarks)),)


def _likely(view: PlanView) -> list[str]:
    if view.solution.margin_interval is None:
        return ["no interval: the curves carry no uncertainty"]
    low, high = view.solution.margin_interval
    return [f"likely {money_short(low)} to {money_short(high)} (8 in 10)"]


def _rests_on(view: PlanView) -> list[str]:
    """Say how much of the spend rests on which evidence; the shares add to 100 %."""
    spend = view.whole.spend
    if spend <= 0:
        return []
    shares = {kind: view.of_evidence(kind) / spend for kind in _RESTS_ON}
    shown = dict(zip(shares, largest_remainder(list(shares.values()), 2), strict=True))
    used = [f"{percent(shown[kind])} on {word}" for kind, word in _RESTS_ON.items() if shares[kind] > 0]
    whole = "the budget" if round(view.budget - spend) == 0 else "the spend"
    share, _, ground = used[0].partition(" ")
    if len(used) == 1:
        return [f"all of {whole} rests {'on estimates, not data' if shares[Evidence.OPINION] else ground}"]
    badge = ["rests on estimates, not data"] if shares[Evidence.OPINION] > MOSTLY else []
    return [", ".join([f"{share} of {whole} rests {ground}", *used[1:]]), *badge]


def _against_today(view: PlanView, scale: Scale) -> Figure:
    today = view.solution.today
    if today is None:
        unknown = [c.label for c in view.channels if view.of_channel(c.name).current is None]
        whose = f" for {_listed(unknown)}" if len(unknown) < len(view.channels) else ""
        return Figure("vs now", Money(None), (f"today's spend is not stated{whose}",))
    now = scale.total([view.of_channel(channel.name).current or 0.0 for channel in view.channels])
    # differences of what is shown, so that they can be checked by eye
    spend = round(_shown_spend(view, scale) - now, scale.decimals)
    gain = round(_shown_margin(view, scale) - round(today.margin, scale.decimals), scale.decimals)
    remarks = ["margin", f"spend {signed_money(spend, scale.decimals)}"]
    if spend:
        remarks.append(f"profit {signed_money(gain - spend, scale.decimals)}")
    value = Money(view.whole.margin - today.margin, gain, scale.decimals, signed=True)
    return Figure("vs now", value, (*remarks, *_beats(today)))


def _beats(today: Today) -> list[str]:
    """Say how often the plan wins; rounding does not make it always or never."""
    if today.beaten_in is None:
        return []
    share = today.beaten_in if today.beaten_in in (0.0, 1.0) else min(max(today.beaten_in, 0.01), 0.99)
    return [f"beats today's plan in {percent(share)} of draws"]


def _listed(labels: list[str], most: int = 3) -> str:
    """Name a few, count the rest."""
    rest = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(labels[:most]) + rest


def _leaves_money(view: PlanView) -> bool:
    """Whether money is left that no limit on the budget keeps."""
    budgets = [row for row in view.solution.rows if row.row.kind in ("budget", "reserve", "budget_period")]
    return bool(budgets) and not any(row.binding for row in budgets)


def _next_money(view: PlanView, scale: Scale) -> Figure:
    label = f"Next {scale.step_name}"
    marginal = view.solution.marginal_return
    if marginal is None:
        return Figure(label, Money(None), ("limits and ends of curves let no more money in",))
    if abs(marginal - 1) < BREAK_EVEN_BAND:
        remark = "at break-even: more budget would change little"
    elif marginal > 1 and _leaves_money(view):
        remark = "above break-even, yet it is not the budget that holds the plan back"
    elif marginal > 1:
        remark = "above break-even: more budget would pay"
    else:
        remark = "below break-even: more budget would not pay"
    earned = Money(marginal * scale.step, decimals=scale.price_decimals)
    return Figure(label, earned, (remark,))
