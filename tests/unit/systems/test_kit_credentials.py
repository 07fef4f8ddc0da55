"""Logins that the kit has ready: credentials are tried once, and nobody's answer is taken for the server's."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import LoginRefused, Misconfigured, Throttled, Transient
from ml_connector.redact import Redactor
from ml_connector.systems.http import Http
from ml_connector.systems.kit.credentials import Basic, ClientCredentials, ScopesRefused
from ml_connector.systems.kit.login import Scheme, SharedLogin
from tests.clock import Clock

LIST = {"value": []}
OK = httpx.Response(200, json=LIST)


class Desk:
    """One server whose login answers in turn, the last answer for ever; all else is answered by `answers`."""

    def __init__(self, logs_in_at: str, scheme: Callable[[Http, Clock], Scheme]) -> None:
        self.at, self.logins, self.calls = logs_in_at, list[httpx.Request](), list[httpx.Request]()
        self.login_answers, self.answers = [OK], [OK]
        self.clock = Clock(datetime(2026, 2, 10, tzinfo=UTC))
        self.http = Http(
            base_url="https://erp.example/odata",
            vendor="Vendor",
            clock=self.clock,
            rng=SeededRandom(1),
            redactor=Redactor(["Secret-1x"]),
            timeout=10,
            transport=httpx.MockTransport(self.answer),
        )
        store = SqliteStore(clock=self.clock)
        self.breaker = Breaker(store, self.clock, tenant="acme", system="vendor", version="1", boot="b", sole=True)
        sessions = Sessions(store, MemoryVault(), self.clock, self.breaker, name="acme", version="1", boot="b")
        self.http.auth = SharedLogin(sessions, scheme(self.http, self.clock))

    def answer(self, request: httpx.Request) -> httpx.Response:
        logs_in = request.url.path == f"/odata{self.at}"
        (self.logins if logs_in else self.calls).append(request)
        left = self.login_answers if logs_in else self.answers
        told = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(told.status_code, headers=told.headers, content=told.content)

    def read(self) -> Any:
        return self.http.get("/Things").json()


def pair(request: httpx.Request) -> str:
    return base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()


# ── Basic ───────────────────────────────────────────────────────────────────────────────────────────────────────


def basic(http: Http, _: Clock) -> Scheme:
    return Basic(http, "reader", "Secret-1x", proof="/Ones?$top=1", setting="'odata_url'", hint="Restart it.")


@pytest.fixture
def desk() -> Desk:
    return Desk("/Ones", basic)


def test_credentials_are_proven_once_by_one_small_call(desk: Desk) -> None:
    assert [desk.read(), desk.read()] == [LIST, LIST]
    assert [dict(request.url.params) for request in desk.logins] == [{"$top": "1"}]
    assert {pair(request) for request in desk.logins + desk.calls} == {"reader:Secret-1x"}


def test_a_wrong_password_is_tried_once_and_closes_the_login(desk: Desk) -> None:
    desk.login_answers = [httpx.Response(401, text="No: Secret-1x")]
    for _ in range(2):
        with pytest.raises(LoginRefused) as refused:
            desk.read()
    assert (len(desk.logins), desk.calls) == (1, [])
    for word in ("Vendor refused user 'reader' at https://erp.example/odata", "user is locked", "Restart it."):
        assert word in str(refused.value)
    assert "Secret-1x" not in str(refused.value)
    with pytest.raises(LoginRefused):
        desk.breaker.check()


def test_a_refusal_of_proven_credentials_is_looked_into_by_one_proof(desk: Desk) -> None:
    desk.answers = [OK, httpx.Response(401), OK]
    assert [desk.read(), desk.read()] == [LIST, LIST]
    assert (len(desk.logins), len(desk.calls)) == (2, 3)


def test_a_user_who_may_not_read_the_proof_is_logged_in(desk: Desk) -> None:
    desk.login_answers = [httpx.Response(403)]
    assert desk.read() == LIST


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="no such site"),
        httpx.Response(302, headers={"location": "/login"}),
        httpx.Response(200, text="<html>Welcome</html>"),
        httpx.Response(200, json=[]),
    ],
    ids=["absent", "moved", "a page", "no object"],
)
def test_what_is_not_the_server_is_asked_again_and_then_told_by_the_setting(desk: Desk, answer: httpx.Response) -> None:
    desk.login_answers = [answer, OK]
    assert desk.read() == LIST, "a gateway that was passing"
    again = Desk("/Ones", basic)
    again.login_answers = [answer]
    with pytest.raises(Misconfigured, match=r"/Ones\?\$top=1 is not there: correct 'odata_url'. What answers is not"):
        again.read()
    assert (len(again.logins), again.calls) == (4, [])
    again.breaker.check()  # no password was refused


def test_a_proof_that_stays_open_proves_nothing(desk: Desk) -> None:
    desk.login_answers = [httpx.Response(503, headers={"retry-after": "60"})]
    with pytest.raises(Throttled):
        desk.read()
    desk.login_answers = [httpx.Response(500)]
    with pytest.raises(Transient):
        desk.read()
    assert (len(desk.logins), desk.calls) == (5, [])


def test_a_vendors_own_judgment_replaces_that_of_the_status() -> None:
    def judged(http: Http, _: Clock) -> Scheme:
        says_no = lambda reply: LoginRefused("No.") if b"bad login" in reply.body else None  # noqa: E731
        refused = lambda response: response.headers.get("x-login") == "no"  # noqa: E731
        return Basic(http, "reader", "Secret-1x", proof="/Ones", judge=says_no, refused=refused)

    desk = Desk("/Ones", judged)
    desk.login_answers = [httpx.Response(500, text="whatever"), httpx.Response(200, text="bad login")]
    desk.answers = [OK, httpx.Response(200, headers={"x-login": "no"}, json=LIST)]
    assert desk.read() == LIST
    with pytest.raises(LoginRefused, match="No"):
        desk.read()
    assert len(desk.logins) == 2


# ── client credentials ──────────────────────────────────────────────────────────────────────────────────────────


def token(value: str = "t1", **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"access_token": value, "token_type": "bearer", "expires_in": 3600, **more})


def client(**options: Any) -> Desk:
    desk = Desk(
        "/token",
        lambda http, clock: ClientCredentials(
            http, clock, "me", "Secret-1x", "/token", setting="'token_url'", **options
        ),
    )
    desk.login_answers = [token()]
    return desk


def form(request: httpx.Request) -> dict[str, list[str]]:
    return parse_qs(request.content.decode())


def test_a_token_is_asked_for_once_and_renewed_before_its_end() -> None:
    desk = client(scopes=lambda: ("a.read", "b.read"))
    desk.login_answers = [token("t1"), token("t2")]
    desk.read(), desk.read()
    desk.clock.moment += timedelta(minutes=59, seconds=1)
    desk.read()
    assert [call.headers["authorization"] for call in desk.calls] == ["Bearer t1", "Bearer t1", "Bearer t2"]
    assert form(desk.logins[0]) == {"grant_type": ["client_credentials"], "scope": ["a.read b.read"]}
    assert pair(desk.logins[0]) == "me:Secret-1x"


def test_the_pair_goes_into_the_form_where_the_vendor_wants_it_there_and_no_scope_unasked() -> None:
    desk = client(in_form=True)
    desk.read()
    assert "authorization" not in desk.logins[0].headers
    assert form(desk.logins[0]) == {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": ["Secret-1x"],
    }


def test_a_refused_token_is_replaced_once() -> None:
    desk = client()
    desk.login_answers, desk.answers = [token("t1"), token("t2")], [httpx.Response(401), OK]
    assert desk.read() == LIST
    assert (len(desk.logins), desk.calls[-1].headers["authorization"], len(desk.calls)) == (2, "Bearer t2", 2)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), LoginRefused, "Check 'client_id' and 'client_secret'"),
        (httpx.Response(400, json={"error": "invalid_scope"}), ScopesRefused, r"the scopes asked for \(a\.read\)"),
        (httpx.Response(401, json={"error": "bad scope"}), LoginRefused, "refused the scopes"),
        (httpx.Response(403, text="closed"), LoginRefused, "with status 403: closed"),
        (httpx.Response(404, text="nothing here"), Misconfigured, "has no /token.*Correct 'token_url'"),
        (httpx.Response(302, headers={"location": "/x"}), Misconfigured, r"has no /token \(status 302\)"),
        (httpx.Response(200, json={"token": "x"}), Transient, "without an access_token"),
        (httpx.Response(200, text="<html>"), Transient, "something else than whole JSON"),
    ],
)
def test_a_login_that_fails_is_explained(answer: httpx.Response, error: type[Exception], words: str) -> None:
    desk = client(scopes=lambda: ("a.read",))
    desk.login_answers = [answer]
    with pytest.raises(error, match=words):
        desk.read()
    if issubclass(error, LoginRefused):
        with pytest.raises(LoginRefused):
            desk.read()
        assert len(desk.logins) == 1
    assert desk.calls == []


def test_the_scopes_of_a_token_are_those_its_answer_names_or_those_asked_for() -> None:
    desk = client()
    scheme = ClientCredentials(desk.http, desk.clock, "me", "Secret-1x", "/token", scopes=lambda: ("a", "b"))
    assert scheme.granted is None
    for answer, granted in ((token(), {"a", "b"}), (token(scope="a"), {"a"}), (token(scope="openid"), {"a", "b"})):
        desk.login_answers = [answer]
        scheme.log_in()
        assert scheme.granted == granted
