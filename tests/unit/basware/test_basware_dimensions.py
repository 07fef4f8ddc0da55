"""Dimensions that have a list of their own: their values, the coding of orders, the coding rows of invoices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from ml_connector.errors import Rejected
from ml_connector.records import CostCenter, Invoice, OrderLine, PurchaseOrder

LISTS = {"2": "ACC_LIST_3", "PRJ": "ACC_LIST_12"}


@pytest.fixture
def listed(make: Any, server: Any) -> Any:
    return make(server, dimension_lists=LISTS)


def test_a_value_of_a_listed_dimension_becomes_an_item_of_its_list(listed: Any) -> None:
    target = listed.connection.target(CostCenter)
    assert target.stages == ("costCenters", "lists/ACC_LIST_3", "lists/ACC_LIST_12")
    made = target.render(CostCenter(key="PR2", code="PR2", name="Press", dimension=2, active=False), listed.codes)
    ((stage, (item,)),) = made.entities.items()
    assert (made.target_id, stage) == ("PR2", "lists/ACC_LIST_3")
    assert item == {
        "externalCode": listed.context.outward("cost_center", "PR2"),
        "text_1": "PR2",
        "text_2": "Press",
        "companies": [{"companyCode": "1000", "active": False}],
    }
    touched = target.render(CostCenter(key="PR2", code="PR2", name="Press", dimension=2), listed.codes, "replayed 1")
    assert touched.entities[stage][0]["text_5"] == "replayed 1"


@pytest.mark.parametrize("dimension", [None, 1, 3])
def test_others_stay_cost_centres(listed: Any, dimension: int | None) -> None:
    record = CostCenter(key="C1", code="C1", name="Sales", dimension=dimension)
    assert list(listed.connection.target(CostCenter).render(record, listed.codes).entities) == ["costCenters"]


@pytest.mark.parametrize(("name", "width"), [("ACC_LIST_10", 250), ("ACC_LIST_11", 50), ("ACC_LIST_35", 250)])
def test_a_code_too_long_for_a_list_is_refused_and_a_name_is_cut(make: Any, server: Any, name: str, width: int) -> None:
    bench = make(server, dimension_lists={"2": name})
    render = bench.connection.target(CostCenter).render
    with pytest.raises(Rejected, match=f"columns hold {width}"):
        render(CostCenter(key="x", code="x" * (width + 1), name="n", dimension=2), bench.codes)
    made = render(CostCenter(key="x", code="x", name="n" * 300, dimension=2), bench.codes)
    assert len(made.entities[f"lists/{name}"][0]["text_2"]) == width


def order(**line: Any) -> PurchaseOrder:
    plain: dict[str, Any] = {"key": "0", "number": "0", "quantity": Decimal(1), "net": Decimal(5), **line}
    return PurchaseOrder(key="1", number="1", supplier="V1", currency="EUR", lines=(OrderLine(**plain),))


def coding(bench: Any, **line: Any) -> dict[str, Any]:
    made = bench.connection.target(PurchaseOrder).render(order(**line), bench.codes)
    found = made.entities["lines"][0].get("orderLineCoding") or [{}]
    return {k: v for k, v in found[0].items() if k == "costCenterCode" or k.startswith("dim")}


def test_the_coding_of_an_order_names_listed_dimensions_in_their_fields(listed: Any, bench: Any) -> None:
    both = {"cost_center": "CC1", "dimensions": (("1", "CC1"), ("2", "PR2"), ("4", "X"))}
    assert coding(listed, **both) == {"costCenterCode": "CC1!", "dimCode3": "PR2!"}
    assert coding(listed, cost_center="PR2", dimensions=(("2", "PR2"),)) == {"dimCode3": "PR2!"}
    assert coding(bench, **both) == {"costCenterCode": "CC1!"}


def test_the_rows_of_an_invoice_bring_listed_dimensions_along(listed: Any, bench: Any, server: Any) -> None:
    row = {
        "externalCode": "r1",
        "netTotal": 5,
        "accountCode": "1",
        "costCenterCode": "CC1",
        "dimCode3": "PR2",
        "dimCode1": "other",
    }
    document = {
        "invoiceId": "d1",
        "processingStatus": "WaitingForTransfer",
        "companyCode": "1000",
        "supplierCode": "V1",
        "currencyCode": "EUR",
        "grossSum": 5,
        "invoiceNumber": "R1",
        "codingRows": [row],
    }
    server.answer = lambda _: httpx.Response(200, json=[document])
    (read,) = listed.connection.source(Invoice).fetch("d1").record.rows
    assert (read.cost_center, read.dimensions) == ("CC1", (("2", "PR2"),))
    (plain,) = bench.connection.source(Invoice).fetch("d1").record.rows
    assert plain.dimensions == ()


def test_the_scopes_of_lists_are_asked_for_where_values_go_there(make: Any, server: Any) -> None:
    flows = ("sap_b1-basware/cost_centers",)
    assert {"lists.read", "lists.write"} <= set(make(server, flows, dimension_lists=LISTS).client.scopes())
    assert not {"lists.read", "lists.write"} & set(make(server, flows).client.scopes())
    assert "lists.write" not in make(server, ("invoices",), dimension_lists=LISTS).client.scopes()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dimension_lists": {"2": "ACC_LIST_36"}}, "ACC_LIST_1 to ACC_LIST_35"),
        ({"dimension_lists": {"2": "INV_LIST_1"}}, "no accounting list"),
        ({"dimension_lists": {"2": "ACC_LIST_1", "3": "ACC_LIST_1"}}, "one list to two dimensions"),
    ],
)
def test_what_cannot_work_is_refused_when_the_secret_is_read(
    make: Any, server: Any, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        make(server, **fields)
