"""The writer's connections are closed when the last thread that works with them is through, and not before."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ml_connector import bootstrap, integration_cache
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.secrets import MemorySecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.integration_cache import IntegrationCache
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock
from tests.unit.engine.bench import BEGIN
from tests.unit.ops.conftest import BASWARE, SAP_B1

NAMES = ("acme", "sap_b1-basware", "invoices")


class Slow:
    """A connection to a server that takes its time; a request on one that was closed meanwhile breaks off."""

    def __init__(self, asked: threading.Event, answers: threading.Event) -> None:
        self.asked, self.answers, self.closed = asked, answers, 0

    def post(self) -> str:
        self.asked.set()
        assert self.answers.wait(10)
        return "broken off" if self.closed else "posted"

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from ml_connector.systems.basware.settings import Settings as Basware
    from ml_connector.systems.sap_b1.settings import Settings as SapB1

    models = {"basware": Basware, "sap_b1": SapB1}
    asked, answers, made = threading.Event(), threading.Event(), list[Slow]()

    def connect(*_: Any) -> Slow:
        made.append(Slow(asked, answers))
        return made[-1]

    monkeypatch.setattr(
        bootstrap, "module", lambda name: SimpleNamespace(Settings=models[name], connect=connect, CHUNKING={})
    )
    clock = Clock(BEGIN)
    runtime = Runtime(
        SqliteStore(":memory:", clock), MemoryQueue(clock), MemoryBlobs(), clock, SeededRandom(1), boot="b"
    )
    secrets = MemorySecrets({("acme", "basware"): json.dumps(BASWARE), ("acme", "sap_b1"): json.dumps(SAP_B1)})
    tools: Any = BootstrapOptions(SimpleNamespace(seal=lambda *_: b"", open=lambda *_: b""))  # type: ignore[arg-type]
    yield SimpleNamespace(
        integration_cache=IntegrationCache(runtime, secrets, tools),
        clock=clock,
        made=made,
        asked=asked,
        answers=answers,
    )
    answers.set()


def open_one(pair: TenantIntegration | None) -> Any:
    assert pair is not None
    return pair.connection("sap_b1")


def test_a_posting_ends_well_while_its_pair_is_replaced(kept: Any) -> None:
    said = list[str]()

    def work() -> None:
        with kept.integration_cache.lent(*NAMES) as (pair, _):
            said.append(open_one(pair).post())

    thread = threading.Thread(target=work)
    thread.start()
    assert kept.asked.wait(10)
    kept.clock.moment += integration_cache.AGE + timedelta(seconds=1)
    with kept.integration_cache.lent(*NAMES) as (newer, _):
        assert open_one(newer) is not kept.made[0]
    assert kept.made[0].closed == 0
    kept.answers.set()
    thread.join(10)
    assert said == ["posted"]
    assert [slow.closed for slow in kept.made] == [1, 0]


def test_it_is_closed_by_the_last_of_several(kept: Any) -> None:
    with ExitStack() as first, ExitStack() as second:
        one, two = (open_one(stack.enter_context(kept.integration_cache.lent(*NAMES))[0]) for stack in (first, second))
        assert one is two
        kept.clock.moment += integration_cache.AGE
        with kept.integration_cache.lent(*NAMES):
            pass
        first.close()
        assert one.closed == 0
        second.close()
        assert one.closed == 1


def test_an_idle_one_is_closed_at_once_and_a_young_one_is_kept(kept: Any) -> None:
    for seconds in (0, 200, 200):
        kept.clock.moment += timedelta(seconds=seconds)
        with kept.integration_cache.lent(*NAMES) as (pair, _):
            open_one(pair)
    assert [slow.closed for slow in kept.made] == [1, 0]


def test_it_is_given_back_where_the_work_raises(kept: Any) -> None:
    with pytest.raises(RuntimeError), kept.integration_cache.lent(*NAMES) as (pair, _):
        open_one(pair)
        raise RuntimeError
    kept.clock.moment += integration_cache.AGE
    with kept.integration_cache.lent(*NAMES):
        pass
    assert kept.made[0].closed == 1


def test_a_tenant_that_ended_has_none(kept: Any) -> None:
    with kept.integration_cache.lent("nobody", *NAMES[1:]) as (pair, flow):
        assert (pair, flow.name) == (None, "invoices")


def test_a_tenant_that_is_not_heard_of_any_more_keeps_no_connections_open(kept: Any) -> None:
    """A writer of ten thousand tenants lives for hours: what it has open must not grow with all that it ever met."""
    for tenant in ("b", "c"):
        kept.integration_cache.secrets.write(tenant, "basware", json.dumps(BASWARE))
        kept.integration_cache.secrets.write(tenant, "sap_b1", json.dumps(SAP_B1 | {"company_db": tenant}))
    with kept.integration_cache.lent(*NAMES) as (pair, _), ExitStack() as at_work:
        at_work.enter_context(kept.integration_cache.lent("b", *NAMES[1:]))
        busy = open_one(pair)
        kept.clock.moment += integration_cache.AGE
        with kept.integration_cache.lent("c", *NAMES[1:]):
            pass
        assert busy.closed == 0 and len(kept.integration_cache._kept) == 3
    kept.clock.moment += integration_cache.AGE
    with kept.integration_cache.lent("c", *NAMES[1:]):
        pass
    assert busy.closed == 1 and [tenant for tenant, _ in kept.integration_cache._kept] == ["c"]
