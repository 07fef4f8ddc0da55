"""GraphQL by declared fields: relay pages, schemas that name things differently, parts that are missing, mutations."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom
from ml_connector.errors import Misconfigured, OutcomeUnknown, Transient
from ml_connector.redact import Redactor
from ml_connector.systems.http import Http
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.graphql import Fields, Learnt, NotInSchema, Relay, filtered, literal
from ml_connector.systems.kit.graphql_calls import GraphCalls
from ml_connector.systems.kit.sdata import fault_in
from tests.clock import Clock

START = datetime(2026, 2, 10, tzinfo=UTC)
NODE = "x3Things.thing"
LINES = Fields({"LIN": "lineNumber"})
FIELDS = Fields({"KEY": "id", "CUR": "currency.code|currency._id"}, {"ROWS": ("lines|thingLines", LINES)})


def listing(*rows: Any, following: str | None = None) -> dict[str, Any]:
    info = {"hasNextPage": following is not None, "endCursor": following or ""}
    return {"query": {"edges": [{"node": row} for row in rows], "pageInfo": info}}


def answer(*rows: Any, following: str | None = None, **more: Any) -> dict[str, Any]:
    return {"data": {"x3Things": {"thing": listing(*rows, following=following)}}, **more}


def thing(key: str, *lines: int, following: str | None = None) -> dict[str, Any]:
    rows = listing(*({"_id": f"l{n}", "lineNumber": n} for n in lines), following=following)
    return {"_id": key, "id": key, "currency": {"code": "EUR"}, "lines": rows}


class Server:
    """Answers in order, the last for ever; an exception is raised. Remembers what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def __call__(self, query: str) -> Any:
        self.asked.append(query)
        one = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(one, Exception):
            raise one
        return one(query) if callable(one) else one


def relay(*answers: Any, learnt: Learnt | None = None) -> tuple[Relay, Server]:
    server = Server(*answers)
    return Relay(server, "Sage X3", learnt or Learnt()), server


# ── questions ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("FR053", "'FR053'"),
        ("O'Neill", '"O\'Neill"'),
        ("a\\b", "'a\\\\b'"),
        (2, "2"),
        (True, "true"),
        (["A", "B"], "['A','B']"),
    ],
)
def test_a_value_is_written_in_relaxed_json(value: Any, said: str) -> None:
    assert literal(value) == said


def test_a_text_cannot_leave_its_quotes() -> None:
    with pytest.raises(ValueError, match="both kinds of quotes"):
        literal("'\"}{")
    assert filtered("a._id", "_in", ["x'}"]) == '{a:{_id:{_in:["x\'}"]}}}'
    assert filtered("id", "", "X") == "{id:'X'}"


def test_a_query_has_the_declared_fields_the_first_rows_and_where_it_goes_on() -> None:
    some, server = relay(answer())
    some.page(NODE, FIELDS, 25, after='c"1', filter="{id:'X'}")
    (query,) = server.asked
    assert query.startswith('{ x3Things { thing { query(first: 25, after: "c\\"1", filter: "{id:\'X\'}") {')
    for part in ("_id", "id", "currency { code }", "lines { query(first: 500)", "pageInfo { endCursor hasNextPage }"):
        assert part in query


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_gives_values_by_our_names_and_its_cursor() -> None:
    some, _ = relay(answer(thing("A", 1, 2), following="next"))
    page = some.page(NODE, FIELDS, 25)
    assert page.rows[0].values == {"KEY": "A", "CUR": "EUR", "ROWS": [{"LIN": 1}, {"LIN": 2}]}
    assert (page.rows[0].trouble, page.cursor) == (None, "next")


@pytest.mark.parametrize(
    "page",
    [
        {"data": {"x3Things": {"thing": {"query": {"edges": []}}}}},
        {
            "data": {
                "x3Things": {"thing": {"query": {"edges": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}}}
            }
        },
        answer(thing("A"), following=""),
        answer(thing("A"), following="same"),
        {"data": {"x3Things": {"thing": None}}, "errors": [{"message": "no"}]},
        {"data": None},
        answer(thing("A"), errors=[{"message": "something is missing somewhere"}]),
    ],
)
def test_a_page_that_leads_nowhere_or_is_not_whole_is_an_error_and_no_end(page: dict[str, Any]) -> None:
    with pytest.raises(Transient):
        relay(page)[0].page(NODE, FIELDS, 25, after="same")


