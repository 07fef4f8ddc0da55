"""Credentials are tried once, sessions renewed once, and neither is told to anybody else."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ml_connector import http_log
from ml_connector.errors import ConnectorError, LoginRefused, Transient
from tests.contract.conformance import faults
from tests.contract.conformance.cases import ALL, SOURCES, Case, each, every_system
from tests.contract.conformance.doing import use
from tests.contract.conformance.reading import keys, naming
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, ELSEWHERE, echo, echo_values, instead, session_in


def _first(system: str, cases: tuple[Case, ...] = ALL) -> Case:
    return next(case for case in cases if case.system == system)


def _logins(stand: Stand) -> int:
    asked = (httpx.Request(one.method, one.url, content=one.body) for one in stand.wire.seen)
    return sum(map(stand.is_login, asked))


@each(ALL)
def test_a_wrong_password_is_tried_once_by_everybody_together(stand: Stand, case: Case) -> None:
    """ERPs lock users: not another flow, not another process, not a later hour tries it again."""
    for _ in range(3):
        with pytest.raises(LoginRefused) as caught:
            use(stand, stand.connect(**stand.wrong), case)
        assert len(str(caught.value)) > 30
        stand.later(3600)
    assert stand.refused_logins() == 1
    assert len(stand.wire.seen) == 1


@every_system
def test_a_password_that_was_mended_is_tried_at_once(stand: Stand, system: str) -> None:
    case = _first(system)
    with pytest.raises(LoginRefused):
        use(stand, stand.connect(**stand.wrong), case)
    use(stand, stand.connect(tenant="acme-mended"), case)
    assert stand.refused_logins() == 1


@each(ALL)
def test_one_login_serves_every_process(stand: Stand, case: Case) -> None:
    for _ in range(3):
        use(stand, stand.connect(), case)
    assert _logins(stand) == 1


@each(ALL)
def test_a_session_that_ended_is_renewed_once(stand: Stand, case: Case) -> None:
    connection = stand.connect()
    use(stand, connection, case)
    stand.expire()
    use(stand, connection, case)
    assert _logins(stand) == 2 and stand.refused_logins() == 0
    use(stand, stand.connect(), case)
    assert _logins(stand) == 2, "another process takes the new one"


@each(SOURCES)
def test_a_session_that_ends_between_two_pages_costs_no_record(stand: Stand, case: Case) -> None:
    stand.size = 12
    connection = stand.connect()
    source, read = connection.source(case.record), []
    pages = source.pages(None, None) if case.manner == "master" else source.list_documents(None, None)
    for page in pages:
        read += [one.key for one in (page.records if case.manner == "master" else page.documents)]
        stand.wire.rules.clear()
        stand.expire()
    assert set(read) == stand.keys(case.record)


@each(ALL)
def test_a_session_that_stays_refused_is_not_renewed_over_and_over(stand: Stand, case: Case) -> None:
    connection = stand.connect()
    use(stand, connection, case)
    stand.wire.spoil(instead(401), lambda request: not stand.is_login(request), times=ALWAYS)
    with pytest.raises(ConnectorError) as caught:
        use(stand, connection, case)
    assert isinstance(caught.value, (LoginRefused, Transient))
    assert _logins(stand) <= 1 + 2, "at most one renewal for a call, and one for what it looks up"


@every_system
def test_after_a_refused_login_nothing_leaves_any_more(stand: Stand, system: str) -> None:
    """Neither with the session of before, which may look good, nor from another process."""
    case, connection = _first(system), stand.connect()
    use(stand, connection, case)
    stand.change_password()
    stand.expire()
    with pytest.raises(LoginRefused):
        use(stand, connection, case)
    seen = len(stand.wire.seen)
    for worker in (connection, stand.connect()):
        with pytest.raises(LoginRefused):
            use(stand, worker, case)
    assert len(stand.wire.seen) == seen and stand.refused_logins() == 1


@every_system
def test_a_dead_session_that_could_not_be_replaced_is_used_by_nobody(stand: Stand, system: str) -> None:
    case, connection = _first(system), stand.connect()
    use(stand, connection, case)
    stand.expire()
    rule = stand.wire.spoil(instead(503), stand.is_login, times=ALWAYS)
    with pytest.raises(Transient):
        use(stand, connection, case)
    stand.wire.rules.remove(rule)
    for worker in (connection, stand.connect()):
        seen = len(stand.wire.seen)
        use(stand, worker, case)
        first = stand.wire.seen[seen]
        assert stand.is_login(httpx.Request(first.method, first.url)) == (worker is connection)
    assert stand.refused_logins() == 0


@every_system
def test_trouble_at_the_login_is_passing_trouble(stand: Stand, system: str) -> None:
    """An outage must not look like a wrong password: after that nobody logs in any more."""
    case = _first(system, SOURCES)
    for number, (fault, damage) in enumerate(faults.WHOLE.items()):
        with naming(fault):
            stand.later(7200)  # a server that counts a user's sessions has dropped those of before
            before, tenant = _logins(stand), f"acme-{number}"
            stand.wire.spoil(damage, stand.is_login, times=ALWAYS)
            with pytest.raises(ConnectorError) as caught:
                keys(stand.connect(tenant=tenant), case)
            assert not isinstance(caught.value, LoginRefused)
            assert _logins(stand) - before <= 8
            stand.wire.rules.clear()
            assert set(keys(stand.connect(tenant=tenant), case)) == stand.keys(case.record)


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────


@each(ALL)
@pytest.mark.parametrize("where", ["everywhere", "after the login"])
def test_what_a_server_echoes_of_our_secrets_stands_in_no_message(stand: Stand, case: Case, where: str) -> None:
    """A server's own words go into errors, and errors into reports, tickets and logs."""
    for status in (200, 302, 400, 401, 403, 404, 409, 422, 500, 503):
        stand.wire.rules.clear()
        stand.later(7200)  # a server that counts a user's sessions has dropped those of before
        connection = stand.connect(tenant=f"acme-{status}")
        if where == "after the login":
            use(stand, connection, case)
            stand.wire.spoil(echo(status), lambda request: not stand.is_login(request), times=ALWAYS)
        else:
            stand.wire.spoil(echo(status), lambda _: True, times=ALWAYS)
        with http_log.recording() as exchanges:
            said = list(_told(stand, connection, case))
        said.append(json.dumps(http_log.as_rows(exchanges)))
        said.append(repr(connection) + repr(stand.settings()) + str(stand.settings()))
        for secret in stand.secrets():
            for text in said:
                assert secret not in text, f"{status}: {secret[:3]}… stands in: {text[:600]}"


