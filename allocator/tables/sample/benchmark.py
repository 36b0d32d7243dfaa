"""What the channels of a world truly earn, as a table of curves: the yardstick for every plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from allocator.tables.sample.contacts import ARMS
from allocator.tables.sample.media import MEDIA, Medium
from allocator.tables.sample.world import POPULATION, World

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MARGIN = 0.35
MOST_SPEND = 400_000.0  # EUR a quarter, where the curves of media end
PIECES = 60


def true_curves(
    world: World, tier: Series[str], *, margin: float = MARGIN, population: int = POPULATION
) -> DataFrame:
    """Give the true response of every channel, one contact per customer and a quarter of steady media.

    Parameters
    ----------
    world : World
    tier : Series
        The tier of each customer, by `customer_id`; customers it does not name are left out.
    margin : float
        Margin per unit of revenue.
    population : int
        Customers the named ones stand for.

    Returns
    -------
    DataFrame
        ``tier`` (empty: the channel's total), ``channel``, ``population``, ``spend``, ``value`` (incremental
        margin, EUR), ``revenue``, ``source``; one row a breakpoint above (0, 0).

    Examples
    --------
    >>> import pandas as pd
    >>> from allocator.tables.sample import simulate
    >>> world = simulate(1, n_customers=200)
    >>> everybody = pd.Series("all", index=world.customers["customer_id"])
    >>> curves = true_curves(world, everybody)
    >>> curves.query("channel == 'email'")[["population", "spend"]].to_dict("records")
    [{'population': 400000.0, 'spend': 80000.0}]
    """
    import pandas as pd

    tested = _of_contacts(world, tier, population)
    modelled = pd.concat([_of_medium(medium) for medium in MEDIA])
    table = pd.concat([tested, modelled], ignore_index=True)
    table["value"] = margin * table["revenue"]
    return table[["tier", "channel", "population", "spend", "value", "revenue", "source"]]


def _of_contacts(world: World, tier: Series[str], population: int) -> DataFrame:
    """Mean effect of each tier times its people; a contact works the same for the first and the last."""
    import pandas as pd

    effects = world.truth.effects_now.loc[tier.index]
    size = tier.value_counts() * (population / len(tier))
    mean = effects.groupby(tier).mean()
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "tier": mean.index,
                    "channel": arm.name,
                    "population": size[mean.index].to_numpy(dtype=float),
                    "spend": arm.cost * size[mean.index].to_numpy(dtype=float),
                    "revenue": (mean[arm.name] * size[mean.index]).to_numpy(dtype=float),
                    "source": "experiment",
                }
            )
            for arm in ARMS
        ]
    )


def _of_medium(medium: Medium) -> DataFrame:
    import pandas as pd

    spend = MOST_SPEND * np.linspace(0, 1, PIECES + 1)[1:] ** 2
    return pd.DataFrame(
        {
            "tier": "",
            "channel": medium.name,
            "population": np.nan,
            "spend": spend,
            "revenue": [medium.steady_revenue(money) for money in spend],
            "source": "history",
        }
    )
