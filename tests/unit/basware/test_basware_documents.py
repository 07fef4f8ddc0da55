"""What is read of invoices and payments where Basware shows less, or otherwise, than one would like."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.errors import Rejected, Transient
from ml_connector.flow import Answer, Found
from ml_connector.records import Invoice, Payment
from ml_connector.systems.basware import invoice_document as doc
from ml_connector.systems.kit.compare import comparable

DOCUMENTS, STATUS = "/v1/accountingDocuments", "/v1/requestStatus"


# ── stamps ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-03-02T09:00:05Z", "2026-03-02T09:00:05.123Z"),
        ("2026-03-02T09:00:05.1Z", "2026-03-02T09:00:05.1234567Z"),
        ("2026-03-02T10:00:05+02:00", "2026-03-02T08:00:06Z"),
        ("2026-03-02T08:00:05", "2026-03-02T08:00:05.5Z"),
        ("2026-03-02", "2026-03-02T00:00:01Z"),
        ("0001-01-01T00:00:00", "2026-03-02"),
    ],
)
def test_a_later_stamp_is_the_greater_text_whatever_its_precision_and_zone(earlier: str, later: str) -> None:
    one, other = comparable(earlier), comparable(later)
    assert one is not None and other is not None and one < other


def test_equal_moments_are_one_text_and_a_text_that_is_no_stamp_stays_itself() -> None:
    same = ("2026-03-02T09:00:05Z", "2026-03-02T09:00:05.000Z", "2026-03-02T10:00:05.0+01:00", "2026-03-02 09:00:05")
    assert len({comparable(text) for text in same}) == 1
    assert (comparable(None), comparable("soon"), comparable("2026-13-02")) == (None, "soon", "2026-13-02")


def test_what_is_offered_and_what_is_fetched_have_the_same_stamp(bench: Any, server: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        listed = request.url.path == DOCUMENTS
        stamp = "2026-03-02T09:00:05Z" if listed else "2026-03-02T09:00:05.000Z"
        return httpx.Response(200, json={"accountingDocuments": [document(lastUpdated=stamp)]})

    server.answer = answer
    source = bench.connection.source(Invoice)
    (page,) = source.list_documents(None, None)
    assert page.documents[0].stamp == source.fetch("d1").stamp != None  # noqa: E711 - a chain of comparisons


# ── documents without a key ─────────────────────────────────────────────────────────────────────────────────────


def document(**fields: Any) -> dict[str, Any]:
    plain = {
        "invoiceId": "d1",
        "processingStatus": "WaitingForTransfer",
        "companyCode": "1000",
        "supplierCode": "V1",
        "currencyCode": "EUR",
        "grossSum": 119,
        "invoiceNumber": "R1",
        "codingRows": [{"externalCode": "r1", "netTotal": 100, "accountCode": "4711"}],
    }
    return {name: value for name, value in {**plain, **fields}.items() if value is not None}


@pytest.mark.parametrize("key", [None, "", "  ", {"a": 1}, True])
def test_a_document_without_a_key_is_told_with_its_text_and_the_page_goes_on(bench: Any, server: Any, key: Any) -> None:
    rows = [document(), document(invoiceId=key, invoiceNumber="R2"), "junk", document(invoiceId="d3")]
    server.answer = lambda _: httpx.Response(200, json={"accountingDocuments": rows})
    (page,) = bench.connection.source(Invoice).list_documents(None, None)
    assert [offer.key for offer in page.documents] == ["d1", "d3"]
    nameless, junk = page.broken
    assert nameless.key.startswith("without-id-") and nameless.key != junk.key
    assert "R2" in nameless.reason and '"R2"' in nameless.raw
    (again,) = bench.connection.source(Invoice).list_documents(None, None)
    assert [bad.key for bad in again.broken] == [bad.key for bad in page.broken]


def test_a_document_without_a_key_of_another_company_is_left_alone(bench: Any, server: Any) -> None:
    rows = [document(invoiceId=None, companyCode="9999"), document(invoiceId=None, processingStatus="Paid")]
    server.answer = lambda _: httpx.Response(200, json={"accountingDocuments": rows})
    (page,) = bench.connection.source(Invoice).list_documents(None, None)
    assert not page.documents and not page.broken


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_codes_of_answers_differ_by_kind_attempt_and_offer_and_fit(bench: Any, server: Any) -> None:
    """The readable part is cut, the rest is a digest of the whole."""
    server.answer = lambda r: (
        httpx.Response(200, json={}) if r.method == "POST" else httpx.Response(200, json=[document()])
    )
    source = bench.connection.source(Invoice)
    long = "2026-03-02T09:00:05.123000000Z"
    codes = [
        f"{kind}.{attempt}.{stamp}"
        for kind in ("transferred", "refused")
        for attempt in range(3)
        for stamp in (long, long.replace("123", "124"), "")
    ]
    for code in codes:
        source.answer("d" * 36, Answer(code, code.startswith("t"), "said", posted_on=date(2026, 3, 2)))
    import json

    given = [json.loads(r.content)["externalCode"] for r in server.calls() if r.method == "POST"]
    assert len(set(given)) == len(codes) and max(map(len, given)) <= 36


# ── payments ────────────────────────────────────────────────────────────────────────────────────────────────────


class PaymentServer:
    """An invoice that may not show its payment responses, and the request status of what was posted."""

    def __init__(self, server: Any, item: str, *, shows: bool = False, kept: bool = True) -> None:
        self.item, self.shows, self.kept = item, shows, kept
        self.code = ""
        server.answer = self.answer

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/paymentResponses"):
            import json

            self.code = json.loads(request.content)["externalCode"]
            return httpx.Response(200, json={}, headers={"x-amzn-RequestId": "req-1"})
        if path.startswith(DOCUMENTS):
            shown = [{"externalCode": self.code, "success": True}] if self.shows and self.code else None
            return httpx.Response(200, json=[document(processingStatus="Transferred", paymentResponses=shown)])
        entry = {
            "requestId": "req-1",
            "lastUpdated": "2026-03-02T09:00:00Z",
            "systems": [
                {
                    "system": "P2P",
                    "items": [
                        {"externalCode": self.code, "status": self.item, "errors": [{"message": "period closed"}]}
                    ],
                }
            ],
        }
        return httpx.Response(200, json={"requestStatus": [entry]} if self.kept else {"requestStatus": []})


def paid(bench: Any) -> tuple[Any, Found]:
    record = Payment(
        key="9~18~46~1",
        invoice="18:46",
        number="P1",
        amount=Decimal("10.00"),
        currency="EUR",
        document="d1",
        paid_total=Decimal("10.00"),
        paid_on=date(2026, 3, 2),
    )
    target = bench.connection.target(Payment)
    return target, target.send(target.prepare(record, bench.codes))


@pytest.mark.parametrize("item", ["Success", "Warning", "NotProcessed"])
@pytest.mark.parametrize("later", [False, True])
def test_an_import_that_succeeded_confirms_a_payment_that_the_invoice_does_not_show(
    bench: Any, server: Any, item: str, later: bool
) -> None:
    PaymentServer(server, item)
    target, found = paid(bench)
    target = bench.connection.target(Payment) if later else target  # another process knows no request id
    assert target.read_back(found) == found


@pytest.mark.parametrize("shows", [False, True])
@pytest.mark.parametrize("later", [False, True])
def test_a_payment_whose_import_is_under_way_or_failed_is_not_confirmed(
    bench: Any, server: Any, shows: bool, later: bool
) -> None:
    there = PaymentServer(server, "InProgress", shows=shows)
    target, found = paid(bench)
    target = bench.connection.target(Payment) if later else target
    with pytest.raises(Transient, match="has not confirmed yet the payment response"):
        target.read_back(found)
    there.item = "Error"
    with pytest.raises(Rejected, match="period closed"):
        target.read_back(found)


def test_without_any_request_status_the_invoice_itself_confirms_a_payment(bench: Any, server: Any) -> None:
    there = PaymentServer(server, "Success", shows=True, kept=False)
    _, found = paid(bench)
    target = bench.connection.target(Payment)
    assert target.read_back(found) == found
    there.shows = False
    with pytest.raises(Transient):
        target.read_back(found)


# ── amounts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_second_tax_sum_is_no_part_of_what_is_paid() -> None:
    row = {"externalCode": "r1", "accountCode": "4711", "netTotal": 1000, "taxSum": 0, "taxSum2": 190}
    made = doc.invoice(document(netSum=1000, taxSum1=0, taxSum2=190, grossSum=1000, codingRows=[row]))
    assert (made.gross, made.net, made.tax) == (1000, 1000, 0)
    assert made.rows[0].tax == 0


def test_a_tax_that_is_stated_by_the_second_sum_alone_is_not_stated() -> None:
    row = {"externalCode": "r1", "accountCode": "4711", "netTotal": 1000, "taxSum2": 190}
    made = doc.invoice(document(taxSum2=190, grossSum=1000, codingRows=[row]))
    assert (made.tax, made.rows[0].tax) == (None, None)


def test_the_quantity_of_the_receipt_is_not_that_of_the_row() -> None:
    row = {"externalCode": "r1", "accountCode": "4711", "netTotal": 100, "receivedQuantity": 40}
    made = doc.invoice(document(codingRows=[row]))
    assert made.rows[0].quantity is None
    made = doc.invoice(document(codingRows=[row | {"allocatedQuantity": 4}]))
    assert made.rows[0].quantity == 4


ROW = {"externalCode": "r1", "accountCode": "4711", "netTotal": 100}


@pytest.mark.parametrize("percent", ["-100", "-0.01", "100.01", "1E29", "-1E+29"])
def test_a_rate_that_is_none_is_rejected_by_its_field(percent: str) -> None:
    with pytest.raises(Rejected, match=r"Invoice R1 cannot be read: taxPercent1 is '.*no tax rate"):
        doc.invoice(document(taxPercent1=Decimal(percent)))
    with pytest.raises(Rejected, match=r"Invoice R1 cannot be read: coding row 2, taxPercent is '.*no tax rate"):
        doc.invoice(document(codingRows=[ROW, ROW | {"taxPercent": Decimal(percent)}]))


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity", "1E+999999", "1E-999999", "0E+500"])
@pytest.mark.parametrize("field", ["netTotal", "grossTotal", "taxSum", "taxPercent", "matchedQuantity"])
def test_a_figure_that_is_none_is_rejected_by_its_field(figure: str, field: str) -> None:
    with pytest.raises(Rejected, match=f"Invoice R1 cannot be read: coding row 1, {field} is '.*no number"):
        doc.invoice(document(codingRows=[ROW | {field: Decimal(figure)}]))


@pytest.mark.parametrize("field", ["matchedQuantity", "allocatedQuantity"])
def test_a_negative_quantity_of_something_that_is_paid_for_is_rejected(field: str) -> None:
    with pytest.raises(Rejected, match=f"{field} of coding row 1 is -2"):
        doc.invoice(document(codingRows=[ROW | {field: -2}]))
    back = doc.invoice(document(grossSum=-100, codingRows=[ROW | {"netTotal": -100, field: -2}]))
    assert back.rows[0].quantity == -2


# ── what a double shows ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("shown", "currency", "read"),
    [
        ("107.10000000000001", "EUR", "107.10"),
        ("18.999999999999996", "EUR", "19.00"),
        ("-107.10000000000001", "EUR", "-107.10"),
        ("1234567890.1200001", "EUR", "1234567890.12"),
        ("3.552713678800501E-15", "EUR", "0.00"),
        ("-3.552713678800501E-15", "EUR", "0.00"),
        ("1000.0000000000001", "JPY", "1000"),
        ("10.125000000000002", "KWD", "10.125"),
        ("10.125", "EUR", "10.125"),
        ("10.000001", "EUR", "10.000001"),
        ("10.125000000000002", "EUR", "10.125000000000002"),
        ("10.1200100000000001", "EUR", "10.1200100000000001"),
        ("119", "EUR", "119"),
    ],
)
def test_an_amount_is_what_was_entered_and_never_rounded(shown: str, currency: str, read: str) -> None:
    row = {"externalCode": "r1", "netTotal": Decimal(shown), "grossTotal": Decimal(shown), "taxSum": Decimal(shown)}
    sums = {"grossSum": Decimal(shown), "netSum": Decimal(shown), "taxSum1": Decimal(shown)}
    one = doc.invoice(document(currencyCode=currency, codingRows=[row], **sums))
    figures = [one.gross, one.net, one.tax, one.rows[0].net, one.rows[0].gross, one.rows[0].tax]
    assert [str(figure) for figure in figures] == [read] * 6


def test_the_list_tells_the_number_and_the_amount_as_it_was_entered(bench: Any, server: Any) -> None:
    rows = [document(invoiceNumber="RE-1", grossSum=107.10000000000001)]
    server.answer = lambda _: httpx.Response(200, json={"accountingDocuments": rows})
    (page,) = bench.connection.source(Invoice).list_documents(None, None)
    assert (page.documents[0].number, str(page.documents[0].amount)) == ("RE-1", "107.10")


def test_a_quantity_and_a_rate_are_what_was_entered() -> None:
    row = {
        "externalCode": "r1",
        "netTotal": 100,
        "matchedQuantity": Decimal("0.30000000000000004"),
        "taxPercent": Decimal("18.999999999999996"),
    }
    one = doc.invoice(document(codingRows=[row])).rows[0]
    assert (one.quantity, one.tax_percent) == (Decimal("0.3"), Decimal(19))
    third = {**row, "matchedQuantity": Decimal("0.3333333333333333")}
    assert doc.invoice(document(codingRows=[third])).rows[0].quantity == Decimal("0.3333333333333333")


@pytest.mark.parametrize("name", ["matchedQuantity", "allocatedQuantity"])
@pytest.mark.parametrize("quantity", ["1E-30", "-1E-30", "0.0000001"])
def test_a_quantity_that_no_ledger_can_tell_from_nothing_is_refused_by_its_name(name: str, quantity: str) -> None:
    row = {"externalCode": "r1", "netTotal": 100, name: Decimal(quantity)}
    with pytest.raises(Rejected, match=f"{name} of coding row 1 is "):
        doc.invoice(document(codingRows=[row]))
