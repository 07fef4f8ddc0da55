"""Orders read again by their keys, and the stamps that the passes compare."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from infra.sandbox.sap_b1 import back_office
from ml_connector.records import PurchaseOrder


def test_orders_are_read_again_with_lines_and_receipts_twenty_at_a_time(bench: Any) -> None:
    read = {o.key: o for o in bench.all(PurchaseOrder)}
    assert len(read) > 20
    before = bench.world.calls["GET PurchaseOrders"]
    pages = list(bench.connection.source(PurchaseOrder).reread([*read, next(iter(read))]))
    assert {o.key: o for page in pages for o in page.records} == read
    assert all(page.stamp is None and page.position is None and not page.broken for page in pages)
    assert bench.world.calls["GET PurchaseOrders"] - before == -(-len(read) // 20)


def test_a_closed_order_whose_stamp_did_not_move_is_told_and_a_deleted_one_is_left_out(bench: Any) -> None:
    first, second, *_ = bench.all(PurchaseOrder)
    bench.world.find("PurchaseOrders", int(first.key))["DocumentStatus"] = "bost_Close"
    del bench.world.tables["PurchaseOrders"][int(second.key)]
    (page,) = bench.connection.source(PurchaseOrder).reread([first.key, second.key, "999999"])
    assert [(o.key, o.status) for o in page.records] == [(first.key, "closed")]


def test_a_receipt_on_an_order_read_again_is_there(bench: Any) -> None:
    order = next(o for o in bench.all(PurchaseOrder) if not o.lines[0].service and not o.lines[0].receipts)
    back_office.receive(bench.world, int(order.key), {int(order.lines[0].key): Decimal(1)})
    (page,) = bench.connection.source(PurchaseOrder).reread([order.key])
    assert [r.quantity for line in page.records[0].lines[:1] for r in line.receipts] == [Decimal(1)]


def test_a_key_that_is_none_and_an_order_that_does_not_parse_are_told_and_the_others_read(bench: Any) -> None:
    first, second, *_ = bench.all(PurchaseOrder)
    bench.world.find("PurchaseOrders", int(second.key))["CardCode"] = None
    pages = list(bench.connection.source(PurchaseOrder).reread([first.key, "1 or 1 eq 1", second.key]))
    assert [o.key for page in pages for o in page.records] == [first.key]
    broken = {bad.key: bad.reason for page in pages for bad in page.broken}
    assert set(broken) == {"1 or 1 eq 1", second.key} and "no CardCode" in broken[second.key]


def test_no_keys_are_no_calls(bench: Any) -> None:
    assert list(bench.connection.source(PurchaseOrder).reread([])) == []
    assert bench.world.logins == 0
