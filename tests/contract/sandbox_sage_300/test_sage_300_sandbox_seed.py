"""The seeded company: repeatable, of a customer's size and oddities."""

from __future__ import annotations

import pytest

from infra.sandbox.kit.seeding import forget
from infra.sandbox.sage_300 import order_lines, seeded_world


def test_the_same_seed_gives_the_same_company(clock):
    made, copied = seeded_world(3, clock=clock), seeded_world(3, clock=clock)
    forget()
    again = seeded_world(3, clock=clock)
    for name in ("tables", "numbers", "rates", "items"):
        assert getattr(made, name) == getattr(copied, name) == getattr(again, name)
    copied.tables.clear()
    assert seeded_world(3, clock=clock).tables == made.tables != seeded_world(4, clock=clock).tables


def test_vendors_are_as_odd_as_real_ones(world):
    rows = world.rows("APVendors")
    names = "".join(row["VendorName"] for row in rows)
    assert len(rows) == 303
    assert {mark for mark in "øüŁ株é'\"&;/" if mark in names} == set("øüŁ株é'\"&;/")
    assert {row["Status"] for row in rows} == {"Active", "Inactive"}
    assert {row["OnHold"] for row in rows} == {"OnHold", "NotOnHold"}
    assert {row["CurrencyCode"] for row in rows} == {"EUR", "USD"}


def test_accounts_are_segmented_and_not_every_combination_exists(world):
    accounts = world.tables["GLAccounts"]
    naturals = {row["AccountSegmentCode1"] for row in accounts.values() if row["AccountSegmentCode2"]}
    centres = {row["AccountSegmentCode2"] for row in accounts.values()} - {""}
    assert (len(naturals), len(centres)) == (120, 20)
    assert "400116CC115" in accounts
    assert "400117CC115" not in accounts
    known = {row["SegmentCodeKey"] for row in world.rows("GLSegmentCodes") if row["SegmentNumber"] == "000002"}
    assert centres == known


def test_orders_are_of_every_size_and_state(world):
    orders = world.rows("POPurchaseOrders")
    assert len(orders) == 200
    assert {row["Lines"] for row in orders} == set(range(1, 26))
    assert {row["Completed"] for row in orders} == {row["OnHold"] for row in orders} == {"Yes", "No"}
    assert {row["PurchaseOrderType"] for row in orders} == {"Active", "Standing", "Future", "Blanket"}
    assert len(world.rows("POGetReceipts")) == 66
    assert len(world.rows("POReturns")) == 6


def test_no_seeded_record_is_of_the_future(world, clock):
    today = clock().date().isoformat()
    assert all(row["LastPostingDate"] <= today for row in world.rows("POPurchaseOrders"))
    assert all(row["DateLastMaintained"] <= today for row in world.rows("APVendors"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_exported_order_lines_can_be_invoiced(seed, clock, api, world, invoice):
    lines = order_lines(seeded_world(seed, clock=clock))
    plain = [line for line in lines if line.open and not line.received and line.currency == "EUR"]
    assert len({line.order_number for line in plain}) > 40
    one = plain[0]
    body = invoice({"GLAccount": one.account, "DistributedAmount": one.extended}, VendorNumber=one.vendor)
    api.made("AP/APInvoiceBatches", body)
    assert one.account == one.natural + one.cost_centre
