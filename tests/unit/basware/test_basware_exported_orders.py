"""Exported purchase orders: read by the code that a notification names, and never acknowledged."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ml_connector.errors import LoginRefused, Rejected, Transient
from ml_connector.systems.basware.webhook import parse

PATH = "/v1/exportedPurchaseOrders"


def exported(**fields: Any) -> dict[str, Any]:
    plain = {
        "externalCode": "PO-9",
        "orderNumber": "P100",
        "extOrderNumber": "4500",
        "requisitionNumber": "R7",
        "processingStatus": "WaitingForExport",
        "orderStatus": "PartiallyReceived",
        "companyCode": "1000",
        "supplierCode": "V1",
        "purchaseCurrency": "EUR",
        "lastUpdated": "2026-03-02T09:00:05Z",
        "orderLines": [{"externalCode": "L1", "orderLineNumber": 1, "quantity": 2, "aNewField": {"x": 1}}],
    }
    return {**plain, **fields}


def test_an_order_is_read_with_number_and_status_and_not_acknowledged(bench: Any, server: Any) -> None:
    body = (
        '{"exportedPurchaseOrders":[{"externalCode":"PO/9","orderNumber":"P100","companyCode":"1000",'
        '"orderStatus":"Closed","grossSum":12345678901234567.89,"orderLines":[{"netSum":0.10}]}]}'
    )
    server.answer = lambda _: httpx.Response(200, content=body)
    order = bench.connection.exported_orders().fetch("PO/9")
    assert (order.key, order.number, order.status) == ("PO/9", "P100", "Closed")
    assert [(r.method, r.url.raw_path) for r in server.calls()] == [("GET", f"{PATH}/PO%2F9".encode())]


@pytest.mark.parametrize("shape", ["bare", "list", "wrapped"])
def test_every_shape_of_answer_and_a_redirect_are_read(bench: Any, server: Any, shape: str) -> None:
    body: Any = {"bare": exported(), "list": [exported()], "wrapped": {"exportedPurchaseOrders": [exported()]}}[shape]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "store.example":
            assert "authorization" not in request.headers
            return httpx.Response(200, json=body)
        return httpx.Response(302, headers={"location": "https://store.example/x?sig=1"})

    server.answer = answer
    order = bench.connection.exported_orders().fetch("PO-9")
    assert (order.erp_number, order.status, order.export) == ("4500", "PartiallyReceived", "WaitingForExport")
    assert order.stamp < "2026-03-02T09:00:05.5"


def test_one_that_is_gone_or_another_companys_is_none(bench: Any, server: Any) -> None:
    server.answer = lambda _: httpx.Response(404)
    assert bench.connection.exported_orders().fetch("PO-9") is None
    server.answer = lambda _: httpx.Response(200, json=[exported(companyCode="9999")])
    assert bench.connection.exported_orders().fetch("PO-9") is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"orderNumber": None}, "has no orderNumber"),
        ({"externalCode": "PO-8"}, "is PO-8"),
    ],
)
def test_what_is_no_order_is_refused_with_the_reason(
    bench: Any, server: Any, fields: dict[str, Any], words: str
) -> None:
    server.answer = lambda _: httpx.Response(200, json=[exported(**fields)])
    with pytest.raises(Rejected, match=words):
        bench.connection.exported_orders().fetch("PO-9")


def test_a_key_that_is_none_is_not_asked_for(bench: Any, server: Any) -> None:
    for key in (" ", "x" * 101):
        with pytest.raises(Rejected, match="no external code"):
            bench.connection.exported_orders().fetch(key)
    assert not server.calls()


def test_a_missing_scope_and_passing_trouble_are_what_they_are(bench: Any, server: Any) -> None:
    server.answer = lambda _: httpx.Response(403)
    with pytest.raises(LoginRefused, match=r"exportedPurchaseOrders\.read"):
        bench.connection.exported_orders().fetch("PO-9")
    server.answer = lambda _: httpx.Response(500)
    with pytest.raises(Transient):
        bench.connection.exported_orders().fetch("PO-9")


def test_a_requisition_is_read_with_the_order_that_it_was_made_of(bench: Any, server: Any) -> None:
    body = {
        "externalCode": "R/1",
        "requisitionNumber": "Alusta-PR-1",
        "extRequisitionNumber": "4500",
        "requisitionStatus": "Rejected",
        "processingStatus": "WaitingForExport",
        "companyCode": "1000",
    }
    server.answer = lambda _: httpx.Response(200, json={"exportedPurchaseRequisitions": [body]})
    found = bench.connection.exported_requisitions().fetch("R/1")
    assert (found.number, found.erp_number, found.status) == ("Alusta-PR-1", "4500", "Rejected")
    assert [(r.method, r.url.raw_path) for r in server.calls()] == [("GET", b"/v1/exportedPurchaseRequisitions/R%2F1")]
    with pytest.raises(Rejected, match=r"The exported requisition R/2 .* is R/1"):
        bench.connection.exported_requisitions().fetch("R/2")


def test_an_order_made_of_a_requisition_of_ours_is_known_by_the_requisitions_number(bench: Any, server: Any) -> None:
    made = exported(extOrderNumber=None, extRequisitionNumber="4501")
    server.answer = lambda _: httpx.Response(200, json=made)
    assert bench.connection.exported_orders().fetch("PO-9").erp_number == "4501"


@pytest.mark.parametrize("task", ["ExportedPurchaseRequisitions", "exportedPurchaseRequisition"])
def test_a_notification_of_an_exported_requisition_names_it(task: str) -> None:
    said = parse(f'{{"taskId":"t","taskStatus":"New","taskType":"{task}","documentId":"R-9"}}'.encode())
    assert (said.kind, said.document) == ("exported_requisition", "R-9")


def test_a_notification_of_an_exported_order_names_it() -> None:
    said = parse(b'{"taskId":"t","taskStatus":"New","taskType":"ExportedPurchaseOrders","documentId":"PO-9"}')
    assert (said.kind, said.document) == ("exported_order", "PO-9")
    with pytest.raises(ValueError, match="documentId"):
        parse(b'{"taskId":"t","taskStatus":"New","taskType":"ExportedPurchaseOrders"}')
