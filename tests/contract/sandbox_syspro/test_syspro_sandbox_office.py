"""What people do in the company, in this process and from another one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.kit.codec import decode, encode
from infra.sandbox.syspro import back_office
from infra.sandbox.syspro.errors import Refusal
from tests.contract.sandbox_syspro.conftest import balance, errors, posted

LINES = [("400001-CC101", Decimal(100))]


def test_an_invoice_that_is_keyed_in_by_hand_uses_its_number(api, world, entry):
    row = back_office.enter_invoice(world, "V10000", "INV-1", LINES, tax=Decimal(19), tax_code="A", dated="2026-02-01")
    assert (row["OrigInvValue"], row["Reference"]) == (Decimal(119), "") and balance(world) == 0
    assert "already exists" in errors(api.invoice(entry()))[0]
    with pytest.raises(Refusal, match="already exists"):
        back_office.enter_invoice(world, "V10000", "INV-1", LINES)
    credit = back_office.enter_invoice(world, "V10000", "CN-1", LINES, code="C")
    assert credit["OrigInvValue"] == -100


def test_a_person_may_post_what_an_operator_of_enet_may_not(world):
    for supplier in ("V10007", "V10013"):  # on hold in a foreign currency; wants goods received notes
        assert back_office.enter_invoice(world, supplier, "INV-1", LINES)["OrigInvValue"] == 100
    assert not world.untick_grn


def test_a_reversal_leaves_nothing_and_the_number_stays_used_until_it_is_purged(api, world, entry):
    posted(api.invoice(entry()))
    row = back_office.cancel_invoice(world, "V10000", "INV-1")
    assert (row["MthInvBal1"], row["InvoiceStatus"], row["OrigInvValue"]) == (0, "9", Decimal(119))
    sums: dict[str, Decimal] = {}
    for one in world.rows("GenJournalDetail"):
        sums[one["GlCode"]] = sums.get(one["GlCode"], Decimal(0)) + one["EntryValue"]
    assert set(sums.values()) == {Decimal(0)}
    with pytest.raises(Refusal):
        back_office.cancel_invoice(world, "V10000", "INV-1")
    assert "already exists" in errors(api.invoice(entry()))[0]
    back_office.purge_invoice(world, "V10000", "INV-1")
    posted(api.invoice(entry()))


def test_payments_take_from_an_invoice(api, world, entry):
    posted(api.invoice(entry()))
    back_office.pay(world, "V10000", "INV-1", Decimal(19), "CHQ-1")
    row = world.find("ApInvoice", "V10000", "INV-1")
    assert (row["MthInvBal1"], row["InvoiceStatus"]) == (Decimal(100), "1")
    with pytest.raises(Refusal, match="still open"):
        back_office.purge_invoice(world, "V10000", "INV-1")
    back_office.pay(world, "V10000", "INV-1")
    assert (row["MthInvBal1"], row["InvoiceStatus"]) == (0, "9")
    assert [(p["TrnType"], p["TrnValue"]) for p in world.rows("ApInvoicePay")] == [("P", -19), ("P", -100)]
    with pytest.raises(Refusal, match="paid or changed"):
        back_office.cancel_invoice(world, "V10000", "INV-1")


def test_a_journal_by_hand(world):
    number = back_office.enter_journal(world, [*LINES, ("2010", Decimal(-100))], "by hand")
    assert {row["Journal"] for row in world.rows("GenJournalDetail")} == {number}


def test_a_change_moves_the_rowversion_and_knows_the_columns(world):
    before = world.find("ApSupplier", "V10000")["TimeStamp"]
    back_office.change(world, "ApSupplier", {"Supplier": "V10000", "SupplierName": "Renamed"})
    assert world.find("ApSupplier", "V10000")["TimeStamp"] > before
    for name, values in (("ApSupplier", {"Supplier": "V10000", "Nmae": "x"}), ("ApInvoice", {"PostDate": "x"})):
        with pytest.raises(KeyError):
            back_office.change(world, name, values)
    back_office.remove(world, "ApSupplier", "V10000")
    assert world.get("ApSupplier", "V10000") is None


class Remote:
    def __init__(self, api) -> None:
        self.http = api.http

    def __call__(self, path: str, status: int = 200, method: str = "POST", **body):
        reply = self.http.request(method, f"/_sandbox/{path}", content=encode(body))
        assert reply.status_code == status, reply.text
        return decode(reply.content)


@pytest.fixture
def remote(api) -> Remote:
    return Remote(api)


def test_control_lets_another_process_do_all_of_it(api, world, remote):
    remote("records/ApSupplier", Supplier="X1", SupplierName="Ex", TermsCode="30", Branch="10", CurrentBalance="1.5")
    assert world.find("ApSupplier", "X1")["CurrentBalance"] == Decimal("1.5")
    line = {"MStockCode": "S1", "MOrderQty": 10, "MPrice": "2.5", "MGlCode": "400001-CC101"}
    number = remote("orders", supplier="X1", lines=[line])["PurchaseOrder"]
    assert remote("receipts", number=number, quantities={"1": 4})[0]["OrigGrnValue"] == 10
    assert remote("receipts", number=number)[0]["QtyReceived"] == 6
    assert remote("orders/complete", number=number)["OrderStatus"] == "9"
    assert remote("orders/cancel", number=number)["OrderStatus"] == "*"
    remote("invoices", supplier="X1", number="H1", lines=[["400001-CC101", "10.00"]], reference="hand")
    remote("invoices", supplier="X1", number="H2", lines=[["400001-CC101", "10.00"]])
    remote("invoices/pay", supplier="X1", number="H1", amount="10.00")
    remote("invoices/cancel", supplier="X1", number="H2")
    remote("invoices/purge", supplier="X1", number="H2")
    found = remote("state", method="GET")
    assert [row["Invoice"] for row in found["ApInvoice"]] == ["H1"] and found["counts"]["ApInvoicePay"] == 2


def test_control_of_periods_sessions_currencies_and_switches(api, world, remote):
    assert remote("periods", close="2026-02") == ["2026-02"]
    assert remote("periods", open="2026-02") == []
    assert remote("periods/end") == {"current": "2026-03"}
    api.log_on()
    remote("logon", operator="MLCONN")
    assert remote("state", method="GET")["evicted"] == 1
    remote("sessions/expire")
    assert world.sessions.open == {}
    remote("odata", user="u", password="p", restart=False)
    assert api.odata("A/ApSupplier?$top=1", "u", "p").status_code == 401
    remote("odata", user="u", password="p")
    assert api.odata("A/ApSupplier?$top=1", "u", "p").status_code == 200
    remote("currencies", old="EUR", new="$")
    assert world.local_currency == "$"
    remote("switches", seats=1, wrapping="json", unlicensed=["APSTIN"])
    assert (world.sessions.seats, world.wrapping, world.unlicensed) == (1, "json", {"APSTIN"})
    assert "no switch" in remote("switches", 400, lock=1)["error"]
    assert "Refusal" in remote("invoices/pay", 400, supplier="V10000", number="nothing")["error"]
    assert remote("faults", kind="503")["rules"] == 1 and remote("faults", method="DELETE")["rules"] == 0
