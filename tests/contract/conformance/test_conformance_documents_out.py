"""Documents are offered, fetched, taken and answered; a repeat of any of these does nothing more."""

from __future__ import annotations

from functools import partial

import httpx
import pytest

from ml_connector.errors import ConnectorError, Rejected, Transient
from ml_connector.flow import Answer, Verdict
from tests.contract.conformance.cases import ANSWERING_SOURCES, DOCUMENT_SOURCES, Case, each
from tests.contract.conformance.reading import amount_of, leaves
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, Damage, acted, breaks, broken_off, instead, page, truncated

GOOD = Answer("transferred.0", True, "Posted.", "17", "46")
BAD = Answer("refused.0", False, "The account is closed. " * 40)


def good_key(stand: Stand, case: Case) -> str:
    source = stand.connect().source(case.record)
    for key in sorted(stand.keys(case.record)):
        try:
            source.fetch(key)
        except Rejected:
            continue
        return key
    raise AssertionError("every document is refused")


@each(DOCUMENT_SOURCES)
def test_what_is_offered_can_be_fetched_and_says_the_same(stand: Stand, case: Case) -> None:
    source, read = stand.connect().source(case.record), 0
    for offer in (one for leaf in leaves(stand.connect(), case) for one in leaf.items):
        try:
            document = source.fetch(offer.key)
        except Rejected as error:
            assert len(str(error)) > 30
            continue
        read += 1
        assert document.standing == "offered" and document.record.key == offer.key
        assert document.stamp == offer.stamp or (stand.as_made and offer.stamp is None)
        assert offer.amount in {None, amount_of(document.record)} and offer.currency in {None, document.record.currency}
    assert read > len(stand.keys(case.record)) / 2


@each(DOCUMENT_SOURCES)
def test_fetching_changes_nothing(stand: Stand, case: Case) -> None:
    source, key = stand.connect().source(case.record), good_key(stand, case)
    assert source.fetch(key) == source.fetch(key)
    assert key in {k for leaf in leaves(stand.connect(), case) for k in leaf.keys}


@each(DOCUMENT_SOURCES)
def test_a_document_that_is_gone_says_so(stand: Stand, case: Case) -> None:
    key = good_key(stand, case)
    stand.remove(case.record, key)
    found = stand.connect().source(case.record).fetch(key)
    assert (found.record, found.standing) == (None, "gone") and found.detail
    assert stand.as_made or key not in {k for leaf in leaves(stand.connect(), case) for k in leaf.keys}


@each(DOCUMENT_SOURCES)
@pytest.mark.parametrize(
    "key", ["no-such", "a/../b", "x?y=1#z", "999999~18~1~1", "O'Brien", "ö ß", "%2e%2e", "~", "x" * 200]
)
def test_a_key_that_nobody_gave_is_gone_or_refused(stand: Stand, case: Case, key: str) -> None:
    try:
        found = stand.connect().source(case.record).fetch(key)
    except Rejected as error:
        assert key in str(error)
    else:
        assert (found.record, found.standing) == (None, "gone")


@each(DOCUMENT_SOURCES)
def test_a_change_shows_in_the_stamp(stand: Stand, case: Case) -> None:
    key = good_key(stand, case)
    before = stand.connect().source(case.record).fetch(key).stamp
    stand.later(1)
    stand.touch(case.record, key)
    assert stand.connect().source(case.record).fetch(key).stamp != before
    (offer,) = [one for leaf in leaves(stand.connect(), case) for one in leaf.items if one.key == key]
    assert offer.stamp != before


@each(ANSWERING_SOURCES)
def test_taking_twice_is_no_error(stand: Stand, case: Case) -> None:
    source, key = stand.connect().source(case.record), good_key(stand, case)
    for process in (source, source, stand.connect().source(case.record)):
        process.acknowledge(key)
    assert source.fetch(key).standing == "acknowledged" and list(source.taken()) == [key]
    assert stand.as_made or key not in {k for leaf in leaves(stand.connect(), case) for k in leaf.keys}


@each(ANSWERING_SOURCES)
def test_a_document_that_went_away_cannot_be_taken(stand: Stand, case: Case) -> None:
    source, key = stand.connect().source(case.record), good_key(stand, case)
    stand.remove(case.record, key)
    with pytest.raises(Transient):
        source.acknowledge(key)
    with pytest.raises(Rejected, match=key):
        source.answer(key, GOOD)


