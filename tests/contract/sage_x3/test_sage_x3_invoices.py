"""Invoices posted to the simulated Sage X3 by api1, GraphQL and imports: the same entry, whatever the way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from infra.sandbox.sage_x3 import back_office
from ml_connector.errors import Held, Misconfigured, NotUnderstood, Rejected
from ml_connector.records import CodingRow
from tests.contract.sage_x3.conftest import Maker
from tests.contract.sage_x3.posting import JOURNAL, Codes, invoice, opened, post, row, sums, target, ways


@ways
def test_an_invoice_becomes_one_entry_with_its_tax_its_dimensions_and_our_key(make: Maker, way: str) -> None:
    bench = opened(make, way, dimensions=("PRJ",))
    rows = (
        row(dimensions=(("PRJ", "P001"),)),
        row(key="2", account="400002", net="50.00", tax="3.50", tax_code="FRRED"),
    )
    back = post(bench, invoice(*rows, gross="172.50"))
    head = bench.world.find("GACCENTRY", "PIINV", back.number)
    assert {name: head[name] for name in ("JOU", "FCY", "CPY", "CUR", "BPRVCR", "DESVCR")} == {
        "JOU": "ACH", "FCY": "FR011", "CPY": "FR10", "CUR": "EUR", "BPRVCR": "R-4711", "DESVCR": "Paper, ink & more",
    }  # fmt: skip
    days = ("ACCDAT", "RATDAT", "BPRDATVCR", "DUDDAT")
    assert [head[name] for name in days] == [date(2026, 2, 1), date(2026, 2, 1), date(2026, 1, 30), date(2026, 3, 1)]
    assert head["REFINT"].startswith("inv-1-") and len(head["REFINT"]) <= 25
    assert sums(bench, back.number) == {
        "400001": Decimal(100), "400002": Decimal(50), "445660": Decimal("22.50"), "401100": Decimal("-172.50"),
    }  # fmt: skip
    shares = [one for one in bench.world.rows("GACCENTRYA") if one["NUM"] == back.number]
    assert [(one["DIE"], one["CCE"], one["AMTCUR"]) for one in shares] == [
        (["CCT", "PRJ"], ["CC101", "P001"], Decimal(100)), (["CCT"], ["CC101"], Decimal(50)),
    ]  # fmt: skip
    (item,) = [one for one in bench.world.rows("GACCDUDATE") if one["NUM"] == back.number]
    assert (item["BPR"], item["AMTCUR"], item["SNS"], item["DUDDAT"]) == (
        "V10000",
        Decimal("172.50"),
        -1,
        date(2026, 3, 1),
    )
    assert back.number == "PIINV2602-0001" and back.notes == (f"Entry PIINV {back.number} of Sage X3 is final.",)
    assert bench.world.get("PINVOICE", back.number) is None


@ways
def test_a_credit_note_stands_on_the_other_side(make: Maker, way: str) -> None:
    bench = opened(make, way)
    back = post(bench, invoice(row(net="-100.00", tax="-19.00"), gross="-119.00"))
    assert sums(bench, back.number) == {"400001": Decimal(-100), "445660": Decimal(-19), "401100": Decimal(119)}
    assert all(one["AMTCUR"] > 0 for one in bench.world.rows("GACCENTRYD") if one["NUM"] == back.number)


@ways
def test_a_temporary_entry_is_told_as_one(make: Maker, way: str) -> None:
    back = post(opened(make, way, journal={**JOURNAL, "entry_type": "PITMP"}))
    assert back.notes == (f"Entry PITMP {back.number} of Sage X3 is temporary.",)


@ways
def test_a_foreign_invoice_keeps_its_currency(make: Maker, way: str) -> None:
    bench = opened(make, way)
    back = post(bench, invoice(currency="USD"))
    line = next(one for one in bench.world.rows("GACCENTRYD") if one["NUM"] == back.number)
    assert (back.currency, line["AMTCUR"], line["AMTLED"]) == ("USD", Decimal(100), Decimal("92.15"))


@ways
def test_only_the_legal_ledger_is_sent_and_x3_fills_the_others(make: Maker, way: str) -> None:
    bench = opened(make, way)
    bench.world.ledgers[2] = "FRA"
    back = post(bench)
    lines = [one["LEDTYP"] for one in bench.world.rows("GACCENTRYD") if one["NUM"] == back.number]
    assert sorted(lines) == [1, 1, 1, 2, 2, 2] and back.amount == 119


@ways
def test_the_order_gives_the_dimensions_before_the_row(make: Maker, way: str) -> None:
    bench = opened(make, way)
    order = back_office.order(
        bench.world, "V10000", [{"QTYUOM": Decimal(1), "NETPRI": Decimal(100), "ITMREF": "A"}], center="CC105"
    )
    back = post(bench, invoice(row(order_number=order["POHNUM"], order_line="1000")))
    share = next(one for one in bench.world.rows("GACCENTRYA") if one["NUM"] == back.number)
    assert share["CCE"] == (["CC101"] if bench.settings.api == "graphql" else ["CC105"])  # no node has those of orders


@ways
def test_many_lines_are_read_back_whole(make: Maker, way: str) -> None:
    """Twenty lines exactly, where a representation may cut them without a word."""
    bench = opened(make, way)
    rows = tuple(row(key=str(n), net="10.00", tax="1.90") for n in range(18))
    back = post(bench, invoice(*rows, gross="214.20"))
    assert len([one for one in bench.world.rows("GACCENTRYD") if one["NUM"] == back.number]) == 20


@ways
@pytest.mark.parametrize(
    ("given", "waits"),
    [
        ({"account": "499999"}, "account:499999"),
        ({"account": "400119", "cost_center": "CC101"}, "account:400119"),
        ({"cost_center": "CC119"}, "cost_center:CC119"),
    ],
)
def test_a_code_that_is_not_there_or_not_active_holds_on_it(
    make: Maker, way: str, given: dict[str, str], waits: str
) -> None:
    bench = opened(make, way)
    with pytest.raises(Held) as held:
        post(bench, invoice(row(**given)))
    assert held.value.waiting_for == waits and not bench.world.get("GACCENTRY", "PIINV", "PIINV2602-0001")


@pytest.mark.parametrize("way", ["api1", "graphql"])
def test_a_tax_code_that_x3_does_not_have_holds_on_it_and_none_goes_by_an_import(make: Maker, way: str) -> None:
    with pytest.raises(Held) as held:
        post(opened(make, way), invoice(row(tax_code="V9")))
    assert held.value.waiting_for == "tax:V9"
    post(opened(make, "soap"), invoice(row(tax_code="V9")))


@ways
def test_an_inactive_supplier_holds(make: Maker, way: str) -> None:
    bench = opened(make, way)
    bench.world.change("BPSUPPLIER", bench.world.find("BPSUPPLIER", "V10000"), {"ENAFLG": 1})
    with pytest.raises(Held) as held:
        post(bench)
    assert held.value.waiting_for == "supplier:V10000"


@ways
def test_a_closed_period_holds_with_its_month(make: Maker, way: str) -> None:
    bench = opened(make, way)
    back_office.close_period(bench.world, "2026-02")
    with pytest.raises(Held) as held:
        post(bench)
    assert held.value.waiting_for == "period:2026-02"
    back_office.reopen_period(bench.world, "2026-02")
    post(bench)


@ways
def test_x3_moves_a_day_by_itself_and_that_day_is_told(make: Maker, way: str) -> None:
    bench = opened(make, way)
    bench.world.closed_period = "move"
    back_office.close_period(bench.world, "2026-02")
    assert post(bench).posted_on == date(2026, 3, 1)


@ways
def test_a_number_has_twenty_characters_and_is_never_cut(make: Maker, way: str) -> None:
    bench = opened(make, way)
    assert post(bench, invoice(number="N" * 20)).reference == "N" * 20
    with pytest.raises(Rejected, match="20 characters"):
        post(bench, invoice(number="N" * 21))


@pytest.mark.parametrize("status", [200, 201, 400])
def test_a_refusal_under_any_status_is_one(make: Maker, status: int) -> None:
    bench = opened(make, "api1")
    bench.world.refusal_status = status
    bench.world.rates.pop("USD")
    with pytest.raises((Held, NotUnderstood)) as held:
        post(bench, invoice(currency="USD"))
    assert held.value.waiting_for == "currency:USD"


@ways
def test_an_account_of_the_secret_that_is_no_control_account_is_a_wrong_secret(make: Maker, way: str) -> None:
    journal = {**JOURNAL, "payable_account": "499999"}
    with pytest.raises(Misconfigured, match=r"'journal\.payable_account'"):
        post(opened(make, way, journal=journal))


@ways
def test_ping_finds_before_go_live_what_cannot_be_written(make: Maker, way: str) -> None:
    bench = opened(make, way)
    bench.context.__dict__["flows"] = lambda: ("invoices",)
    before = len(bench.world.rows("GACCENTRY"))
    first = next(one for one in bench.connection.ping() if one.what == "invoices")
    assert first.ok, first.detail
    bench.world.operations.clear()
    bench.world.representations["GACCENTRY", "ZGACCENTRY"].facets.discard("create")
    bench.world.templates["GACCENTRY"].imports = False
    closed = next(one for one in bench.again().connection.ping() if one.what == "invoices")
    assert not closed.ok
    assert "'write_via'" in closed.detail or "open the template to imports" in closed.detail
    assert len(bench.world.rows("GACCENTRY")) == before


@ways
def test_a_server_that_takes_none_this_way_refuses_no_invoice(make: Maker, way: str) -> None:
    bench = opened(make, way)
    bench.world.operations.clear()
    bench.world.representations["GACCENTRY", "ZGACCENTRY"].facets.discard("create")
    bench.world.templates["GACCENTRY"].active = False
    one = target(bench)
    with pytest.raises((Misconfigured, NotUnderstood)):
        one.send(one.prepare(invoice(), Codes()))


def test_without_journal_nothing_can_be_posted(make: Maker) -> None:
    with pytest.raises(Misconfigured, match="'journal' is missing"):
        target(make())


def test_a_row_without_account_or_order_is_refused(make: Maker) -> None:
    with pytest.raises(Rejected):
        post(opened(make, "api1"), invoice(CodingRow(key="1", net=Decimal(119))))


def test_an_invoice_of_nothing_is_refused_with_that_reason(make: Maker) -> None:
    with pytest.raises(Rejected, match=r"^Invoice R-4711 makes 0 lines of a journal entry \(amounts of 0 make none\)"):
        post(opened(make, "api1"), invoice(row(net="0", tax="0"), gross="0"))
