"""A connection is asked whether it works, is closed, and keeps to what it may do at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from infra.sandbox.server import serving
from ml_connector.errors import LoginRefused, Unreachable
from tests.contract.conformance.cases import ALL, SOURCES, Case, every_system
from tests.contract.conformance.doing import use
from tests.contract.conformance.reading import leaves
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, breaks, instead


def _cases(system: str, cases: tuple[Case, ...] = ALL) -> list[Case]:
    return [case for case in cases if case.system == system]


def _asked(stand: Stand, since: int = 0) -> list[str]:
    """Which sets were read, without keys: their addresses up to the first parenthesis or two names deep."""
    seen = [one for one in stand.wire.seen[since:] if not stand.is_login(httpx.Request(one.method, one.url))]
    return [one.url.path.partition("(")[0] for one in seen]


# ── ping ────────────────────────────────────────────────────────────────────────────────────────────────────────


@every_system
def test_ping_says_that_a_good_connection_works(stand: Stand, system: str) -> None:
    checks = list(stand.connect().ping())
    assert [check for check in checks if not check.ok] == []
    assert "login" in [check.what for check in checks]
    assert all(check.what and check.detail for check in checks)
    assert len({check.what for check in checks}) == len(checks)


@every_system
def test_ping_reads_of_every_kind_that_is_used(stand: Stand, system: str) -> None:
    """A right that is missing is told by ping, and not by the first run."""
    for number, case in enumerate(_cases(system)):
        before = len(stand.wire.seen)
        use(stand, stand.connect(), case)
        path = _asked(stand, before)[0]
        given_back = stand.forbid(path)
        checks = list(stand.connect(tenant=f"acme-{number}").ping())
        assert [check for check in checks if not check.ok], f"{case} begins at {path}, which ping does not try"
        given_back()


@every_system
def test_ping_with_a_wrong_password_tries_it_once_and_says_what_to_do(stand: Stand, system: str) -> None:
    checks = list(stand.connect(**stand.wrong).ping())
    assert (checks[-1].what, checks[-1].ok) == ("login", False)
    assert len(checks[-1].detail) > 40 and stand.refused_logins() == 1


@pytest.mark.parametrize("worked", [True, False], ids=["worked before", "new"])
@every_system
def test_ping_tries_the_password_and_not_yesterdays_session(stand: Stand, system: str, worked: bool) -> None:
    """And what it finds out closes the door for the workers too: nobody tries that password again."""
    case = _cases(system)[0]
    if worked:
        use(stand, stand.connect(), case)
    stand.change_password()
    checks = list(stand.connect().ping())
    assert (checks[-1].what, checks[-1].ok) == ("login", False)
    stand.expire()
    with pytest.raises(LoginRefused):
        use(stand, stand.connect(), case)
    assert stand.refused_logins() == 1


@every_system
def test_ping_of_a_server_that_is_away_ends_at_the_login(stand: Stand, system: str) -> None:
    stand.wire.spoil(breaks(httpx.ConnectError), lambda _: True, times=ALWAYS)
    checks = list(stand.connect().ping())
    assert (checks[-1].what, checks[-1].ok) == ("login", False)
    assert "cannot be reached" in checks[-1].detail


@every_system
def test_ping_goes_on_after_a_check_that_failed(stand: Stand, system: str) -> None:
    whole = [check.what for check in stand.connect().ping()]
    stand.wire.spoil(instead(403), lambda request: not stand.is_login(request), times=ALWAYS)
    checks = list(stand.connect().ping())
    assert [check.what for check in checks] == whole
    assert sum(not check.ok for check in checks) >= 2


@every_system
def test_ping_leaves_nothing_open_and_nothing_changed(stand: Stand, system: str) -> None:
    open_before = stand.open_sessions()
    for _ in range(3):
        connection = stand.connect()
        list(connection.ping())
        connection.close()
    assert stand.open_sessions() == open_before
    for case in _cases(system, SOURCES):
        assert {key for leaf in leaves(stand.connect(), case) for key in leaf.keys} == stand.keys(case.record)


# ── closing ─────────────────────────────────────────────────────────────────────────────────────────────────────


@every_system
def test_closing_twice_is_harmless_used_or_not(stand: Stand, system: str) -> None:
    unused, used = stand.connect(), stand.connect()
    use(stand, used, _cases(system)[0])
    for connection in (unused, used):
        connection.close()
        connection.close()


@every_system
def test_closing_one_leaves_the_others_at_work(stand: Stand, system: str) -> None:
    one, other = stand.connect(), stand.connect()
    case = _cases(system)[0]
    use(stand, one, case)
    use(stand, other, case)
    seen = len([r for r in stand.wire.seen if stand.is_login(httpx.Request(r.method, r.url))])
    one.close()
    use(stand, other, case)
    assert len([r for r in stand.wire.seen if stand.is_login(httpx.Request(r.method, r.url))]) == seen


# ── how much at once ────────────────────────────────────────────────────────────────────────────────────────────


class _Counting:
    """A server in front of the server: counts what is in its hands at the same time, and takes a moment for each."""

    def __init__(self, app: Any) -> None:
        self.app, self.now, self.most, self._lock = app, 0, 0, threading.Lock()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            time.sleep(0.005)
            return self.app(environ, start_response)
        finally:
            with self._lock:
                self.now -= 1


@contextmanager
def _served(stand: Stand) -> Iterator[tuple[_Counting, dict[str, str]]]:
    """Serve the world on a port of this machine; gives the counter and the secret's addresses that lead there."""
    counting = _Counting(stand.app)
    with serving(counting) as address:
        yield (
            counting,
            {
                name: address + urlsplit(value).path
                for name, value in stand.secret.items()
                if isinstance(value, str) and value.startswith("http")
            },
        )


@every_system
@pytest.mark.parametrize("most", [1, 3])
def test_no_more_requests_are_under_way_than_the_secret_allows(stand: Stand, system: str, most: int) -> None:
    with _served(stand) as (counting, addresses):
        connection = stand.connect(transport=False, max_concurrency=most, timeout_seconds=10, **addresses)
        cases = _cases(system) * 2
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda case: use(stand, connection, case), cases))
        connection.close()
    assert counting.most <= most
    assert most == 1 or counting.most > 1, "they do work side by side"


@every_system
def test_a_session_that_ends_under_way_blocks_nobody(stand: Stand, system: str) -> None:
    """With one connection only, a renewal must not wait for the very request that needs it."""
    with _served(stand) as (_, addresses):
        connection = stand.connect(transport=False, max_concurrency=1, timeout_seconds=3, **addresses)
        case = _cases(system)[0]
        use(stand, connection, case)
        stand.expire()
        try:
            use(stand, connection, case)
        except Unreachable as error:
            raise AssertionError("the renewal waited for a connection that the refused request still held") from error
        finally:
            connection.close()
