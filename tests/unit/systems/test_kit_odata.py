"""Errors in the shape of OData: whose words they are, under any status."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ml_connector.systems.http import Reply
from ml_connector.systems.kit.absence import Unproven
from ml_connector.systems.kit.faults import Fault, own_words
from ml_connector.systems.kit.odata import fault_in


def reply(status: int, body: Any) -> Reply:
    sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Reply(status, httpx.Headers(), sent, clean=lambda text: text.replace("Secret", "***"))


def read(status: int, body: Any) -> Fault | None:
    return fault_in(reply(status, body), Fault, own=lambda code: code != "Gateway", codes={401: "NoLogin"})


@pytest.mark.parametrize("body", [{"value": []}, {"value": [{"error": 1}]}, "", "not JSON"])
def test_a_good_status_is_no_error_unless_its_body_begins_with_one(body: Any) -> None:
    assert read(200, body) is None
    assert read(500, body) is not None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": {"code": -10, "message": {"value": "no"}}}, Fault(400, "-10", "no")),
        (200, {"error": {"code": "X", "message": "no", "details": [{"message": "why"}]}}, Fault(200, "X", "no · why")),
        (400, {"odata.error": {"code": "X", "message": "a Secret"}}, Fault(400, "X", "a ***")),
        (404, {"error": {"code": "404", "message": "none"}}, Fault(404, "404", "none", worded=False)),
        (404, {"error": {"code": "Gateway", "message": "none"}}, Fault(404, "Gateway", "none", worded=False)),
        (401, {"error": {"message": "no"}}, Fault(401, "NoLogin", "no", worded=False)),
        (500, {"error": "a Secret"}, Fault(500, "", "a ***", worded=False)),
        (502, "cut off", Fault(502, "", "cut off", worded=False)),
        (200, "  <html><b>One</b> moment</html>", Fault(200, "", "One moment", worded=False, page=True)),
        (401, "<h1>Who are you?</h1>", Fault(401, "NoLogin", "Who are you?", worded=False, page=True)),
    ],
)
def test_an_error_is_read_with_whose_words_it_is(status: int, body: Any, expected: Fault) -> None:
    assert read(status, body) == expected


@pytest.mark.parametrize(
    ("status", "body", "taken"),
    [
        (200, {"value": []}, True),
        (404, {"error": {"code": "-2028", "message": "No matching records found"}}, True),
        (404, {"error": {"code": "404", "message": "nothing here"}}, False),
        (410, "gone", False),
        (500, "cut off", True),
        (503, "<h1>One moment</h1>", True),
        (200, "<h1>One moment</h1>", False),
    ],
)
def test_absence_and_pages_are_taken_from_the_server_alone(status: int, body: Any, taken: bool) -> None:
    judge = own_words("ERP", "Things", lambda answer: fault_in(answer, Fault))
    if taken:
        judge(reply(status, body))
        return
    with pytest.raises(Unproven, match="Something else than ERP answered for Things"):
        judge(reply(status, body))