def test_an_error_beside_the_data_spoils_the_records_that_it_is_about() -> None:
    path = ["x3Things", "thing", "query", "edges", 1, "node", "currency"]
    page = answer(thing("A"), thing("B") | {"currency": None}, errors=[{"message": "no right", "path": path}])
    rows = relay(page)[0].page(NODE, FIELDS, 25).rows
    assert [one.trouble for one in rows] == [None, "no right"]


def test_an_error_about_each_record_is_one_sentence() -> None:
    errors = [{"message": "no right", "path": ["x3Things", "thing", "query", "edges", n, "node"]} for n in range(2)]
    with pytest.raises(Transient, match="no right"):
        relay(answer(thing("A"), thing("B"), errors=errors))[0].page(NODE, FIELDS, 25)


# ── lines below a record ────────────────────────────────────────────────────────────────────────────────────────


def read(*lines: int, following: str | None = None) -> dict[str, Any]:
    return {"data": {"x3Things": {"thing": {"read": {"lines": thing("A", *lines, following=following)["lines"]}}}}}


def test_more_lines_than_one_answer_has_are_read_to_the_end() -> None:
    some, server = relay(answer(thing("A", 1, following="c1")), read(2, following="c2"), read(3))
    assert some.page(NODE, FIELDS, 25).rows[0].values["ROWS"] == [{"LIN": 1}, {"LIN": 2}, {"LIN": 3}]
    assert 'read(_id: "A") { lines { query(first: 500, after: "c1")' in server.asked[1]


@pytest.mark.parametrize(
    "more",
    [read(2, following="c1"), {"data": None}, read(2) | {"errors": [{"message": "no"}]}, {"data": {"x3Things": {}}}],
)
def test_lines_that_cannot_be_read_to_the_end_are_said_and_never_left_out(more: dict[str, Any]) -> None:
    row = relay(answer(thing("A", 1, following="c1")), more)[0].page(NODE, FIELDS, 25).rows[0]
    assert row.trouble and "ROWS" not in row.values


@pytest.mark.parametrize(
    "lines", [None, {"query": None}, {"query": {"edges": []}}, {"query": {"edges": [{"node": None}]}}]
)
def test_lines_that_are_missing_are_not_taken_for_none(lines: Any) -> None:
    page = answer(thing("A") | {"lines": lines}, thing("B", 1))
    assert [bool(one.trouble) for one in relay(page)[0].page(NODE, FIELDS, 25).rows] == [True, False]


# ── what the schema has ─────────────────────────────────────────────────────────────────────────────────────────


def strict(*unknown: str) -> Callable[[str], Any]:
    """A schema that does not know some texts of a query."""

    def judged(query: str) -> Any:
        if bad := [one for one in unknown if one in query]:
            names = [one.split()[-1] for one in bad]
            raise NotInSchema(f"Cannot query {names}", names)
        row = {"_id": "A", "id": "A", "currency": {"_id": "EUR"}}
        return answer(row | {"thingLines": thing("A", 1)["lines"]})

    return judged


def test_what_a_schema_calls_otherwise_is_learnt_once() -> None:
    kept: dict[str, int] = {}
    some, server = relay(strict("currency { code", " lines"), learnt=Learnt(kept))
    values = some.page(NODE, FIELDS, 25).rows[0].values
    assert values == {"KEY": "A", "CUR": "EUR", "ROWS": [{"LIN": 1}]}
    again, later = relay(strict("currency { code", " lines"), learnt=Learnt(kept))
    again.page(NODE, FIELDS, 25)
    assert len(server.asked) > 1 and len(later.asked) == 1


def test_a_field_without_an_alternative_is_left_out() -> None:
    def schema(query: str) -> Any:
        if "secret" in query:
            raise NotInSchema("Cannot query field", ["secret"])
        return answer({"_id": "A", "id": "A"})

    fields = Fields({"KEY": "id", "X": "secret.code|secret"})
    assert relay(schema)[0].page(NODE, fields, 25).rows[0].values == {"KEY": "A"}


def test_of_several_fields_with_a_name_only_the_unknown_ones_are_left_out() -> None:
    def schema(query: str) -> Any:
        if "b { code }" in query:
            raise NotInSchema("Cannot query field", ["code"])
        return answer({"_id": "A", "a": {"code": "1"}})

    fields = Fields({"A": "a.code", "B": "b.code"})
    assert relay(schema)[0].page(NODE, fields, 25).rows[0].values == {"A": "1"}


def test_a_node_that_is_not_there_is_said() -> None:
    with pytest.raises(NotInSchema):
        relay(NotInSchema("Cannot query field", ["thing"]))[0].page(NODE, FIELDS, 25)


