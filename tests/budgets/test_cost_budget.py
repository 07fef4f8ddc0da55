"""What AWS charges for a million master records, counted from the calls that the product makes for some."""

from decimal import Decimal

import pytest

from benchmarks import costs, prices
from benchmarks.metered import Meter, MeteredDynamo, size
from ml_connector.aws.store import DynamoStore
from ml_connector.embedded.clock import SystemClock
from ml_connector.ports import Item

BUDGETS = {"new": Decimal("1.00"), "changed": Decimal("1.00"), "unchanged": Decimal("0.10")}


@pytest.fixture(scope="module")
def bills() -> dict[str, Decimal]:
    return {name: sum(bill.values(), Decimal()) for name, (bill, _) in costs.bills(10_000).items()}


@pytest.mark.parametrize("phase", BUDGETS)
def test_a_million_master_records_cost_no_more_than_their_budget(phase: str, bills: dict[str, Decimal]) -> None:
    assert Decimal("0.05") < bills[phase] <= BUDGETS[phase]


def test_the_meter_counts_as_dynamodb_does() -> None:
    meter = Meter()
    store = DynamoStore("t", MeteredDynamo(meter), SystemClock())

    def spent(kind: str) -> Decimal:
        return meter.units.pop(f"dynamodb {kind} units", Decimal())

    item = store.put(Item("p", "s", {"text": "x" * 1500}))
    assert spent("write") == 2  # each kilobyte begun
    item = store.put(Item(**{**{f: getattr(item, f) for f in item.__slots__}, "due_pk": "due#1", "due_at": "2026"}))
    assert spent("write") == 4  # the row, and the index which it enters
    store.put(Item(**{**{f: getattr(item, f) for f in item.__slots__}, "due_at": "2027"}))
    assert spent("write") == 6  # the row; in the index one out and one in
    store.get("p", "s")
    assert spent("read") == 1
    store.get_many("p", ["s", "t"])
    assert spent("read") == 1  # two halves, also for a row that is not there
    assert store.put_many([Item("p", f"n{n}") for n in range(30)]) == [True] * 30
    assert spent("write") == 30
    assert store.put_many([Item("p", "n0")]) == [False]
    assert spent("write") == 2  # failed conditions are charged: the batch's, then that of a look for an expired row
    assert [i.sk for i in store.query("p", "n", limit=3)] == ["n0", "n1", "n10"]
    assert spent("read") == 1
    store.delete("p", "s")
    assert spent("write") == 4  # the row, and what the index had of it
    assert size({"a": {"S": "é"}, "n": {"N": "123"}}) == 3 + 4


def test_every_kind_of_unit_has_a_price() -> None:
    with pytest.raises(KeyError):
        prices.dollars({"something new": Decimal(1)})
