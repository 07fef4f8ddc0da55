"""A session that may be good no more is dropped for all, but never under the hands of whoever makes a new one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Session, Sessions
from ml_connector.errors import Transient
from tests.clock import Clock

VAULT = MemoryVault()


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def worker(clock):
    store = SqliteStore(clock=clock)

    def make(boot: str) -> Sessions:
        breaker = Breaker(store, clock, tenant="acme", system="erp", version="1", boot=boot, sole=False)
        return Sessions(store, VAULT, clock, breaker, name="acme#erp", version="1", boot=boot)

    return make


def proven() -> Session:
    return Session("proven")


def test_nobody_uses_a_distrusted_session_and_its_generation_goes_on(worker):
    first, second = worker("a"), worker("b")
    session = first.get(proven)
    first.distrust(session)
    logins = []
    renewed = second.get(lambda: logins.append(1) or proven())
    assert (len(logins), renewed.generation) == (1, session.generation + 1)
    assert first.get(lambda: pytest.fail("it is shared")).generation == renewed.generation


def test_a_newer_session_stays(worker):
    first, second = worker("a"), worker("b")
    old = first.get(proven)
    new = second.renew(old, proven)
    first.distrust(old)
    assert first.get(lambda: pytest.fail("it is shared")).generation == new.generation


def test_the_lease_of_a_worker_that_logs_in_stays(worker, clock):
    first, second = worker("a"), worker("b")
    session = first.get(proven)

    def slow() -> Session:
        second.distrust(session)
        clock.moment += timedelta(seconds=1)
        with pytest.raises(Transient, match="logging in"):
            second.renew(session, lambda: pytest.fail("another one is at it"))
        return proven()

    assert first.renew(session, slow).generation == session.generation + 1
