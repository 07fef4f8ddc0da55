"""Refresh tokens that are good once: each is kept before it is used, one worker refreshes, and a lost one is said."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access import chain
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.chain import Pairing
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import Conflict, LoginRefused, Misconfigured, Transient
from ml_connector.ports import Item
from ml_connector.redact import Redactor
from ml_connector.systems.http import Http
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.refresh_tokens import RefreshToken
from ml_connector.systems.kit.signed_tokens import minted
from tests.clock import Clock

FIRST = "first-refresh-token"
PAIRED = Pairing(FIRST)


class Server:
    """A token service whose refresh tokens are good once, and an API that takes the access tokens it gave."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.good, self.used = clock, FIRST, list[str]()
        self.given, self.reads = dict[str, datetime](), list[str]()
        self.camel = self.form = False
        self.lose: str = ""
        self.refuse: httpx.Response | None = None
        self.meanwhile: Callable[[], None] = lambda: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/token":
            return self.token(request)
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.reads.append(token)
        if self.given.get(token, self.clock.now()) <= self.clock.now():
            return httpx.Response(401, json={"message": "Unauthorised"})
        return httpx.Response(200, json={"data": {}})

    def token(self, request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        assert (sent["grant_type"], sent["client_id"], sent["client_secret"]) == ("refresh_token", "app", "Secret-1x")
        self.used.append(sent["refresh_token"])
        self.meanwhile()
        if self.refuse is not None:
            return self.refuse
        if self.lose == "before":
            raise httpx.ReadError("cut before anything was done", request=request)
        if sent["refresh_token"] != self.good:
            return httpx.Response(403, json={"message": "Pairing request not found"})
        now = self.clock.now()
        self.good = f"refresh-{len(self.used)}"
        access = minted({"iat": int(now.timestamp()), "exp": int(now.timestamp()) + 300, "n": len(self.used)}, "k")
        self.given[access] = now + timedelta(seconds=300)
        if self.lose == "after":
            raise httpx.ReadError("cut after it was done", request=request)
        names = ("accessToken", "refreshToken") if self.camel else ("access_token", "refresh_token")
        return httpx.Response(200, json=dict(zip(names, (access, self.good), strict=True)))


class Worker:
    """One process with its own sessions over the store that all share."""

    def __init__(self, bench: Bench, boot: str, scope: str, pairing: Pairing, version: str, tries: int) -> None:
        clock, store = bench.clock, bench.store
        self.breaker = Breaker(store, clock, tenant="acme", system="x3", version=version, boot=boot, sole=False)
        self.sessions = Sessions(
            store, bench.vault, clock, self.breaker, name=f"acme#x3#{scope}", version=version, boot=boot
        )
        self.redactor = Redactor(["Secret-1x", pairing.token])
        self.http = Http(
            base_url="https://gate.example",
            vendor="Vendor",
            clock=clock,
            rng=SeededRandom(1),
            redactor=self.redactor,
            timeout=10,
            transport=httpx.MockTransport(bench.server.answer),
            tries=tries,
        )
        self.scheme = RefreshToken(
            self.http,
            clock,
            self.sessions.chain,
            pairing,
            ("app", "Secret-1x"),
            path="/v1/token",
            timeout=10,
            learn=self.redactor.learn,
        )
        self.http.auth = self.login = SharedLogin(self.sessions, self.scheme)

    def read(self) -> Any:
        return self.http.get("/v1/service/SEED/api").json()


class Bench:
    def __init__(self) -> None:
        self.clock = Clock(datetime(2026, 2, 10, tzinfo=UTC))
        self.store, self.vault = SqliteStore(clock=self.clock), MemoryVault()
        self.server = Server(self.clock)

    def worker(
        self, boot: str = "a", scope: str = "s", pairing: Pairing = PAIRED, version: str = "1", tries: int = 1
    ) -> Worker:
        return Worker(self, boot, scope, pairing, version, tries)

    def row(self) -> Item:
        found = self.store.get("chain#acme", "x3")
        assert found is not None
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("camel", [False, True], ids=["access_token", "accessToken"])
def test_a_token_of_five_minutes_is_renewed_at_four_and_each_refresh_token_used_once(bench: Bench, camel: bool) -> None:
    bench.server.camel = camel
    worker = bench.worker()
    worker.read()
    bench.clock.moment += timedelta(seconds=239)
    worker.read()
    assert bench.server.used == [FIRST]
    bench.clock.moment += timedelta(seconds=1)
    worker.read()
    assert bench.server.used == [FIRST, "refresh-1"]
    assert len(set(bench.server.used)) == len(bench.server.used)


def test_how_long_a_token_lasts_does_not_depend_on_whose_clock_is_right(bench: Bench) -> None:
    worker, real = bench.worker(), bench.clock.now
    bench.server.clock = type("Ahead", (), {"now": lambda _: real() + timedelta(minutes=20)})()
    worker.read()
    bench.clock.moment += timedelta(seconds=241)
    worker.read()
    assert len(bench.server.used) == 2


def test_the_new_token_is_kept_sealed_and_without_an_end_before_the_access_token_is_used(bench: Bench) -> None:
    worker = bench.worker()
    worker.scheme.log_in()
    assert bench.server.reads == []
    row = bench.row()
    assert row.ttl is None and "refresh-1" not in json.dumps(dict(row.data))
    assert bench.vault.open(base64.b64decode(row.data["sealed"]), "chain#acme#x3") == b"refresh-1"


def test_what_cannot_be_kept_is_not_used(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, put = bench.worker(), bench.store.put

    def refused(item: Item) -> Item:
        if "number" in item.data:
            raise Conflict("another one")
        return put(item)

    monkeypatch.setattr(bench.store, "put", refused)
    with pytest.raises(Transient, match="could not be kept"):
        worker.read()
    assert bench.server.reads == []


def test_another_process_goes_on_with_the_token_that_was_kept(bench: Bench) -> None:
    bench.worker().read()
    bench.clock.moment += timedelta(hours=1)
    bench.worker("b").read()
    assert bench.server.used == [FIRST, "refresh-1"]


def test_two_integrations_of_a_tenant_share_one_chain(bench: Bench) -> None:
    bench.worker(scope="basware").read()
    bench.worker("b", scope="avidxchange").read()
    assert bench.server.used == [FIRST, "refresh-1"]


def test_of_many_workers_one_refreshes_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each presents a token that no other one has presented, whatever their scopes."""
    monkeypatch.setattr(bench.clock, "sleep", lambda _: time.sleep(0.002))
    bench.server.meanwhile = lambda: time.sleep(0.02)  # long enough for all of the others to begin
    workers = [bench.worker(f"b{n}", scope=f"s{n}") for n in range(6)]
    threads = [threading.Thread(target=worker.read) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bench.server.used) == 6 == len(set(bench.server.used))


def test_a_lease_outlasts_the_longest_refresh(bench: Bench) -> None:
    seen = []
    bench.server.meanwhile = lambda: seen.append(bench.row().data["lease_until"])
    bench.worker().read()
    assert datetime.fromisoformat(seen[0]) - bench.clock.now() >= timedelta(seconds=30)
    assert bench.row().data["lease_until"] is None


def test_a_token_that_is_refused_asks_for_another_pairing_and_is_tried_once(bench: Bench) -> None:
    bench.server.good = "of somebody else"
    worker = bench.worker()
    for _ in range(3):
        with pytest.raises(LoginRefused, match=r"Pairing request not found\. Repeat the pairing, and write the new"):
            worker.read()
    assert bench.server.used == [FIRST]
    assert "Repeat the pairing" in str(worker.sessions.chain.standing(PAIRED).over)


def test_a_refusal_is_not_final_where_another_worker_has_a_later_token(bench: Bench) -> None:
    """Our lease had ended, and the other one refreshed with the token that we then presented."""
    worker, other = bench.worker(), bench.worker("b", scope="other")

    def overtaken() -> None:
        bench.server.meanwhile = lambda: None
        bench.store.put(replace(bench.row(), data={**bench.row().data, "lease_until": None}))
        other.read()

    bench.server.meanwhile = overtaken
    worker.read()
    assert bench.server.used == [FIRST, FIRST, "refresh-2"]


def test_a_lost_answer_says_to_pair_again_and_is_final_once_the_server_refuses(bench: Bench) -> None:
    bench.server.lose = "after"
    worker = bench.worker()
    with pytest.raises(Transient, match="if the next try is refused, repeat the pairing"):
        worker.read()
    assert worker.sessions.chain.standing(PAIRED).in_doubt
    bench.server.lose = ""
    with pytest.raises(LoginRefused, match="Repeat the pairing"):
        worker.read()
    assert bench.server.reads == []


def test_after_a_lost_answer_the_token_is_not_sent_again_right_away(bench: Bench) -> None:
    """The server may still be at it: whoever sent the same token meanwhile would end the chain."""
    bench.server.lose = "after"
    with pytest.raises(Transient, match="if the next try is refused, repeat the pairing"):
        bench.worker(tries=4).read()
    assert bench.server.used == [FIRST]


def test_an_answer_lost_before_anything_was_done_costs_no_pairing(bench: Bench) -> None:
    bench.server.lose = "before"
    worker = bench.worker()
    with pytest.raises(Transient):
        worker.read()
    bench.server.lose = ""
    worker.read()
    assert not worker.sessions.chain.standing(PAIRED).in_doubt


def test_an_answer_without_the_next_token_is_a_lost_one(bench: Bench) -> None:
    bench.server.refuse = httpx.Response(200, json={"access_token": "a.b.c"})
    worker = bench.worker()
    with pytest.raises(Transient, match="without the next refresh token"):
        worker.read()
    assert bench.server.reads == [] and worker.sessions.chain.standing(PAIRED).in_doubt


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (httpx.Response(501, json={"message": "An internal error occurred: x"}), Transient, "could not refresh"),
        (httpx.Response(502, text="<html>Bad gateway</html>"), Transient, "answered 502"),
        (httpx.Response(503, text=""), Transient, "answered 503"),
        (httpx.Response(404, text="<html>not here</html>"), Misconfigured, "correct 'token_url'"),
        (httpx.Response(302, headers={"location": "https://login.example"}), Misconfigured, "correct 'token_url'"),
    ],
)
def test_a_trouble_of_the_servers_own_leaves_the_token_good(
    bench: Bench, answer: httpx.Response, error: type[Exception], said: str
) -> None:
    bench.server.refuse = answer
    worker = bench.worker()
    with pytest.raises(error, match=said):
        worker.read()
    bench.server.refuse = None
    worker.read()
    assert bench.server.used == [FIRST, FIRST] and bench.row().data["over"] is None


def test_a_pairing_made_anew_wins_over_the_kept_chain(bench: Bench) -> None:
    bench.worker().read()
    bench.server.good = "paired-again"
    again = Pairing("paired-again", issued_at=bench.clock.now())
    bench.worker("b", pairing=again, version="2").read()
    assert bench.server.used == [FIRST, "paired-again"]


def test_a_worker_with_the_earlier_secret_does_not_begin_again_with_its_token(bench: Bench) -> None:
    bench.worker().read()
    bench.server.good = "paired-again"
    bench.worker("b", pairing=Pairing("paired-again"), version="2").read()
    bench.worker("c", scope="t").read()
    assert bench.server.used == [FIRST, "paired-again", "refresh-2"]


def test_a_token_that_was_issued_earlier_than_the_chain_began_does_not_win(bench: Bench) -> None:
    now = bench.clock.now()
    bench.worker(pairing=replace(PAIRED, issued_at=now)).read()
    old = Pairing("older", issued_at=now - timedelta(days=3))
    bench.worker("b", pairing=old, version="0").read()
    assert bench.server.used == [FIRST, "refresh-1"]


def test_a_kept_token_that_does_not_open_is_replaced_by_the_secrets_own(bench: Bench) -> None:
    bench.worker().read()
    bench.vault, bench.server.good = MemoryVault(), FIRST
    bench.worker("b").read()
    assert bench.server.used == [FIRST, FIRST]


def test_people_are_warned_before_the_end_and_when_it_is_over(bench: Bench) -> None:
    worker = bench.worker()
    worker.read()
    now, ending = bench.clock.now(), chain.ending_key("x3")
    assert worker.sessions.chain.standing(PAIRED).ends_at == now + timedelta(days=30)
    assert bench.store.due(ending, chain.at(now + timedelta(days=22, hours=23))) == []
    assert len(bench.store.due(ending, chain.at(now + timedelta(days=23)))) == 1
    bench.server.good = "of somebody else"
    bench.clock.moment += timedelta(minutes=10)
    with pytest.raises(LoginRefused):
        worker.read()
    assert len(bench.store.due(ending, chain.at(bench.clock.now()))) == 1


def test_a_chain_is_due_to_be_kept_alive_a_week_after_its_last_refresh(bench: Bench) -> None:
    worker = bench.worker()
    worker.read()
    due = chain.due_key("x3")
    assert bench.store.due(due, chain.at(bench.clock.now() + timedelta(days=6, hours=23))) == []
    assert [item.data["tenant"] for item in bench.store.due(due, chain.at(bench.clock.now() + timedelta(days=7)))] == [
        "acme"
    ]


def test_a_pairing_that_was_never_used_is_due_and_one_that_was_stays_planned(bench: Bench) -> None:
    chain.expect(bench.store, "acme", "x3", PAIRED, bench.clock.now())
    assert len(bench.store.due(chain.due_key("x3"), chain.at(bench.clock.now()))) == 1
    bench.worker().read()
    before = bench.row()
    chain.expect(bench.store, "acme", "x3", PAIRED, bench.clock.now())
    assert bench.row() == before
    chain.expect(bench.store, "acme", "x3", Pairing("another"), bench.clock.now())
    assert len(bench.store.due(chain.due_key("x3"), chain.at(bench.clock.now()))) == 1
    assert bench.row().data["sealed"] == before.data["sealed"]


def test_no_message_shows_a_token_that_a_server_says_back(bench: Bench) -> None:
    worker = bench.worker()
    worker.read()
    bench.clock.moment += timedelta(minutes=10)
    bench.server.refuse = httpx.Response(403, json={"message": "refresh-1 of app with Secret-1x is over"})
    with pytest.raises(LoginRefused) as refused:
        bench.worker("b", version="2").read()
    assert "refresh-1" not in str(refused.value) and "Secret-1x" not in str(refused.value)
