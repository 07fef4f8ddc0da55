"""Pages, filters and answers that are not what they seem."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from ml_connector.errors import Misconfigured, Transient
from ml_connector.records import Account, CostCenter, Payment, PurchaseOrder, Supplier

V1 = "https://sl.example:50000/b1s/v1"


def centers(*codes: str, **link: str) -> httpx.Response:
    return httpx.Response(200, json={"value": [{"CenterCode": code} for code in codes], **link})


def keys(bench: Any) -> list[str]:
    return [c.key for page in bench.connection.source(CostCenter).pages(None, None) for c in page.records]


def letters(first: str, count: int) -> list[str]:
    return [chr(ord(first) + n) for n in range(count)]


@pytest.mark.parametrize("name", ["odata.nextLink", "@odata.nextLink"])
@pytest.mark.parametrize(
    "link",
    [
        "ProfitCenters?$skip=2",
        "/b1s/v2/ProfitCenters?%24skip=2",
        "https://other.example/b1s/v2/ProfitCenters?$select=CenterCode&$skip=2",
        "ProfitCenters?$filter=Active eq 'tYES'&$orderby=CenterName&$skip=2",
    ],
)
def test_only_the_number_is_taken_from_a_next_link(bench: Any, name: str, link: str) -> None:
    bench.server.script(centers("A", "B", **{name: link}), centers("C"))
    assert keys(bench) == ["A", "B", "C"]
    first, second = bench.server.options()
    assert second == {**first, "$skip": "2"}
    assert {str(r.url.host) for r in bench.server.requests} == {"sl.example"}


def test_a_skip_token_is_handed_back(bench: Any) -> None:
    bench.server.script(centers("A", **{"@odata.nextLink": "ProfitCenters?$skiptoken='A'"}), centers("B"))
    assert keys(bench) == ["A", "B"]
    assert bench.server.options()[1]["$skiptoken"] == "'A'"


def test_longer_pages_overlap_by_a_row(bench: Any) -> None:
    bench.server.script(
        centers(*letters("A", 6), **{"@odata.nextLink": "x?$skip=6"}), centers("F", "G"), centers("never")
    )
    assert keys(bench) == letters("A", 7)
    assert bench.server.options()[1]["$skip"] == "5"


def test_where_the_overlap_is_missing_the_reader_steps_back(bench: Any) -> None:
    """Two rows before the page vanished: what would have been skipped is found."""
    bench.server.script(
        centers(*letters("A", 6), **{"@odata.nextLink": "x?$skip=6"}),
        centers("H", "I"),
        centers(*letters("C", 7)),
    )
    assert keys(bench) == letters("A", 9)


@pytest.mark.parametrize(
    "second",
    [
        centers("A", "B", **{"@odata.nextLink": "x?$skip=2"}),  # does not advance
        centers("A", "B", **{"@odata.nextLink": "x?$skip=4"}),  # advances in name only
        centers(**{"@odata.nextLink": "x?$skip=4"}),
        centers("C", **{"@odata.nextLink": "x?page=3"}),
    ],
)
def test_a_loop_of_pages_is_trouble(bench: Any, second: httpx.Response) -> None:
    bench.server.script(centers("A", "B", **{"@odata.nextLink": "x?$skip=2"}), second)
    with pytest.raises(Transient, match="pages in a loop"):
        keys(bench)
    assert len(bench.server.requests) == 2


def test_what_is_asked(bench: Any) -> None:
    list(bench.connection.source(Account).pages(None, None))
    (request,) = bench.server.requests
    assert request.headers["prefer"] == "odata.maxpagesize=500"
    assert "+" not in request.url.query.decode()
    query = unquote(request.url.query.decode())
    fields = "Code,Name,FormatCode,ActiveAccount,ValidFor,ValidFrom,ValidTo,FrozenFor,FrozenFrom,FrozenTo"
    assert query == f"$select={fields}&$filter=ActiveAccount eq 'tYES'&$orderby=Code"


def test_orders_name_their_lines_and_expand_nothing(bench: Any) -> None:
    list(bench.connection.source(PurchaseOrder).pages(None, None))
    options = bench.server.options()[0]
    assert "DocumentLines" in options["$select"].split(",")
    assert "$expand" not in options


def test_dates_are_quoted_for_v1_and_bare_for_v2(make: Any) -> None:
    for base, literal in ((None, "2026-02-09"), (V1, "'2026-02-09'")):
        bench = make(base) if base else make()
        list(bench.connection.source(Supplier).pages("2026-02-10", None))
        assert bench.server.options()[0]["$filter"] == (
            f"CardType eq 'cSupplier' and (UpdateDate ge {literal} or CreateDate ge {literal})"
        )


def test_a_server_that_refuses_bare_dates_gets_quoted_ones_from_then_on(bench: Any, fault: Any) -> None:
    def picky(request: httpx.Request) -> httpx.Response:
        bare = "ge 2026" in request.url.params["$filter"]
        return fault(400, -1000, "Invalid date literal") if bare else httpx.Response(200, json={"value": []})

    bench.server.answer = picky
    list(bench.connection.source(Supplier).pages("2026-02-10", None))
    list(bench.connection.source(Supplier).pages("2026-02-10", None))
    assert len(bench.server.requests) == 3


def test_another_refusal_of_a_filter_with_dates_is_told(bench: Any, fault: Any) -> None:
    bench.server.answer = lambda _: fault(400, 201, "Property 'X' is invalid")
    with pytest.raises(Misconfigured, match="Property 'X' is invalid"):
        list(bench.connection.source(Supplier).pages("2026-02-10", None))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"<html>login</html>"),
        httpx.Response(200, content=b'{"value":[{"CenterCode":"A"},{"Cen'),
        httpx.Response(200, content=b'{"value":[{"CenterCode":17},{"CenterCode":"B"'),
        httpx.Response(200, content=b""),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"value": None}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"error": {"code": "-1", "message": "no"}}),
        httpx.Response(200, json={"error": {"code": -1, "message": {"value": "no"}}}),
        httpx.Response(200, json={"error": "no"}),
        httpx.Response(502, content=b"<html>Bad Gateway</html>"),
        httpx.Response(500, content=b""),
    ],
)
def test_a_bad_answer_is_never_an_empty_list(bench: Any, answer: httpx.Response) -> None:
    bench.server.answer = lambda _: answer
    with pytest.raises(Transient):
        keys(bench)


def test_a_truncated_page_is_read_again_at_once(bench: Any) -> None:
    bench.server.script(httpx.Response(200, content=b'{"value":[{"CenterCode":"A"},{"Cen'), centers("A", "B"))
    assert keys(bench) == ["A", "B"]


def test_no_records_found_is_an_empty_list(bench: Any, fault: Any) -> None:
    bench.server.answer = lambda _: fault(404, -2028, "No matching records found (ODBC -2028)")
    assert keys(bench) == []


def test_one_bad_row_costs_only_itself(bench: Any) -> None:
    rows = [{"CenterCode": "A"}, {"CenterCode": None, "CenterName": "?"}, {"CenterCode": "C", "InWhichDimension": "x"}]
    bench.server.answer = lambda _: httpx.Response(200, json={"value": [*rows, {"CenterCode": "D"}]})
    (page,) = bench.connection.source(CostCenter).pages(None, None)
    assert [c.key for c in page.records] == ["A", "D"]
    assert [b.key for b in page.broken] == ["?1", "C"]
    assert "InWhichDimension" in page.broken[1].reason
    assert '"x"' in page.broken[1].raw


def order(**more: Any) -> dict[str, Any]:
    plain = {"DocEntry": 5, "DocNum": 77, "CardCode": "V1", "DocCurrency": "EUR", "DocumentStatus": "bost_Open"}
    return plain | {"DocumentLines": [{"LineNum": 2, "Quantity": 3, "LineTotal": 10.01}]} | more


def read_order(bench: Any, **more: Any) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        rows = [order(**more)] if "PurchaseOrders" in request.url.path else []
        return httpx.Response(200, json={"value": rows})

    bench.server.answer = answer
    (page,) = bench.connection.source(PurchaseOrder).pages(None, None)
    return page


@pytest.mark.parametrize("spelling", ["12345678901.23", '"12345678901.23"'])
def test_money_is_exact_as_number_and_as_text(bench: Any, spelling: str) -> None:
    body = '{"value":[{"DocEntry":"5","DocNum":77,"CardCode":"V1","DocCurrency":"EUR","DocumentLines":'
    body += '[{"LineNum":0,"LineTotal":%s,"Quantity":"0.1"}]}]}' % spelling  # noqa: UP031 - braces
    bench.server.answer = lambda r: httpx.Response(200, content=body if "Orders" in r.url.path else b'{"value":[]}')
    (page,) = bench.connection.source(PurchaseOrder).pages(None, None)
    assert page.records[0].lines[0].net == Decimal("12345678901.23")
    assert page.records[0].lines[0].quantity == Decimal("0.1")


@pytest.mark.parametrize("text", ["2026-01-05", "2026-01-05T00:00:00Z"])
def test_dates_are_the_companys_days_with_or_without_a_time(bench: Any, text: str) -> None:
    page = read_order(bench, DocDate=text, UpdateDate=text)
    assert page.records[0].created.isoformat() == "2026-01-05"
    assert page.stamp == "2026-01-05"


def test_a_date_that_is_none_breaks_only_its_order(bench: Any) -> None:
    page = read_order(bench, DocDate="soon")
    assert (page.records, page.broken[0].key) == ([], "5")


def test_a_server_without_receipts_still_gives_orders(bench: Any, fault: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "PurchaseOrders" in request.url.path:
            return httpx.Response(200, json={"value": [order()]})
        return fault(404, -1000, "Unrecognized resource path.")

    bench.server.answer = answer
    (page,) = bench.connection.source(PurchaseOrder).pages(None, None)
    assert page.records[0].lines[0].number == "2"


@pytest.mark.parametrize(
    "second", [(404, -1000, "Unrecognized resource path."), (404, -2028, "No matching records found")]
)
def test_a_read_repeated_after_a_page_is_judged_by_the_same_rules(bench: Any, fault: Any, second: Any) -> None:
    """A set that is missing stays missing, and is no error of the flow, although a proxy's page came first."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if "PurchaseOrders" in request.url.path:
            return httpx.Response(200, json={"value": [order()]})
        asked.append(request.url.path)
        return httpx.Response(200, text="<html>one moment</html>") if len(asked) == 1 else fault(*second)

    bench.server.answer = answer
    (page,) = bench.connection.source(PurchaseOrder).pages(None, None)
    assert page.records[0].lines[0].receipts == () and len(asked) == 2


