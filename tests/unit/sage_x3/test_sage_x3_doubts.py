"""What could be posted twice, to another company, or stop all invoices for one: words and amounts that mislead."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held, Misconfigured, OutcomeUnknown
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.sage_x3.dialects import translated
from ml_connector.systems.sage_x3.entities import JOURNAL, Created
from ml_connector.systems.sage_x3.orders import Orders
from ml_connector.systems.sage_x3.settings import Settings
from tests.unit.sage_x3.books import PLAIN, Books, Codes, invoice, row, target
from tests.unit.sage_x3.test_sage_x3_import import Server, answer, body, imports


def test_a_document_that_speaks_of_a_pool_does_not_stop_it() -> None:
    """X3 gives the file back, and with it the document's own words."""
    server = Server(lambda: answer(I_FILE="G;BWINV;;Web service pool, no web services accepted|END"))
    assert isinstance(imports(server).create(JOURNAL, body()), Created)


@pytest.mark.parametrize("said", ["Time-out of the process", "The request timed out", "Délai d'attente dépassé"])
def test_a_refusal_that_only_took_too_long_is_in_doubt_unless_the_entry_shows(said: str) -> None:
    books = Books()
    one = target(books)
    wanted = one.prepare(invoice(), Codes())
    books.answers = [Fault(200, "", said), Fault(200, "", said)]
    with pytest.raises(OutcomeUnknown, match="may still be at it"):
        one.send(wanted)
    books.enter(wanted.body)
    assert one.send(wanted).ours


def test_an_import_needs_a_site_since_its_file_names_no_company() -> None:
    with pytest.raises(Misconfigured, match=r"'journal\.site' is missing"):
        target(Books(), writer=imports(Server()), site=None)
    target(Books(), site=None)


def test_an_entry_of_an_invoice_without_a_date_is_known_by_the_date_that_it_was_sent_with() -> None:
    books = Books()
    one = target(books, writer=imports(Server()))
    wanted = one.prepare(invoice(invoice_date=None), Codes())
    books.enter(wanted.body, REFINT=" ")
    assert one.send(wanted).number == "BWINV2602-0001"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("Dimension CCT PROD not allowed with account 606100", Held),
        ("Operation not allowed", Misconfigured),
        ("Unknown property TAX", Misconfigured),
    ],
)
def test_a_code_that_is_not_allowed_stops_its_own_invoice_only(said: str, error: type[Exception]) -> None:
    books = Books()
    one = target(books)
    books.answers = [Fault(400, "", said)]
    with pytest.raises(error):
        one.send(one.prepare(invoice(row(cost_center="PROD")), Codes()))


@pytest.mark.parametrize(
    ("debit", "credit", "signed"), [("5", "0", 5), ("0", "5", -5), ("-5", "0", -5), ("0", "-5", 5), ("7", "5", 2)]
)
def test_debit_and_credit_make_one_signed_amount_also_where_one_is_negative(
    debit: str, credit: str, signed: int
) -> None:
    record = translated(JOURNAL, {"DEBCUR": debit, "CDTCUR": credit})
    assert record["AMTCUR"] * record["SNS"] == signed and record["AMTCUR"] >= 0


@pytest.mark.parametrize(("company", "read"), [("FR10", ["A", "C"]), (None, ["A", "B", "C"])])
def test_orders_of_another_company_are_none_of_ours(company: str | None, read: list[str]) -> None:
    line = {"POPLIN": 1000, "QTYUOM": Decimal(1), "NETPRI": Decimal(5), "ITMREF": "X"}
    plain: dict[str, Any] = {"POHTYP": 1, "BPSNUM": "FR053", "CUR": "EUR", "ORDDAT": date(2026, 1, 5), "RCPFLG": 1}
    whole = {"CLEFLG": 1, "$whole": True, "PORDERQ": [line]}
    rows = [plain | whole | {"POHNUM": n} | at for n, at in (("A", {"CPY": "FR10"}), ("B", {"CPY": "US10"}), ("C", {}))]
    given = Settings.model_validate(PLAIN | ({"company": company} if company else {}))
    broken: list[Any] = []
    found = Orders(Books(), given, lambda: "CCT").convert(rows, broken)
    assert ([one.number for one in found], broken) == (read, [])