def test_the_type_of_a_mutation_is_found_by_asking_the_schema() -> None:
    def fields(*some: dict[str, Any], key: str = "__type") -> dict[str, Any]:
        return {"data": {key: {"fields": list(some)}}}

    root = {"data": {"__schema": {"mutationType": {"fields": [{"name": "x3Things", "type": {"name": "T"}}]}}}}
    of = {"name": "data", "type": {"name": None, "kind": "NON_NULL", "ofType": {"name": "Thing_Input"}}}
    create = {"name": "create", "type": {"name": "Thing"}, "args": [of]}
    some, _ = relay(root, fields({"name": "thing", "type": {"name": "M"}}), fields(create))
    assert some.create_type(NODE) == "Thing_Input!"
    assert relay(root, fields({"name": "thing", "type": {"name": "M"}}), fields())[0].create_type(NODE) is None
    assert relay(root, fields())[0].create_type(NODE) is None
    assert relay({"data": {"__schema": {"mutationType": None}}})[0].create_type(NODE) is None


# ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────


def calls(*answers: httpx.Response) -> tuple[GraphCalls, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    left = list(answers)

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        one = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(one.status_code, content=one.content, headers=one.headers)

    http = Http(
        base_url="https://x3.example",
        vendor="Sage X3",
        clock=Clock(START),
        rng=SeededRandom(1),
        redactor=Redactor([]),
        timeout=30,
        transport=httpx.MockTransport(server),
    )
    return GraphCalls(http, "/xtrem/api", {"x-xtrem-endpoint": "SEED"}, fault_in, lambda fault: not fault.worded), asked


def told(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body)


def test_a_field_that_the_schema_does_not_know_is_told_by_name() -> None:
    said = 'Cannot query field "x3XXXX" on type "Query".'
    with pytest.raises(NotInSchema) as caught:
        calls(told(400, {"errors": [{"message": said}], "extensions": {}}))[0].ask("{ x }")
    assert caught.value.names == ["x3XXXX"]


@pytest.mark.parametrize(
    "one",
    [
        httpx.Response(404, text="no"),
        httpx.Response(200, text="<html>"),
        told(500, {"errors": [{"message": "x"}]}),
        told(200, {}),
    ],
)
def test_an_answer_of_anybody_is_asked_for_again(one: httpx.Response) -> None:
    some, asked = calls(one)
    with pytest.raises(Transient):
        some.ask("{ x }")
    assert asked[0].headers["x-xtrem-endpoint"] == "SEED"


def test_a_question_that_is_refused_is_not_asked_again() -> None:
    some, asked = calls(told(400, {"errors": [{"message": "Syntax Error"}]}))
    with pytest.raises(Misconfigured):
        some.ask("{ x }")
    assert len(asked) == 1


PATH = ["x3Things", "thing", "create"]
REFUSED = {"data": {"x3Things": {"thing": {"create": None}}}, "errors": [{"message": "closed", "path": PATH}]}


@pytest.mark.parametrize("one", [told(200, REFUSED), told(400, {"errors": [{"message": "closed"}]})])
def test_a_refusal_of_the_operation_itself_is_one(one: httpx.Response) -> None:
    some, asked = calls(one)
    fault = some.mutate(NODE, "create", "Thing_Input!", {"id": "A"})
    assert isinstance(fault, Fault) and fault.text == "closed" and len(asked) == 1
    sent = json.loads(asked[0].content)
    assert sent["variables"] == {"data": {"id": "A"}} and "mutation ($data: Thing_Input!)" in sent["query"]


def test_what_was_created_is_given() -> None:
    made = {"data": {"x3Things": {"thing": {"create": {"_id": "A"}}}}, "extensions": {"diagnoses": []}}
    assert calls(told(200, made))[0].mutate(NODE, "create", "T", {}) == {"_id": "A"}


@pytest.mark.parametrize(
    "one",
    [
        told(200, {"data": {"x3Things": None}, "errors": [{"message": "x", "path": [*PATH, "_id"]}]}),
        told(
            200, {"data": {"x3Things": {"thing": {"create": {"_id": "A"}}}}, "errors": [{"message": "x", "path": PATH}]}
        ),
        told(200, {"data": {"x3Things": None}}),
        told(200, {"data": {"x3Things": None}, "errors": [{"message": "no path"}]}),
        told(500, {"errors": [{"message": "x"}]}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, text='{"data": {"x3Th'),
        httpx.Response(502, text="Bad gateway"),
    ],
)
def test_a_mutation_in_doubt_is_unknown_and_sent_once(one: httpx.Response) -> None:
    some, asked = calls(one)
    with pytest.raises(OutcomeUnknown):
        some.mutate(NODE, "create", "T", {})
    assert len(asked) == 1
