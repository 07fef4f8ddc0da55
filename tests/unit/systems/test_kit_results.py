"""Answers in envelopes that nobody documents, and the gateway's faults among them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ml_connector.systems.http import Reply
from ml_connector.systems.kit import wso2
from ml_connector.systems.kit.named_fields import NamedFields
from ml_connector.systems.kit.overlay import laid_over, path_faults
from ml_connector.systems.kit.results import fields_blamed, results_in, sentences, succeeded

NOW = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)


def reply(body: Any, **headers: str) -> Reply:
    return Reply(429, httpx.Headers(headers), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("result", "taken"),
    [
        ({"success": True}, True),
        ({"successful": "True"}, True),
        ({"successful": "false", "id": "1"}, False),
        ({"errors": ["x"]}, False),
        ({"errors": []}, None),
        ({"success": "perhaps"}, None),
        ({}, None),
    ],
)
def test_only_its_result_tells_whether_an_item_was_taken(result: dict[str, Any], taken: bool | None) -> None:
    assert succeeded(result) is taken


@pytest.mark.parametrize("body", [{"Results": [{"Id": 1}]}, {"results": {"id": 1}}])
def test_one_object_in_place_of_a_list(body: Any) -> None:
    assert results_in(body) == [{"id": 1}]


def test_other_answers_have_no_results() -> None:
    assert results_in({"id": 1}) is None and results_in([1]) is None and results_in({"results": None}) == []


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "Sorry"}]},
        {"Errors": {"Message": "Sorry"}},
        {"exception": {"reason": "R", "detail": "Sorry"}},
        {"fault": {"message": "Sorry"}},
        {"error": "Sorry"},
    ],
)
def test_sentences_of_any_form(body: Any) -> None:
    assert "Sorry" in list(sentences(body))


def test_a_hostile_depth_ends() -> None:
    deep: Any = {"message": "deepest"}
    for _ in range(500):
        deep = {"errors": [deep]}
    assert list(sentences(deep)) == [] and list(fields_blamed(deep)) == []
    assert list(sentences({"errors": None})) == []


def test_a_field_is_blamed_without_its_path() -> None:
    assert list(fields_blamed({"errors": [{"field": "lines[0].glCode"}, {"property": "amount"}]})) == [
        "glcode",
        "amount",
    ]


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({}, {"Retry-After": "7"}, 7),
        ({"fault": {"nextAccessTime": "2026-Feb-10 09:31:00+0000 UTC"}}, {}, 60),
        ({"nextAccessTime": "2026-02-10T09:29:00+0000"}, {}, 0),
        ({"nextAccessTime": "2027-Feb-10 09:31:00+0000 UTC"}, {}, wso2.LONGEST),
        ({"nextAccessTime": "soon"}, {}, None),
    ],
)
def test_how_long_the_gateway_wants_to_be_left_alone(body: Any, headers: dict[str, str], seconds: float | None) -> None:
    assert wso2.pause_asked(reply(body, **headers), NOW) == seconds


def test_the_gateways_codes_are_told_from_the_servers() -> None:
    assert wso2.code_in({"fault": {"code": 900901}}) == "900901"
    assert wso2.code_in({"code": "404", "type": "Status report", "message": "Not Found"}) == "404"
    assert wso2.code_in({"code": "NOT_FOUND", "message": "Payment 1"}) == ""


def test_names_lead_into_objects_and_lists_in_any_case() -> None:
    fields = NamedFields({"p.state": "Status.Description", "p.own": "Ids.Value", "p.none": None, "p.flag": "On"})
    row = {"status": {"description": " Cleared "}, "IDS": [{"value": 7}, {"value": 8}], "on": True}
    assert [fields.text(row, f"p.{name}") for name in ("state", "own", "none", "flag")] == [
        " Cleared ",
        "7",
        None,
        None,
    ]
    assert fields.body("p", {"state": "x", "none": 1, "own": None}) == {"Status": {"Description": "x"}}
    assert fields.text({"Ids": [{"Value": "none"}]}, "p.own") is None


def test_entries_are_laid_over_one_by_one() -> None:
    built_in = {"first": {"paths": {"a.b": "GET /x", "a.c": None}, "size": 1, "more": {"k": 1}}}
    made = laid_over({"paths": {"a": {"c": "GET /y"}}, "more": {"l": 2}}, built_in, {"paths": ("a.b", "a.c")})
    assert made == {"paths": {"a.b": "GET /x", "a.c": "GET /y"}, "size": 1, "more": {"k": 1, "l": 2}}
    assert built_in["first"]["paths"]["a.c"] is None


@pytest.mark.parametrize(
    ("path", "said"), [("POST /x/{id}", "reads"), ("GET /x/{name}", "{name}"), ("GET /x", "does not name {id}")]
)
def test_a_path_that_cannot_work_is_named(path: str, said: str) -> None:
    assert any(said in one for one in path_faults("'p'", path, write=False, known=("id",), needed="id"))
    assert not list(path_faults("'p'", "GET /x/{id}", write=False, known=("id",), needed="id"))
