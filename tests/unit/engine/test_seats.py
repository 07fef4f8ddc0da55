"""A user who has one session only: it is not fought over, every worker has the same, and idle it is given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.seats import FIRST, FORGOTTEN, IDLE, MOST, PATIENCE, TURN, idle_key
from ml_connector.engine.access.sessions import Session, Sessions
from ml_connector.engine.ledger.rows import iso
from ml_connector.errors import LoginRefused, Throttled, Transient
from tests.clock import Clock

VAULT = MemoryVault()
WHO = "operator 'ML' at the ERP"


class Server:
    """Gives one session, and ends it when another logs on."""

    def __init__(self) -> None:
        self.logons = 0

    def log_on(self) -> Session:
        self.logons += 1
        return Session(f"session {self.logons}")


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def store(clock):
    return SqliteStore(clock=clock)


@pytest.fixture
def worker(store, clock):
    def make(boot: str = "a", name: str = "acme#erp#scope") -> Sessions:
        breaker = Breaker(store, clock, tenant="acme", system="erp", version="1", boot=boot, sole=False)
        return Sessions(store, VAULT, clock, breaker, name=name, version="1", boot=boot)

    return make


@pytest.fixture
def server():
    return Server()


def logged_on(sessions: Sessions, server: Server) -> Session:
    """Use a session as an adapter does: it looks whether the seat is free before it logs on."""

    def log_on() -> Session:
        sessions.seat.may_log_on()
        return server.log_on()

    session = sessions.get(log_on)
    sessions.seat.used()
    return session


def lost(sessions: Sessions, session: Session) -> float | None:
    """Hear that it ended; how long to wait, None where it may be replaced at once."""
    try:
        sessions.lost(session, WHO)
    except Throttled as error:
        assert WHO in str(error) and "user of its own" in str(error)
        return error.retry_after
    return None


def test_a_session_that_ended_in_use_is_left_to_whoever_took_it(worker, server, clock):
    sessions, other = worker("a"), worker("b")
    session = logged_on(sessions, server)
    clock.sleep(90)
    assert lost(sessions, session) == FIRST.total_seconds()
    for _ in range(3):
        for mine in (sessions, other):
            with pytest.raises(Throttled, match="Next logon: 09:06"):
                logged_on(mine, server)
    assert server.logons == 1, "nobody fights for it"
    clock.sleep(FIRST.total_seconds() - 1)
    with pytest.raises(Throttled):
        logged_on(other, server)
    clock.sleep(1)
    assert logged_on(other, server).value == logged_on(sessions, server).value == "session 2"


def test_each_loss_is_waited_out_longer_and_at_last_forgotten(worker, server, clock):
    sessions, waits = worker(), []
    for _ in range(6):
        waits.append(lost(sessions, logged_on(sessions, server)))
        clock.sleep(waits[-1])
    assert waits == [300, 600, 1200, 2400, MOST.total_seconds(), MOST.total_seconds()]
    clock.sleep(FORGOTTEN.total_seconds())
    assert lost(sessions, logged_on(sessions, server)) == 300


def test_a_session_that_ended_while_idle_is_replaced_at_once(worker, server, clock):
    sessions = worker()
    session = logged_on(sessions, server)
    clock.sleep(IDLE.total_seconds())
    assert lost(sessions, session) is None
    assert logged_on(sessions, server).value == "session 2"


def test_a_session_that_another_worker_replaced_already_is_no_loss(worker, server):
    first, second = worker("a"), worker("b")
    old = logged_on(first, server)
    assert logged_on(second, server).value == old.value
    fresh = server.log_on()
    second.share(fresh)  # as ping does
    assert lost(first, old) is None
    assert logged_on(first, server).value == fresh.value and server.logons == 2


def test_who_hears_of_the_same_loss_waits_as_long_and_not_longer(worker, server, clock):
    first, second = worker("a"), worker("b")
    session = logged_on(first, server)
    logged_on(second, server)
    assert lost(first, session) == 300
    clock.sleep(10)
    assert lost(second, session) == 290


def test_an_idle_session_is_listed_and_given_back_and_then_no_loss(worker, server, store, clock):
    sessions, other = worker("a"), worker("b")
    session = logged_on(sessions, server)
    assert not sessions.seat.idle() and not store.due(idle_key("erp"), iso(clock.now()))
    clock.sleep(IDLE.total_seconds())
    assert other.seat.idle()
    assert [item.data["tenant"] for item in store.due(idle_key("erp"), iso(clock.now()))] == ["acme"]
    logged_on(other, server)
    clock.sleep(1)
    assert not sessions.seat.idle(), "used again meanwhile"
    other.leave(session)
    clock.sleep(IDLE.total_seconds())
    assert not sessions.seat.idle() and not store.due(idle_key("erp"), iso(clock.now()))
    assert other.shared() is None
    assert lost(sessions, session) is None, "we ended it ourselves"


def test_a_worker_that_still_had_what_we_ended_does_not_wait(worker, server):
    sessions, other = worker("a"), worker("b")
    session = logged_on(sessions, server)
    logged_on(other, server)
    other.leave(session)
    assert lost(sessions, session) is None and logged_on(sessions, server).value == "session 2"


def test_a_use_is_written_once_a_minute(worker, server, store, clock):
    sessions = worker()
    logged_on(sessions, server)
    revisions = []
    for _ in range(6):
        clock.sleep(20)
        sessions.seat.used()
        revisions.append(store.get("session#acme#erp#scope", "seat").rev)
    assert len(set(revisions)) == 3


def test_another_login_of_the_same_system_has_a_session_of_its_own(worker, server):
    sessions = worker()
    logged_on(sessions, server)
    beside = sessions.beside("odata")
    assert beside.shared() is None and beside.get(lambda: Session("proven")).value == "proven"
    assert sessions.shared().value == "session 1"


def test_a_session_is_shared_only_while_its_login_is_open(worker, store, clock):
    sessions = worker()

    def refused() -> Session:
        raise LoginRefused("wrong password")

    with pytest.raises(LoginRefused):
        sessions.get(refused)
    with pytest.raises(LoginRefused):
        sessions.share(Session("proven by ping"))
    assert sessions.shared() is None


def test_waits_end_in_the_time_of_the_store_whatever_the_process(worker, server, clock):
    sessions = worker("a")
    lost(sessions, logged_on(sessions, server))
    clock.sleep(timedelta(minutes=5).total_seconds())
    assert logged_on(worker("fresh"), server).value == "session 2"


# ── one call at a time ──────────────────────────────────────────────────────────────────────────────────────────


def test_two_processes_take_turns_at_the_session(worker, clock):
    mine, other = worker("a").seat, worker("b").seat
    began = clock.now()
    with mine.turn(), pytest.raises(Transient, match="one call at a time"), other.turn():
        pytest.fail("both call")
    assert (clock.now() - began).total_seconds() == PATIENCE
    with other.turn():
        pass
    with mine.turn():
        pass
    assert (clock.now() - began).total_seconds() == PATIENCE


def test_a_turn_ends_with_its_call_also_where_that_failed(worker, clock):
    began = clock.now()
    with pytest.raises(Throttled), worker("a").seat.turn():
        raise Throttled("no", 1)
    with worker("b").seat.turn():
        assert clock.now() == began


def test_the_turn_of_a_dead_worker_ends_and_it_takes_none_from_the_next(worker, clock):
    dead = worker("a").seat.turn()
    dead.__enter__()
    clock.sleep(TURN.total_seconds())
    with worker("b").seat.turn():
        dead.__exit__(None, None, None)
        with pytest.raises(Transient), worker("c").seat.turn():
            pytest.fail("both call")


def test_where_no_other_process_is_nothing_is_written_for_a_turn(store, clock):
    breaker = Breaker(store, clock, tenant="acme", system="erp", version="1", boot="a", sole=True)
    sessions = Sessions(store, VAULT, clock, breaker, name="acme#erp#scope", version="1", boot="a")
    with sessions.seat.turn():
        assert store.get("session#acme#erp#scope", "turn") is None
