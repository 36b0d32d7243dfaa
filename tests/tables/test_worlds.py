"""Worlds of known effects: outcomes follow the stated truth, and each world is what its name says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.errors import ArgumentError
from allocator.tables.sample.worlds import WORLDS, ContactWorld, simulate_world

LARGE = 200_000
FAR = 4.0
"""Standard errors: some fifty means are compared."""
NAMES = tuple(WORLDS)


@pytest.fixture(scope="module")
def worlds() -> dict[str, ContactWorld]:
    return {name: simulate_world(name, seed=11) for name in NAMES}


@pytest.fixture(scope="module", params=NAMES)
def large(request: pytest.FixtureRequest) -> ContactWorld:
    """Enough customers for means to show the truth."""
    return simulate_world(request.param, seed=12, n_customers=LARGE)


class TestTruth:
    def test_outcomes_have_the_stated_effects(self, large: ContactWorld) -> None:
        margin = large.margin * large.contacts["revenue"]
        arm = large.contacts["arm"]
        control = margin[arm == "control"]
        for channel in large.channels:
            mine = margin[arm == channel]
            error = np.sqrt(mine.var() / len(mine) + control.var() / len(control))
            assert abs(mine.mean() - control.mean() - large.effects[channel].mean()) < FAR * error

    def test_outcomes_have_the_stated_differences(self, large: ContactWorld) -> None:
        """Where effects are learnt to be larger they are larger, half by half."""
        margin, arm = large.margin * large.contacts["revenue"], large.contacts["arm"]
        for channel in large.channels:
            upper = large.learnable[channel] > large.learnable[channel].median()
            for half in (upper, ~upper):
                if not half.any():
                    continue
                mine, control = margin[half & (arm == channel)], margin[half & (arm == "control")]
                error = np.sqrt(mine.var() / len(mine) + control.var() / len(control))
                found = mine.mean() - control.mean()
                assert abs(found - large.effects[channel][half].mean()) < FAR * error

    def test_learnable_is_the_mean_of_effects_given_what_is_seen(self, large: ContactWorld) -> None:
        """Also within slices of any covariate."""
        for column in (*large.covariates, "value"):
            rank = large.contacts[column].rank(pct=True, method="first")
            slices = pd.cut(rank, 4, labels=False)
            gap = (large.effects - large.learnable).groupby(slices)
            error = gap.std() / np.sqrt(LARGE / 4)
            assert (gap.mean().abs() <= 1.2 * FAR * error + 1e-12).to_numpy().all(), column

    def test_arms_are_equal_shares_and_not_chosen_by_covariates(self, large: ContactWorld) -> None:
        assert large.contacts["arm"].value_counts().eq(LARGE / 4).all()
        known = large.contacts[[*large.covariates, "value"]].rank()
        means = known.groupby(large.contacts["arm"]).mean()
        assert (means / LARGE - 0.5).abs().to_numpy().max() < 0.01

    def test_most_buy_nothing(self, worlds: dict[str, ContactWorld]) -> None:
        for world in worlds.values():
            assert 0.5 < world.contacts["revenue"].eq(0).mean() < 0.95
            assert world.contacts["converted"].eq(world.contacts["revenue"] > 0).all()

    def test_the_same_seed_is_the_same_world(self) -> None:
        one, same, other = (simulate_world("whales", seed, 500) for seed in (3, 3, 4))
        assert one.contacts.equals(same.contacts)
        assert one.effects.equals(same.effects)
        assert not one.contacts.equals(other.contacts)


class TestNames:
    def test_homogeneous(self, worlds: dict[str, ContactWorld]) -> None:
        effects = worlds["homogeneous"].effects
        assert effects.std().max() < 1e-12
        per_unit = effects.mean() / worlds["homogeneous"].costs
        assert (per_unit > 1).tolist() == [True, True, False]
        assert per_unit["mail"] > 1.5 * per_unit["email"]

    def test_heterogeneous(self, worlds: dict[str, ContactWorld]) -> None:
        learnable = worlds["heterogeneous"].learnable
        assert (learnable.std() > 0.7 * learnable.mean()).all()
        assert learnable.corr().to_numpy()[np.triu_indices(3, 1)].max() < 0.5
        hidden = (worlds["heterogeneous"].effects - learnable).std()
        assert (hidden > 0.3 * learnable.std()).all()

    def test_sleeping_dogs(self, worlds: dict[str, ContactWorld]) -> None:
        share = (worlds["sleeping_dogs"].learnable < 0).mean()
        assert share.between(0.2, 0.45).all()

    def test_whales(self, worlds: dict[str, ContactWorld]) -> None:
        revenue = worlds["whales"].contacts["revenue"].sort_values(ascending=False)
        assert revenue.iloc[: len(revenue) // 100].sum() > 0.4 * revenue.sum()

    def test_tier_saturation(self, worlds: dict[str, ContactWorld]) -> None:
        """The best tenth of a tier earns most of it in the high tier, its share in the low one."""
        world = worlds["tier_saturation"]
        rank = world.contacts["value"].rank(pct=True)
        shares = []
        for low, high in ((0.8, 1.0), (0.5, 0.8), (0.0, 0.5)):
            mail = world.learnable["mail"][(rank > low + 0.02) & (rank <= high - 0.02)].sort_values()
            shares.append(mail.iloc[-len(mail) // 10 :].sum() / mail.sum())
        assert shares[0] > 0.4 > shares[1] > 0.2 > 0.13 > shares[2]

    def test_nothing_pays(self, worlds: dict[str, ContactWorld]) -> None:
        world = worlds["nothing_pays"]
        assert (world.effects / world.costs).max().max() < 1
        assert world.best(1e5).spend == 0

    def test_an_unknown_world_is_refused(self) -> None:
        with pytest.raises(ArgumentError, match="did you mean 'whales'"):
            simulate_world("whale", seed=1)


class TestYardsticks:
    @pytest.mark.parametrize("name", NAMES)
    def test_knowing_more_earns_more(self, worlds: dict[str, ContactWorld], name: str) -> None:
        world = worlds[name]
        for budget in world.budgets().values():
            best, learnable, equal = (
                plan(budget) for plan in (world.best, world.learnable_best, world.equal_split)
            )
            assert best.profit >= learnable.profit - 1e-9 >= equal.profit - 2e-9
            assert max(one.spend for one in (best, learnable, equal)) <= budget * (1 + 1e-9)
            assert max(one.share.sum(axis=1).max() for one in (best, learnable, equal)) <= 1 + 1e-9

    def test_budgets_are_shares_of_contacting_everybody(self, worlds: dict[str, ContactWorld]) -> None:
        assert worlds["heterogeneous"].budgets() == pytest.approx({0.1: 1600, 0.25: 4000, 0.5: 8000})
        assert worlds["nothing_pays"].budgets()[0.5] == pytest.approx(20_000)
