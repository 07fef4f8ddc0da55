"""The seeded company: repeatable, of a customer's size and oddities."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from infra.sandbox.kit.seeding import forget
from infra.sandbox.sap_b1 import order_lines, seeded_world


def test_the_same_seed_gives_the_same_company(clock):
    made, copied = seeded_world(3, clock=clock), seeded_world(3, clock=clock)
    forget()
    again = seeded_world(3, clock=clock)
    for name in ("tables", "numbers", "rates", "items"):
        assert getattr(made, name) == getattr(copied, name) == getattr(again, name)
    copied.tables.clear()
    assert seeded_world(3, clock=clock).tables == made.tables != seeded_world(4, clock=clock).tables


def test_partners_are_suppliers_customers_and_leads(world):
    kinds = Counter(row["CardType"] for row in world.rows("BusinessPartners"))
    assert kinds == {"cSupplier": 300, "cCustomer": 20, "cLid": 5}


def test_suppliers_are_as_odd_as_real_ones(world):
    rows = [row for row in world.rows("BusinessPartners") if row["CardType"] == "cSupplier"]
    names = "".join(row["CardName"] for row in rows)
    assert {mark for mark in "äöüß'\"&;" if mark in names} == set("äöüß'\"&;")
    assert max(len(row["CardName"]) for row in rows) > 100
    assert {row["Currency"] for row in rows} == {"EUR", "USD", "##"}
    assert {row["Frozen"] for row in rows} == {row["Valid"] for row in rows} == {"tYES", "tNO"}


def test_the_last_accounts_hide_behind_system_keys(world):
    hidden = {
        row["Code"]: row["FormatCode"] for row in world.rows("ChartOfAccounts") if row["Code"] != row["FormatCode"]
    }
    assert hidden == {f"_SYS{n:011d}": f"400{n}" for n in (117, 118, 119)}
    assert sum(row["ActiveAccount"] == "tNO" for row in world.rows("ChartOfAccounts")) == 13


def test_orders_are_numbered_and_of_every_state(world):
    orders = world.rows("PurchaseOrders")
    assert [row["DocNum"] for row in orders] == list(range(5001, 5201))
    assert {len(row["DocumentLines"]) for row in orders} == set(range(1, 26))
    assert {row["DocType"] for row in orders} == {"dDocument_Items", "dDocument_Service"}
    assert {row["Cancelled"] for row in orders} == {"tYES", "tNO"}
    gaps = [row for row in orders if row["DocumentLines"][-1]["LineNum"] >= len(row["DocumentLines"])]
    assert len(gaps) > 50


def test_no_seeded_record_is_of_the_future(world, clock):
    today = clock().date().isoformat()
    assert all(
        row["UpdateDate"] <= today for name in ("PurchaseOrders", "BusinessPartners") for row in world.rows(name)
    )


def test_order_numbers_and_entries_never_meet(world):
    orders = world.rows("PurchaseOrders")
    assert not {row["DocNum"] for row in orders} & {row["DocEntry"] for row in orders}


def test_the_exported_lines_can_be_invoiced(api, world):
    lines = order_lines(world)
    plain = next(one for one in lines if one.open and not one.service and not one.received and one.currency == "EUR")
    got = next(one for one in lines if one.receipts and one.currency == "USD")
    entry, number, quantity = got.receipts[0]
    bases = (
        (plain, {"BaseType": 22, "BaseEntry": plain.doc_entry, "BaseLine": plain.line_num}),
        (got, {"BaseType": 20, "BaseEntry": entry, "BaseLine": number, "Quantity": quantity}),
    )
    for line, base in bases:
        body = {"CardCode": line.card_code, "DocCurrency": line.currency, "DocumentLines": [base]}
        made = api.made("PurchaseInvoices", body)["DocumentLines"][0]
        assert (made["AccountCode"], made["VatGroup"]) == (line.account, line.vat_group)
    assert made["RowTotalFC"] == (quantity * got.unit_price).quantize(Decimal("0.01"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_about_a_third_of_the_orders_is_received(seed, clock):
    world = seeded_world(seed, clock=clock)
    received = {one.doc_entry for one in order_lines(world) if one.received}
    assert 60 <= len(received) <= 70
    assert 4 <= len(world.rows("PurchaseReturns")) <= 8
