"""An order that closes while its first version is on its way, or before the source has shown any stamp."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from ml_connector.errors import Transient
from ml_connector.records import Account
from tests.unit.engine.bench import ACCOUNTS, Bench


class Order(Account, frozen=True, kw_only=True):
    """An account that closes: as much of an order as matters here."""

    status: str = "open"


ORDERS = replace(ACCOUNTS, record=Order, follows=True)


@pytest.fixture
def orders(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench whose accounts are orders; its pages show open ones, as a pass without a stamp does."""
    monkeypatch.setattr("tests.unit.engine.bench.TABLE", replace(bench.pair().integration, flows=(ORDERS,)))
    monkeypatch.setattr("tests.unit.engine.bench.Place.source", lambda self, _: self.parts[Account])
    monkeypatch.setattr("tests.unit.engine.bench.Place.target", lambda self, _: self.parts[Account])
    pair = Bench.pair

    def made(self: Bench):  # type: ignore[no-untyped-def]
        return replace(pair(self), chunking={Order: (4, lambda _: 1)})

    monkeypatch.setattr(Bench, "pair", made)
    bench.systems.accounts = {"O1": Order(key="O1", code="O1", name="Desks")}
    return bench


def close(bench: Bench, *, shown: bool) -> None:
    bench.systems.accounts["O1"] = msgspec.structs.replace(bench.systems.accounts["O1"], status="closed", name="closed")
    bench.systems.hidden = set() if shown else {"O1"}


@pytest.mark.parametrize("shown", [True, False], ids=["its stamp moved", "pages show open ones only"])
def test_it_closes_while_its_first_version_awaits_its_verdict(orders: Bench, shown: bool) -> None:
    orders.systems.faults = [("verdict", Transient("not yet"))] * 4
    orders.poll(ORDERS)
    orders.work(0.001)
    close(orders, shown=shown)
    orders.poll(ORDERS)
    orders.systems.faults = []
    orders.work(0.5)
    assert orders.systems.taken["O1"].name == "closed"


def test_it_closes_before_any_stamp_was_seen(orders: Bench) -> None:
    orders.compare(ORDERS)
    close(orders, shown=False)
    orders.poll(ORDERS)  # neither nightly nor asked to be full
    orders.work(0.5)
    assert orders.systems.taken["O1"].name == "closed"


def test_one_that_was_closed_before_we_came_is_none_of_ours(orders: Bench) -> None:
    close(orders, shown=True)
    orders.compare(ORDERS)
    assert orders.systems.taken == {}
