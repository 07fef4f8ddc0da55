"""Only the vendor's own words mean that something is not there; whatever stands in between says nothing."""

from __future__ import annotations

from functools import partial

import httpx
import pytest

from ml_connector.errors import Misconfigured, NotUnderstood, OutcomeUnknown, Transient
from ml_connector.records import Invoice
from tests.contract.conformance.cases import (
    ALL,
    BULK_TARGETS,
    DOCUMENT_SOURCES,
    DOCUMENT_TARGETS,
    MASTER_SOURCES,
    SOURCES,
    Case,
    each,
    every_system,
    of,
)
from tests.contract.conformance.delivering import confirm, deliver, samples
from tests.contract.conformance.doing import use
from tests.contract.conformance.posting import finish, prepare
from tests.contract.conformance.reading import keys, leaves, naming, reread, stubbornly
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, Damage, Go, instead, page

STRANGERS: dict[str, Damage] = {
    "text": instead(404, "404 page not found", "text/plain"),
    "html": page(404),
    "nothing": instead(404),
    "nothing, gone": instead(410),
    "text, gone": instead(410, "Gone", "text/plain"),
    "json": instead(404, '{"message": "no Route matched with those values"}'),
    "json text": instead(404, '"Not Found"'),
    "json null": instead(404, "null"),
    "json error": instead(404, '{"error": "Not Found"}'),
    "json like odata": instead(404, '{"error": {"code": 404, "message": "The requested URL was not found"}}'),
    "json like odata in words": instead(404, '{"error": {"code": "NotFound", "message": "no healthy upstream"}}'),
    "json in status 405": instead(405, '{"detail": "Method Not Allowed"}'),
    "problem": instead(404, '{"title": "Not Found", "status": 404, "traceId": "0"}', "application/problem+json"),
    "another vendor": instead(404, '{"error": {"code": -2099, "message": {"lang": "en-us", "value": "no"}}}'),
    "204": instead(204),
    "html with 200": page(200),
    "an empty list of nobody": instead(200, '{"items": [], "total": 0}'),
}
"""What a gateway, a proxy or a load balancer may say. None of it is in a vendor's own words."""


def _reads(stand: Stand, request: httpx.Request) -> bool:
    return stand.reads(request)


@each(SOURCES)
def test_a_stranger_ends_no_list(stand: Stand, case: Case) -> None:
    stand.size = 12
    for name, damage in STRANGERS.items():
        with naming(name):
            stand.wire.rules.clear()
            connection = stand.connect()
            next(leaves(connection, case))
            stand.wire.spoil(damage, partial(stand.asks, case.record), skip=1, times=ALWAYS)
            with pytest.raises((Transient, Misconfigured)) as caught:
                keys(connection, case)
            assert isinstance(caught.value, Transient) and len(str(caught.value)) > 40


@each(SOURCES)
def test_a_stranger_costs_no_record(stand: Stand, case: Case) -> None:
    """Once in the middle: whoever reads on has everything."""
    stand.size = 12
    for name, damage in STRANGERS.items():
        with naming(name):
            stand.wire.rules.clear()
            stand.wire.spoil(damage, lambda r: _reads(stand, r) and stand.asks(case.record, r), skip=1)
            assert set(stubbornly(stand, case)) == stand.keys(case.record)


@each(MASTER_SOURCES)
def test_a_stranger_takes_no_record_for_gone_when_it_is_read_again(stand: Stand, case: Case) -> None:
    for name, damage in STRANGERS.items():
        with naming(name):
            stand.wire.rules.clear()
            connection, wanted = stand.connect(), sorted(stand.keys(case.record))[:9]
            reread(connection, case, wanted)
            stand.wire.spoil(damage, partial(stand.asks, case.record), times=ALWAYS)
            with pytest.raises(Transient):
                reread(connection, case, wanted)


@each(DOCUMENT_SOURCES)
def test_a_stranger_takes_no_document_for_gone(stand: Stand, case: Case) -> None:
    for name, damage in STRANGERS.items():
        with naming(name):
            stand.wire.rules.clear()
            connection, key = stand.connect(), min(stand.keys(case.record))
            assert connection.source(case.record).fetch(key).record is not None
            stand.wire.spoil(damage, lambda r: _reads(stand, r), times=ALWAYS)
            with pytest.raises(Transient):
                connection.source(case.record).fetch(key)