@each(ALL)
def test_what_a_server_says_back_of_our_sessions_stands_nowhere(stand: Stand, case: Case) -> None:
    """Tokens, sessions and pairs are made at run time: no secret has them, and nothing names them in an answer."""
    for status in (302, 400, 401, 403, 404, 422, 500, 503):
        stand.wire.rules.clear()
        stand.later(7200)
        connection = stand.connect(tenant=f"acme-{status}")
        use(stand, connection, case)
        connection = stand.connect(tenant=f"acme-{status}")  # another worker, who takes the session over
        heard: set[str] = set()
        stand.wire.spoil(echo_values(status, heard), lambda request: not stand.is_login(request), times=ALWAYS)
        with http_log.recording() as exchanges:
            said = list(_told(stand, connection, case))
        said.append(json.dumps(http_log.as_rows(exchanges)))
        assert heard, "nothing was sent that could be said back"
        for secret in heard:
            coded = base64.b64encode(secret.encode()).decode()
            for text in said:
                for spelt in (secret, quote(secret, ""), json.dumps(secret)[1:-1], coded):
                    assert spelt not in text, f"{status}: {spelt[:3]}… stands in: {text[:600]}"


def _told(stand: Stand, connection: Any, case: Case) -> Iterator[str]:
    try:
        use(stand, connection, case)
    except ConnectorError as error:
        yield "".join(traceback.format_exception(error))
        yield repr(error)
    yield from (f"{check.what} {check.detail}" for check in connection.ping())


@each(ALL)
def test_credentials_go_to_no_other_host(stand: Stand, case: Case) -> None:
    for skip in range(3):
        stand.wire.rules.clear()
        connection = stand.connect(tenant=f"acme-{skip}")
        stand.wire.spoil(faults.REDIRECT, lambda _: True, skip=skip, times=ALWAYS)
        with pytest.raises(ConnectorError):
            for _ in range(4):
                use(stand, connection, case)
    secrets = stand.secrets()
    for one in stand.wire.strangers:
        assert one.url.host == ELSEWHERE
        assert "authorization" not in one.headers and "cookie" not in one.headers and one.body == b""
        assert not [secret for secret in secrets if secret in f"{one.url} {one.headers}"]


@each(ALL)
def test_every_request_says_what_it_brings_and_what_it_takes(stand: Stand, case: Case) -> None:
    use(stand, stand.connect(), case)
    assert stand.wire.seen
    for one in stand.wire.seen:
        assert "application/json" in one.headers.get("accept", ""), f"{one.method} {one.url.path}"
        assert one.headers.get("user-agent", "").startswith("ml-connector/")
        kind = one.headers.get("content-type", "")
        if one.body and "json" in kind:
            json.loads(one.body)
        elif one.body:
            assert kind == "application/x-www-form-urlencoded" and b"=" in one.body
        assert len(str(one.url)) < 8000
        if stand.addressed and (one.url.path.lower().endswith("/logon") or session_in(one.url)):
            assert "no-store" in one.headers.get("cache-control", ""), "nobody on the way may keep such an address"
            continue
        assert "password" not in str(one.url).lower()
        assert not [secret for secret in stand.secrets() if secret in str(one.url)]


@every_system
def test_two_tenants_of_one_process_share_nothing(stand: Stand, system: str) -> None:
    case = _first(system)
    for tenant in ("acme", "other"):
        use(stand, stand.connect(tenant=tenant), case)
    assert _logins(stand) == 2