@pytest.mark.parametrize("spelled", ["2026-02-09", "2026-02-09T00:00:00Z", "2026-02-09T23:59:59.123Z"])
def test_stamps_are_days_however_they_are_spelled(bench: Any, spelled: str) -> None:
    row = {"DocEntry": 1, "CardCode": "V1", "DocCurrency": "EUR", "UpdateDate": spelled}
    odd = {"DocEntry": 2, "CardCode": "V1", "DocCurrency": "EUR", "UpdateDate": "/Date(1770595200000)/"}
    bench.server.answer = lambda r: httpx.Response(200, json={"value": [row, odd] if "Orders" in r.url.path else []})
    (page, *_) = bench.connection.source(PurchaseOrder).pages(None, None)
    assert page.stamp == "2026-02-09" and len(page.records) == 2


def test_the_stamp_of_a_payment_does_not_hang_on_how_an_amount_is_spelled(bench: Any) -> None:
    def offered(amount: str) -> str:
        line = f'{{"DocEntry":7,"InvoiceType":"it_PurchaseInvoice","SumApplied":{amount},"InstallmentId":1}}'
        body = f'{{"value":[{{"DocEntry":1,"DocCurrency":"EUR","PaymentInvoices":[{line}]}}]}}'
        bench.server.answer = lambda _: httpx.Response(200, content=body)
        (page,) = bench.connection.source(Payment).list_documents(None, None)
        return str(page.documents[0].stamp)

    assert offered("10") == offered("10.00") != offered("10.01")
