"""What people do in the folder, in this process and from another one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.kit.codec import decode
from infra.sandbox.sage_x3 import back_office, supplier_invoices
from infra.sandbox.sage_x3.errors import Absent, Wrong
from infra.sandbox.sage_x3.supplier_invoices import Line
from tests.contract.sandbox_sage_x3.conftest import balance, complaint

LINES = [
    {"ACC": "400001", "SNS": 1, "AMTCUR": Decimal(100), "CCE": "CC101"},
    {"ACC": "401100", "SNS": -1, "AMTCUR": Decimal(100), "BPR": "V10000"},
]


def item_of(world, number):
    return next(row for row in world.rows("GACCDUDATE") if row["NUM"] == number)


def test_a_change_moves_the_stamp_and_knows_the_columns(world, clock):
    clock.forward(hours=1)
    back_office.change(world, "BPSUPPLIER", {"BPSNUM": "V10000", "BPSNAM": "Renamed"})
    row = world.find("BPSUPPLIER", "V10000")
    assert (row["BPSNAM"], row["UPDDATTIM"]) == ("Renamed", clock())
    with pytest.raises(KeyError):
        back_office.change(world, "BPSUPPLIER", {"BPSNUM": "V10000", "NOSUCH": "x"})
    with pytest.raises(ValueError, match="cannot hold"):
        back_office.change(world, "BPSUPPLIER", {"BPSNUM": "V10000", "BPSNAM": "x" * 36})
    back_office.remove(world, "BPSUPPLIER", "V10000")
    with pytest.raises(Absent):
        world.find("BPSUPPLIER", "V10000")


def test_a_reversal_leaves_both_entries_and_closes_their_items_unpaid(api, world):
    row = back_office.enter(world, "PIINV", LINES, BPRVCR="INV-1", REFINT="key-1", REF="R")
    made = back_office.reverse(world, "PIINV", row["NUM"])
    assert (row["RVS"], made["RVS"], made["RVSORINUM"], made["BPRVCR"], made["REFINT"]) == (
        3,
        2,
        row["NUM"],
        "INV-1",
        "",
    )
    assert balance(world) == 0 and all(item_of(world, one["NUM"])["FLGCLE"] == 2 for one in (row, made))
    assert item_of(world, row["NUM"])["PAYCUR"] == 0
    with pytest.raises(Wrong, match="is reversed"):
        back_office.reverse(world, "PIINV", row["NUM"])
    world.reversal_copies = {"BPRVCR", "REFINT"}
    again = back_office.enter(world, "PIINV", LINES, REFINT="key-2")
    assert back_office.reverse(world, "PIINV", again["NUM"])["REFINT"] == "key-2"


def test_a_payment_blocks_a_reversal_until_it_is_void(world):
    row = back_office.enter(world, "PIINV", LINES)
    paid = back_office.pay(world, row["NUM"], Decimal(40))
    with pytest.raises(Wrong, match="payment is allocated"):
        back_office.reverse(world, "PIINV", row["NUM"])
    back_office.void_payment(world, paid["NUM"])
    assert back_office.reverse(world, "PIINV", row["NUM"])


def test_a_temporary_entry_is_deleted_without_a_trace(world):
    row = back_office.enter(world, "PITMP", LINES)
    back_office.delete_entry(world, "PITMP", row["NUM"])
    assert world.get("GACCENTRY", "PITMP", row["NUM"]) is None
    final = back_office.enter(world, "PIINV", LINES)
    with pytest.raises(Wrong, match="final"):
        back_office.delete_entry(world, "PIINV", final["NUM"])


def test_a_posted_payment_has_an_entry_and_a_void_one_its_reversal(world):
    row = back_office.enter(world, "PIINV", LINES)
    part, rest = back_office.pay(world, row["NUM"], Decimal(40)), back_office.pay(world, row["NUM"])
    item = item_of(world, row["NUM"])
    assert (item["PAYCUR"], item["TMPCUR"], item["FLGCLE"]) == (0, 100, 1)
    back_office.post_payment(world, part["NUM"])
    assert (item["PAYCUR"], item["TMPCUR"], item["FLGCLE"]) == (40, 60, 1)
    back_office.post_payment(world, rest["NUM"])
    assert (item["PAYCUR"], item["TMPCUR"], item["FLGCLE"]) == (100, 0, 2)
    booked = [one for one in world.rows("GACCENTRY") if one["REF"] == rest["NUM"]]
    assert [one["TYP"] for one in booked] == ["PAYMT"] and balance(world) == 0
    with pytest.raises(Wrong, match="not entered"):
        back_office.post_payment(world, rest["NUM"])
    back_office.void_payment(world, rest["NUM"])
    assert (item["PAYCUR"], item["FLGCLE"]) == (40, 1) and balance(world) == 0
    assert [one["RVS"] for one in world.rows("GACCENTRY") if one["REF"] == rest["NUM"]] == [3, 2]
    with pytest.raises(Wrong, match="void already"):
        back_office.void_payment(world, rest["NUM"])


def test_orders_are_changed_received_and_closed(world, clock):
    lines = [{"ITMREF": "A", "ITMDES1": "Lamp", "QTYUOM": Decimal(10), "NETPRI": Decimal("2.50"), "VAT": "FRNOR"}] * 2
    order = back_office.order(world, "V10000", lines, center="CC101")
    assert (order["TOTORD"], order["TTVORD"], order["CCE"]) == (50, Decimal("59.50"), ["CC101", ""])
    clock.forward(hours=1)
    back_office.change_order(world, order["POHNUM"], 2000, Decimal(4), Decimal(3))
    assert (order["TOTORD"], order["REVNUM"], order["UPDDATTIM"]) == (37, 1, clock())
    receipt = back_office.receive(world, order["POHNUM"], {1000: Decimal(6)})
    assert [r["QTYUOM"] for r in world.lines("PRECEIPTD", "PRECEIPT", receipt)] == [6] and order["RCPFLG"] == 2
    back_office.receive(world, order["POHNUM"])
    assert order["RCPFLG"] == 3
    assert back_office.close_order(world, order["POHNUM"])["CLEFLG"] == 2
    with pytest.raises(Wrong, match="no line 3000"):
        back_office.change_order(world, order["POHNUM"], 3000, None, None)


def test_an_invoice_is_posted_as_an_entry_with_its_number(world):
    line = Line("400001", Decimal(100), "FRNOR", "CC101")
    row = supplier_invoices.enter(world, "V10000", "FA-1", [line])
    entry = world.find("GACCENTRY", "PIINV", row["NUM"])
    assert (row["STA"], row["AMTATI"], entry["BPRVCR"]) == (3, 119, "FA-1")
    assert item_of(world, row["NUM"])["AMTCUR"] == 119 and item_of(world, row["NUM"])["SNS"] == -1
    credit = supplier_invoices.enter(world, "V10000", "CN-1", [line], credit=True)
    assert (credit["INVTYP"], item_of(world, credit["NUM"])["SNS"]) == (2, 1)
    waiting = supplier_invoices.enter(world, "V10000", "FA-2", [line], posted=False)
    assert waiting["STA"] == 1 and world.get("GACCENTRY", "PIINV", waiting["NUM"]) is None
    with pytest.raises(Wrong, match="posted already"):
        supplier_invoices.post(world, row["NUM"], [line])


def test_a_person_keys_in_the_same_number_that_we_sent(api, world, entry):
    reply = decode(api.create("GACCENTRY", entry()).content)
    row = back_office.enter(world, "PIINV", LINES, BPRVCR="INV-1")
    assert row["NUM"] != reply["NUM"] and row["REFINT"] == "" and row["ORIGIN"] == 1


def test_control_lets_another_process_do_all_of_it(api, world, entry):
    api.control("records/BPSUPPLIER", BPSNUM="X1", BPSNAM="Ex", ENAFLG=2, CUR="EUR")
    assert world.find("BPSUPPLIER", "X1")["BPSNAM"] == "Ex"
    line = {"ITMREF": "A", "QTYUOM": 10, "NETPRI": "2.5"}
    number = api.control("orders", supplier="X1", lines=[line], dated="2026-02-01")["POHNUM"]
    assert api.control("orders/change", number=number, line=1000, quantity="4")["TOTORD"] == 10
    assert api.control("receipts", number=number, quantities={"1000": 2})["LINNBR"] == 1
    assert api.control("orders/close", number=number)["CLEFLG"] == 2
    coded = {"account": "400001", "net": "100.00", "center": "CC101"}
    invoice = api.control("invoices", supplier="X1", source="FA-9", lines=[coded], dated="2026-02-01")["NUM"]
    lines = [{**one, "AMTCUR": "100.00"} for one in LINES]
    made = api.control("entries", kind="PITMP", lines=lines, BPRVCR="HAND", ACCDAT="2026-02-01")["NUM"]
    assert api.control("entries/delete", kind="PITMP", number=made) == {}
    paid = api.control("payments", number=invoice, amount="60")["NUM"]
    assert api.control("payments/post", number=paid)["STA"] == 9
    assert api.control("payments/void", number=paid)["STA"] == 10
    assert api.control("entries/reverse", kind="PIINV", number=invoice)["RVS"] == 2
    assert api.control("records/BPSUPPLIER", method="DELETE", BPSNUM="X1") == {}
    state = api.control("state", method="GET")
    assert state["counts"]["BPSUPPLIER"] == 305 and state["PAYMENTH"][-1]["STA"] == 10


def test_control_of_switches_periods_representations_and_logins(api, world, entry):
    assert api.control("periods", close="2026-02") == ["2026-02"]
    assert "closed" in complaint(api.create("GACCENTRY", entry()))
    assert api.control("periods", open="2026-02") == []
    given = {"class": "PORDER", "name": "ZPO", "facets": ["query"], "hidden": ["TOTORD", "UPDDATTIM"]}
    assert "ZPO" in api.control("representations", **given)
    row = api.rows("PORDER", "ZPO", count=1)[0]
    assert "TOTORD" not in row and "UPDDATTIM" not in row and "TTVORD" in row
    api.control("switches", stamp="UPDDAT", auth=["basic"], page_limit=7, collections={"PORDERP": "POHPOP"})
    assert (world.stamp, world.auth, world.page_limit) == ("UPDDAT", {"basic"}, 7)
    api.control("logins", spelling="camel", daily_quota=5)
    assert (world.logins.spelling, world.logins.daily_quota) == ("camel", 5)
    assert "no switch" in api.control("switches", 400, lock=1)["error"]
    assert "no switch" in api.control("logins", 400, users={})["error"]
    assert "Absent" in api.control("payments/post", 400, number="nothing")["error"]
    assert api.control("faults", kind="503")["rules"] == 1 and api.control("faults", method="DELETE")["rules"] == 0