@each(ANSWERING_SOURCES)
@pytest.mark.parametrize("answer", [GOOD, BAD], ids=["posted", "refused"])
def test_an_answer_is_given_once_however_often_it_is_said(stand: Stand, case: Case, answer: Answer) -> None:
    source, key = stand.connect().source(case.record), good_key(stand, case)
    source.acknowledge(key)
    token = source.answer(key, answer)
    stand.connect().source(case.record).answer(key, answer)
    verdict = said(stand, case, key, token, answer)
    assert verdict.outcome == "delivered"
    stand.connect().source(case.record).answer(key, answer)
    stand.later(60)
    assert stand.answers(case.record, key) == 1
    assert source.fetch(key).standing == ("transferred" if answer.success else "refused")
    assert list(source.taken()) == []
    assert said(stand, case, key, None, answer).outcome == "delivered", "also for who has lost the token"


def said(stand: Stand, case: Case, key: str, token: str | None, answer: Answer) -> Verdict:
    for _ in range(5):
        verdict = stand.connect().source(case.record).answered(key, token, answer)
        if verdict is not None:
            assert isinstance(verdict, Verdict)
            return verdict
        stand.later(60)
    raise AssertionError("no verdict came")


WAYS: dict[str, Damage] = {
    "reset before": breaks(httpx.ReadError),
    "reset after": acted(breaks(httpx.ReadError)),
    "truncated": truncated,
    "broken off": broken_off,
    "hang after": acted(breaks(httpx.ReadTimeout)),
    "500 after": acted(instead(500)),
    "502 after": acted(page(502)),
    "502 before": page(502),
    "html before": page(200),
    "html after": acted(page(200)),
    "429": instead(429),
    "refused": breaks(httpx.ConnectError),
    "204 after": acted(instead(204)),
    "null after": acted(instead(200, "null")),
    "400 html": page(400),
    "404 html": page(404),
}


@each(ANSWERING_SOURCES)
@pytest.mark.parametrize("way", list(WAYS))
def test_an_answer_in_doubt_arrives_and_only_once(stand: Stand, case: Case, way: str) -> None:
    source, key = stand.connect().source(case.record), good_key(stand, case)
    source.acknowledge(key)
    rule = stand.wire.spoil(WAYS[way], _is_answer(stand))
    token = None
    for _ in range(4):
        try:
            token = source.answer(key, GOOD)
        except Transient:
            stand.later(60)
        else:
            break
    assert said(stand, case, key, token, GOOD).outcome == "delivered"
    assert rule.hits == 1 and stand.answers(case.record, key) == 1


@each(ANSWERING_SOURCES)
@pytest.mark.parametrize("way", list(WAYS))
def test_taking_in_doubt_may_be_done_again(stand: Stand, case: Case, way: str) -> None:
    source, key = stand.connect().source(case.record), good_key(stand, case)
    stand.wire.spoil(WAYS[way], lambda request: request.method == "POST" and not stand.is_login(request), times=3)
    for _ in range(4):
        try:
            source.acknowledge(key)
        except Transient:
            stand.later(60)
    stand.wire.rules.clear()
    source.acknowledge(key)
    assert source.fetch(key).standing == "acknowledged"


@each(ANSWERING_SOURCES)
@pytest.mark.parametrize("fault", ["500", "html", "null", "envelope", "an empty object", "reset"])
def test_trouble_in_asking_confirms_nothing(stand: Stand, case: Case, fault: str) -> None:
    """`answered` must not call an answer delivered that nobody has seen."""
    damages = {
        "500": instead(500),
        "html": page(200),
        "null": instead(200, "null"),
        "reset": breaks(httpx.ReadError),
        "envelope": instead(200, stand.envelope),
        "an empty object": instead(200, "{}"),
    }
    source, key = stand.connect().source(case.record), good_key(stand, case)
    source.acknowledge(key)
    token = source.answer(key, GOOD)
    stand.wire.spoil(damages[fault], partial(stand.asks, case.record), times=ALWAYS)
    try:
        verdict = source.answered(key, token, GOOD)
    except ConnectorError as error:
        assert isinstance(error, Transient)
    else:
        assert verdict is None


def _is_answer(stand: Stand):  # type: ignore[no-untyped-def]
    return lambda request: request.method == "POST" and bool(request.content) and not stand.is_login(request)
