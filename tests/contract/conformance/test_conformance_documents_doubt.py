"""Where the outcome is unknown a look tells, and nothing is posted twice or called refused."""

from __future__ import annotations

import httpx
import pytest

from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Transient
from tests.contract.conformance.cases import DOCUMENT_TARGETS, Case, each
from tests.contract.conformance.posting import check, finish, prepare
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, HTML, Damage, acted, breaks, broken_off, instead, page, truncated

AFTER: dict[str, Damage] = {
    "reset": acted(breaks(httpx.ReadError)),
    "hang": acted(breaks(httpx.ReadTimeout)),
    "truncated": truncated,
    "broken off": broken_off,
    "500": acted(instead(500)),
    "500 html": acted(page(500)),
    "502": acted(page(502)),
    "503": acted(page(503)),
    "504": acted(page(504)),
    "408": acted(page(408)),
    "html with 200": acted(page(200)),
    "nothing with 200": acted(instead(200)),
    "null with 200": acted(instead(200, "null")),
    "a text with 200": acted(instead(200, '"ok"')),
    "an empty object": acted(instead(200, "{}")),
    "204": acted(instead(204)),
    "202": acted(instead(202)),
    "201 html": acted(instead(201, HTML, "text/html")),
}
TAKEN = frozenset(AFTER) - {"reset", "hang", "500", "500 html", "502", "503", "504", "408", "html with 200"}
"""What says that it was taken, and loses what it became: nobody sends that again by itself."""
BEFORE: dict[str, Damage] = {
    "reset": breaks(httpx.ReadError),
    "hang": breaks(httpx.ReadTimeout),
    "write": breaks(httpx.WriteError),
    "500": instead(500),
    "502": page(502),
    "503": page(503),
    "504": page(504),
    "429": instead(429),
    "429 later": instead(429, Retry_After="60"),
    "html with 200": page(200),
    "refused": breaks(httpx.ConnectError),
    "404 html": page(404),
    "403 html": page(403),
    "redirect": instead(302, location="https://elsewhere.invalid/x"),
    "400 html": page(400),
    "422 html": page(422),
}


@each(DOCUMENT_TARGETS)
@pytest.mark.parametrize("fault", list(AFTER))
def test_what_the_server_did_before_the_answer_was_lost_is_found(stand: Stand, case: Case, fault: str) -> None:
    """The outcome is unknown, and a look tells: nothing is posted twice, nothing is called refused."""
    target, prepared = prepare(stand, case)
    stand.wire.spoil(AFTER[fault], stand.posts)
    try:
        found = target.send(prepared)
    except OutcomeUnknown as error:
        assert len(str(error)) > 30
        assert target.refuses_duplicates or prepared.unique or error.taken == (fault in TAKEN)
    else:
        assert finish(stand, target, found).id, "what is not doubted must be there"
    stand.later(60)
    assert stand.booked(case.record) == 1
    (there,) = stand.connect().target(case.record).look(prepared)
    check(case, stand, finish(stand, target, there), prepared)


@each(DOCUMENT_TARGETS)
@pytest.mark.parametrize("fault", list(BEFORE))
def test_what_never_reached_the_server_is_not_found_and_may_be_sent_again(stand: Stand, case: Case, fault: str) -> None:
    target, prepared = prepare(stand, case)
    rule = stand.wire.spoil(BEFORE[fault], stand.posts, times=ALWAYS)
    with pytest.raises((OutcomeUnknown, Transient, Misconfigured, LoginRefused)) as caught:
        target.send(prepared)
    assert not isinstance(caught.value, LoginRefused) or fault == "403 html"
    if fault in {"reset", "hang", "write", "500", "502", "503", "504", "html with 200"}:
        assert isinstance(caught.value, OutcomeUnknown), "nobody can know that it did not arrive"
        assert rule.hits == 1, "what may have arrived is not sent again by itself"
    stand.wire.rules.clear()
    stand.later(60)
    assert stand.booked(case.record) == 0 and target.look(prepared) == []
    check(case, stand, finish(stand, target, target.send(prepared)), prepared)
    assert stand.booked(case.record) == 1


@each(DOCUMENT_TARGETS)
@pytest.mark.parametrize("fault", ["500", "reset", "html with 200"])
def test_a_look_that_fails_is_no_look_that_finds_nothing(stand: Stand, case: Case, fault: str) -> None:
    target, prepared = prepare(stand, case)
    finish(stand, target, target.send(prepared))
    stand.wire.spoil(BEFORE[fault], stand.reads, times=ALWAYS)
    with pytest.raises(Transient):
        target.look(prepared)