@each(DOCUMENT_TARGETS)
def test_a_stranger_answers_no_look_before_a_posting(stand: Stand, case: Case) -> None:
    target, prepared = prepare(stand, case)
    finish(stand, target, target.send(prepared))
    for name, damage in STRANGERS.items():
        for skip in range(4 if name not in stand.like_its_own else 0):
            with naming(f"{name}, in place {skip}"):
                stand.wire.rules.clear()
                stand.later(900)
                rule = stand.wire.spoil(damage, lambda r: _reads(stand, r), skip=skip, times=ALWAYS)
                try:
                    found = target.look(prepared)
                except Transient:
                    continue
                assert found and not rule.hits, "it was not found, on a stranger's word"


@each(DOCUMENT_TARGETS)
def test_a_stranger_refuses_no_document(stand: Stand, case: Case) -> None:
    for number, (name, damage) in enumerate(STRANGERS.items()):
        with naming(name):
            stand.wire.rules.clear()
            target, prepared = prepare(stand, case, f"k{number}")
            stand.wire.spoil(damage, stand.posts, times=ALWAYS)
            try:
                target.send(prepared)
            except (OutcomeUnknown, Transient, Misconfigured, NotUnderstood):  # held in words that nobody knows
                continue
            assert name == "204", "nothing was taken"


@each(BULK_TARGETS)
def test_a_stranger_is_no_proof_that_there_is_nothing_to_deactivate(stand: Stand, case: Case) -> None:
    one, *_ = samples(case, 1)
    deliver(stand, case, [one])
    for name, damage in STRANGERS.items():
        with naming(name):
            stand.wire.rules.clear()
            target = stand.connect().target(case.record)
            _known(stand, case, target, one)
            stand.wire.spoil(damage, lambda r: not stand.is_login(r), times=ALWAYS)
            with pytest.raises((Transient, Misconfigured)):
                sent = target.deactivate([one.key])
                assert sent.refused == {}
                confirm(stand, lambda target=target, sent=sent: target.deactivated([one.key], sent.tokens))  # type: ignore[misc]
    assert all(stand.kept(case.record).values())


def _known(stand: Stand, case: Case, target: object, one: object) -> None:
    """Let the connection have spoken with the server once."""
    rendered = target.render(one, stand.codes)  # type: ignore[attr-defined]
    for stage in target.stages:  # type: ignore[attr-defined]
        target.read_back(stage, [rendered])  # type: ignore[attr-defined]


@every_system
def test_ping_takes_no_stranger_for_a_good_answer(stand: Stand, system: str) -> None:
    for name, damage in STRANGERS.items():
        if name in stand.like_its_own:
            continue
        with naming(name):
            stand.wire.rules.clear()
            seen = len(stand.wire.seen)
            list(stand.connect(tenant=f"acme {name}").ping())
            asked = len(stand.wire.seen) - seen
            stand.wire.spoil(damage, lambda r: _reads(stand, r), skip=asked // 2, times=ALWAYS)
            checks = list(stand.connect(tenant=f"beta {name}").ping())
            assert [check for check in checks if not check.ok]


@every_system
def test_a_stranger_in_place_of_the_login_is_waited_out(stand: Stand, system: str) -> None:
    """Once: the run goes on. For ever: it is a wrong address, and said so."""
    case = next(one for one in ALL if one.system == system)
    for name in ("text", "html", "nothing", "json", "text, gone"):
        with naming(name):
            stand.wire.rules.clear()
            stand.wire.spoil(STRANGERS[name], stand.is_login)
            use(stand, stand.connect(tenant=f"acme {name}"), case)
            stand.wire.spoil(STRANGERS[name], stand.is_login, times=ALWAYS)
            with pytest.raises(Misconfigured, match=r"address|[a-z_]+_url"):
                use(stand, stand.connect(tenant=f"beta {name}"), case)


@each(of("source", "document", [Invoice]))
@pytest.mark.parametrize("several", [1, 2])
def test_pages_that_come_again_and_again_end_the_list(stand: Stand, case: Case, several: int) -> None:
    """Each with a continuation of its own, as a confused cache gives them; empty ones as well."""
    stand.size = 5
    for rows in (True, False):
        count = [0]

        def again(_: httpx.Request, __: Go, count: list[int] = count, rows: bool = rows) -> httpx.Response:
            count[0] += 1
            row = {"invoiceId": f"page {count[0] % several}", "processingStatus": "WaitingForTransfer"}
            headers = {"x-amz-meta-continuationtoken": f"t{count[0]}"}
            return httpx.Response(200, headers=headers, json={"accountingDocuments": [row] if rows else []})

        stand.wire.rules.clear()
        rule = stand.wire.spoil(again, partial(stand.asks, case.record), times=ALWAYS)
        with pytest.raises(Transient):
            keys(stand.connect(), case)
        assert rule.hits < 80
