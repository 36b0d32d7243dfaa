"""What every model of purchase timing refuses to learn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog
from allocator.errors import DataError
from allocator.models.clv import PURCHASE_MODELS, BgNbd, MbgNbd, ParetoNbd


@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_orders_of_one_day_tell_no_rate(model: type[BgNbd | MbgNbd | ParetoNbd]) -> None:
    ids = [f"c{number}" for number in range(40)]
    orders = pd.DataFrame({"customer_id": ids, "amount": np.arange(40) + 1.0})
    day = orders.assign(ordered_on=pd.Timestamp("2026-06-01"))
    with pytest.raises(DataError, match="how often they buy again"):
        model().learn(OrderLog(day).until(), horizon_weeks=52)
    later = pd.concat([day, day.head(1).assign(ordered_on=pd.Timestamp("2026-06-02"))])
    assert model().learn(OrderLog(later).until(), horizon_weeks=52).purchases
