"""Three ways to log in to Sage X3, each tried once where it is refused, and each refusal in words that help."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ml_connector.context import AdapterContext
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.calls import on_day
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.systems.kit.signed_tokens import claims_of, minted
from ml_connector.systems.sage_x3.connection import Connection
from ml_connector.systems.sage_x3.login import WHY
from tests.clock import Clock
from tests.unit.sage_x3.test_sage_x3_settings import BASIC, GATEWAY, PAIRED, SIGNED, read

EMPTY: dict[str, Any] = {"$resources": [], "$links": {}}


class Desk:
    """An X3 server that answers as a test says; `seen` has what it was sent."""

    def __init__(self, **fields: Any) -> None:
        self.clock, self.seen = Clock(datetime(2026, 2, 10, tzinfo=UTC)), list[httpx.Request]()
        self.answers = [httpx.Response(200, json=EMPTY)]
        self.store = store = SqliteStore(clock=self.clock)
        breaker = Breaker(store, self.clock, tenant="acme", system="sage_x3", version="1", boot="b", sole=True)
        sessions = Sessions(store, MemoryVault(), self.clock, breaker, name="acme#sage_x3#s", version="1", boot="b")
        self.connection = Connection(
            read(**fields),
            AdapterContext(
                tenant="acme",
                integration="sage_x3-basware",
                clock=self.clock,
                rng=SeededRandom(1),
                sessions=sessions,
                transport=httpx.MockTransport(self.answer),
            ),
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return httpx.Response(told.status_code, headers=told.headers, content=told.content)

    def read(self) -> Any:
        return self.connection.http.get("/api1/x3/erp/SEED/PORDER?representation=PORDER.$query").json()


def test_basic_is_proven_once_and_sent_with_every_call() -> None:
    desk = Desk()
    desk.answers = [httpx.Response(200, headers={"set-cookie": "client.sid=s1; path=/"}, json=EMPTY)]
    desk.read()
    desk.read()
    assert [request.url.path.rpartition("/")[2] for request in desk.seen] == ["BPSUPPLIER", "PORDER", "PORDER"]
    assert {request.headers["authorization"].partition(" ")[0] for request in desk.seen} == {"Basic"}
    assert all("cookie" not in request.headers for request in desk.seen), "api1 is stateless"


def test_the_proof_reads_the_class_that_the_secret_names() -> None:
    desk = Desk(classes={"supplier": {"class": "ZSUPP", "representation": "ZREP"}})
    desk.read()
    assert desk.seen[0].url.path.endswith("/ZSUPP") and desk.seen[0].url.params["representation"] == "ZREP.$query"


def test_a_wrong_password_is_tried_once() -> None:
    desk = Desk()
    desk.answers = [httpx.Response(401, text="no")]
    for _ in range(3):
        with pytest.raises(LoginRefused, match=r"refused user 'MLCONN' at https://x3.example:8124: 401, no"):
            desk.read()
    assert len(desk.seen) == 1


@pytest.mark.parametrize(
    "said",
    [
        httpx.Response(500, json={"$diagnoses": [{"$severity": "error", "$message": "Representation not found"}]}),
        httpx.Response(404, json={"$diagnoses": [{"$severity": "error", "$message": "no such class"}]}),
        httpx.Response(403, text="forbidden"),
    ],
)
def test_what_x3_says_of_a_class_proves_the_login_as_well(said: httpx.Response) -> None:
    desk = Desk()
    desk.answers = [said, httpx.Response(200, json=EMPTY)]
    assert desk.read() == EMPTY


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404, text="<html>nginx</html>"), Misconfigured),
        (httpx.Response(200, text="<html>sign in</html>"), Misconfigured),
        (httpx.Response(302, headers={"location": "/auth/login"}), Misconfigured),
        (httpx.Response(503, text=""), Transient),
    ],
)
def test_somebody_elses_answer_proves_and_refuses_nothing(answer: httpx.Response, error: type[Exception]) -> None:
    desk = Desk()
    desk.answers = [answer]
    with pytest.raises(error) as raised:
        desk.read()
    assert not isinstance(raised.value, LoginRefused)


def test_a_connected_application_signs_its_own_token_and_asks_nobody_for_it() -> None:
    desk = Desk(auth=SIGNED, api="graphql")
    desk.answers = [httpx.Response(200, json={"data": {"__typename": "RootQueryType"}})]
    desk.connection.login.ready()
    (proof,) = desk.seen
    claims = claims_of(proof.headers["authorization"].removeprefix("Bearer "))
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("app", "MLCONN", SIGNED["audience"])
    assert claims["exp"] - claims["iat"] == 300 and claims["iat"] == int(desk.clock.now().timestamp()) - 30
    assert proof.url.path == "/xtrem/api" and proof.headers["x-xtrem-endpoint"] == "SEED"


@pytest.mark.parametrize("number", WHY)
def test_a_refused_token_is_explained_by_its_number(number: str) -> None:
    desk = Desk(auth=SIGNED, api="graphql")
    desk.answers = [httpx.Response(401, text=f"Error {number}: Invalid token")]
    with pytest.raises(LoginRefused) as refused:
        desk.connection.login.ready()
    assert WHY[number] in str(refused.value) and f"Error {number}" in str(refused.value)


def test_a_gateway_is_logged_in_to_with_json_at_its_token_address() -> None:
    desk = Desk(**GATEWAY)
    access = minted({"iat": 0, "exp": 300, "scopes": "api.graphQL"}, "k")
    desk.answers = [
        httpx.Response(200, json={"access_token": access, "refresh_token": "next-token"}),
        httpx.Response(200, json={"data": {}}),
    ]
    desk.connection.http.get("/service/SEED/api")
    token, call = desk.seen
    assert str(token.url) == PAIRED["token_url"] and json.loads(token.content)["refresh_token"] == "refresh-secret"
    assert str(call.url) == "https://api.eu-sagex3.com/v1/service/SEED/api"
    assert call.headers["authorization"] == f"Bearer {access}" and "authorization" not in token.headers


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(403, json={"message": "The request has expired."}), "Repeat the pairing"),
        (httpx.Response(403, json={"message": "The pairing request has not been accepted."}), "Repeat the pairing"),
        (
            httpx.Response(403, json={"message": "The application registered on Sage Business Cloud is disabled"}),
            "Check 'client_id'",
        ),
        (
            httpx.Response(404, json={"message": "Could not associate the values with an active application"}),
            "Check 'client_id'",
        ),
    ],
)
def test_a_refused_refresh_says_whether_to_pair_again(answer: httpx.Response, said: str) -> None:
    desk = Desk(**GATEWAY)
    desk.answers = [answer]
    for _ in range(2):
        with pytest.raises(LoginRefused, match=said):
            desk.connection.login.ready()
    assert len(desk.seen) == 1


def test_the_secret_of_another_type_is_never_sent() -> None:
    desk = Desk(auth=BASIC, api="graphql")
    desk.answers = [httpx.Response(200, json={"data": {}})]
    desk.connection.login.ready()
    assert desk.seen[0].headers["authorization"].startswith("Basic ")


def test_each_call_is_counted_also_that_of_a_login() -> None:
    desk = Desk()
    desk.read()
    desk.read()
    desk.connection.close()
    assert on_day(desk.store, "acme", "sage_x3", desk.clock.now()) == 3 == len(desk.seen)
