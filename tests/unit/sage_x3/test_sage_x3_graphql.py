"""Sage X3 by GraphQL: what is asked in its own words, and what its answers are in X3's codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom
from ml_connector.errors import Misconfigured, Rejected, Transient
from ml_connector.redact import Redactor
from ml_connector.systems.http import Http
from ml_connector.systems.sage_x3.dialects import Graph, translated
from ml_connector.systems.sage_x3.entities import ACCOUNT, JOURNAL, PURCHASE_ORDER, SUPPLIER
from ml_connector.systems.sage_x3.faults import NotPublished
from tests.clock import Clock

ORDERS = PURCHASE_ORDER.as_configured({})


def reader(server: Callable[[str], Any]) -> tuple[Graph, list[str]]:
    """Read from a server that makes the body of an answer of each query; a text is the name of an unknown field."""
    asked: list[str] = []

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["query"])
        body = server(asked[-1])
        if isinstance(body, str):
            return httpx.Response(400, json={"errors": [{"message": f'Cannot query field "{body}" on type "X".'}]})
        return httpx.Response(200, json=body)

    http = Http(
        base_url="https://x3.example",
        vendor="Sage X3",
        clock=Clock(datetime(2026, 2, 10, tzinfo=UTC)),
        rng=SeededRandom(1),
        redactor=Redactor([]),
        timeout=30,
        transport=httpx.MockTransport(answered),
    )
    return Graph(http, "/xtrem/api", {"x-xtrem-endpoint": "SEED"}), asked


def listing(package: str, node: str, *rows: dict[str, Any]) -> dict[str, Any]:
    found = {"edges": [{"node": row} for row in rows], "pageInfo": {"hasNextPage": False, "endCursor": ""}}
    return {"data": {package: {node: {"query": found}}}}


def test_references_are_asked_for_by_id_and_days_and_lists_in_their_words() -> None:
    graph, asked = reader(lambda _: listing("x3Purchasing", "purchaseOrder"))
    where: Any = [
        ("BPSNUM", "eq", "FR053"),
        ("ORDDAT", "ge", date(2026, 1, 2)),
        ("CLEFLG", "eq", 1),
        ("POHNUM", "in", ["A"]),
    ]
    list(graph.pages(ORDERS, where, None, "POHNUM"))
    said = json.dumps(
        "[{orderFromSupplier:{_id:'FR053'}},{orderDate:{_gte:'2026-01-02'}},{isClosed:'no'},{id:{_in:['A']}}]"
    )
    assert f"filter: {said}" in asked[0] and 'orderBy: "{id:1}"' in asked[0]


def test_a_value_with_both_kinds_of_quotes_is_refused_and_never_sent() -> None:
    graph, asked = reader(lambda _: listing("x3Purchasing", "purchaseOrder"))
    with pytest.raises(Rejected, match="both kinds of quotes"):
        list(graph.pages(ORDERS, [("POHNUM", "eq", "'\"")], None))
    assert not asked


def test_a_record_that_was_not_asked_for_is_no_answer() -> None:
    graph, _ = reader(lambda _: listing("x3MasterData", "supplier", {"_id": "B", "code": {"code": "B"}}))
    with pytest.raises(Transient, match="not asked for"):
        graph.one(SUPPLIER, "A")


@pytest.mark.parametrize(
    ("found", "first"),
    [([], None), ([], "Z"), (["Z"], "Z")],
    ids=["nothing is shown", "nothing is found by its key", "another one is"],
)
def test_a_record_counts_as_gone_only_where_another_one_is_found(found: list[str], first: str | None) -> None:
    """A user who lost a right sees empty lists under 200, and what was posted would be posted again."""

    def server(query: str) -> dict[str, Any]:
        shown = ([first] if first else []) if "filter" not in query else [] if "'A'" in query else found
        return listing("x3MasterData", "supplier", *({"_id": key, "code": {"code": key}} for key in shown))

    graph, _ = reader(server)
    if found:
        assert graph.one(SUPPLIER, "A") is None
    else:
        with pytest.raises(Transient, match="does not show supplier A, nor any other one"):
            graph.one(SUPPLIER, "A")


def test_a_record_with_an_error_beside_it_costs_only_itself() -> None:
    """Under 200 a field that the user may not see is null, and looks like none."""
    body = listing("x3MasterData", "supplier", *({"_id": key, "code": {"code": key}} for key in "AB"))
    path = ["x3MasterData", "supplier", "query", "edges", 0, "node", "currency"]
    graph, _ = reader(lambda _: {**body, "errors": [{"message": "no right to see it", "path": path}]})
    (batch,) = graph.pages(SUPPLIER, [], None)
    assert [row["BPSNUM"] for row in batch.rows] == ["B"]
    assert batch.spoiled[0].key == "A" and "no right to see it" in batch.spoiled[0].reason


def test_orders_of_a_schema_without_their_lines_are_an_error_and_not_orders_of_nothing() -> None:
    unknown = ("purchaseOrderLines", "purchaseOrderQuantityLines")

    def schema(query: str) -> Any:
        return next(
            (one for one in unknown if one in query), listing("x3Purchasing", "purchaseOrder", {"_id": "P", "id": "P"})
        )

    with pytest.raises(Misconfigured, match="lines cannot be read"):
        list(reader(schema)[0].pages(ORDERS, [], None))


def test_the_older_name_of_packages_is_tried_and_a_node_of_neither_is_said() -> None:
    def older(query: str) -> Any:
        return "x3MasterData" if " x3MasterData" in query else listing("xtremX3MasterData", "supplier")

    graph, asked = reader(older)
    list(graph.pages(SUPPLIER, [], None))
    list(graph.pages(SUPPLIER, [], None))
    assert [("xtremX3MasterData" in one) for one in asked] == [False, True, True]
    with pytest.raises(NotPublished, match="has no"):
        list(reader(lambda _: "supplier")[0].pages(SUPPLIER, [], None))


def test_nothing_is_created_where_the_schema_has_no_operation_for_it() -> None:
    graph, asked = reader(lambda _: {"data": {"__schema": {"mutationType": None}}})
    with pytest.raises(Misconfigured, match="'write_via'"):
        graph.create(JOURNAL, {"TYP": "PIINV"})
    assert not [one for one in asked if one.startswith("mutation")]


def test_words_of_lists_become_numbers_and_unknown_ones_stay() -> None:
    assert translated(SUPPLIER, {"ENAFLG": "no"}) == {"ENAFLG": 1}
    assert translated(SUPPLIER, {"ENAFLG": True}) == {"ENAFLG": 2}
    assert translated(SUPPLIER, {"ENAFLG": "perhaps"}) == {"ENAFLG": "perhaps"}
    assert translated(ORDERS, {"PORDERP": [{"LINCLEFLG": "yes"}]}) == {"PORDERP": [{"LINCLEFLG": 2}]}


def test_debit_and_credit_become_an_amount_and_a_sign() -> None:
    for debit, credit, amount, sign in (("12.50", "0", "12.50", 1), ("0", "7", "7", -1)):
        told = translated(JOURNAL, {"DEBCUR": debit, "CDTCUR": credit})
        assert (told["AMTCUR"], told["SNS"]) == (Decimal(amount), sign)


def test_a_composite_key_is_asked_for_by_its_parts() -> None:
    row = {"_id": "FRA|4", "chartOfAccounts": {"code": "FRA"}, "code": "4"}
    graph, asked = reader(lambda _: listing("x3FinanceData", "account", row))
    assert graph.one(ACCOUNT, "FRA~4") is not None
    assert "[{chartOfAccounts:{_id:'FRA'}},{code:{_in:['4']}}]" in asked[0]
