"""The engine's side: what is opened, what is sent again, and what the next poll makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SystemClock, SystemRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine import replay
from ml_connector.engine.ledger.fingerprint import fingerprint
from ml_connector.engine.ledger.rows import Chunk, Row, dump
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Conflict, LeaseLost, Transient
from ml_connector.flow import Page
from ml_connector.integrations.sap_b1_basware import SAP_B1_BASWARE
from ml_connector.ports import Item
from ml_connector.records import Supplier

VENDORS = SAP_B1_BASWARE.flow("vendors")
SUPPLIERS = [Supplier(key=k, code=k, name=k) for k in ("V1", "V2", "V3")]
EPOCH = "e"


class Source:
    """Gives all suppliers when everything is asked for, none since a stamp."""

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Any]]:
        yield Page(SUPPLIERS if since is None else [], stamp="s1")


@pytest.fixture
def pair() -> TenantIntegration:
    clock = SystemClock()
    runtime = Runtime(SqliteStore(), MemoryQueue(clock), MemoryBlobs(), clock, SystemRandom(), boot="here")
    door = SimpleNamespace(check=lambda: None, succeeded=lambda: None)
    connection: Any = SimpleNamespace(source=lambda _record: Source())
    return TenantIntegration(
        runtime,
        "acme",
        SAP_B1_BASWARE,
        "scope",
        {"sap_b1": lambda: connection},
        {"sap_b1": door},  # type: ignore[dict-item]
        active=frozenset({"vendors"}),
        epoch=EPOCH,
        chunking={Supplier: (10, lambda _r: 1)},
    )


def settle(pair: TenantIntegration) -> None:
    """As if all suppliers were delivered, and a full pass had been made."""
    ledger = pair.ledger("vendors")
    Poll(pair, VENDORS, "r0").read()
    for chunk in list(ledger.unfinished()):
        pair.runtime.store.delete(ledger.pk, f"c#{chunk.id}")
    for s in SUPPLIERS:
        row = Row(seq=1, outcome="delivered", delivered_fp=fingerprint(s, EPOCH), code=s.code)
        pair.runtime.store.put(Item(ledger.pk, f"r#{s.key}", dump(row)))


def cut(pair: TenantIntegration, run: str) -> list[tuple[list[str], bool]]:
    """Poll, and give the keys of each chunk that came of it, and whether it makes a real change."""
    Poll(pair, VENDORS, run).read()
    ledger = pair.ledger("vendors")
    return [(replay.keys_of(ledger, c), c.touch is not None) for c in ledger.unfinished()]


def test_a_replayed_master_goes_in_a_chunk_of_its_own_with_a_real_change(pair: TenantIntegration) -> None:
    settle(pair)
    assert cut(pair, "r1") == []
    assert replay.replay(pair, VENDORS, "V2", "note").what == "marked"
    pair.runtime.store.delete(pair.ledger("vendors").pk, "r#V3")  # a new one, in the same page
    assert cut(pair, "r2") == [(["V3"], False), (["V2"], True)]


def test_a_replayed_master_that_is_on_its_way_is_not_cut_again(pair: TenantIntegration) -> None:
    settle(pair)
    replay.replay(pair, VENDORS, "V2", "note")
    assert len(cut(pair, "r1")) == 1
    assert replay.replay(pair, VENDORS, "V2", "note").what == "retried"
    assert len(cut(pair, "r2")) == 1


def test_a_poll_under_way_gives_up_when_a_replay_asks_for_everything(pair: TenantIntegration) -> None:
    settle(pair)
    poll = Poll(pair, VENDORS, "r1")
    poll._begin()
    replay.replay(pair, VENDORS, "V2", "note")
    with pytest.raises(LeaseLost):
        poll._end()
    assert cut(pair, "r2") == [(["V2"], True)]


def test_a_letter_of_an_earlier_death_opens_nothing(pair: TenantIntegration) -> None:
    ledger = pair.ledger("invoices")
    ledger.add(chunk(state="failed", death=2))
    assert replay.reopen(ledger, "k1", "note", death=1) is None
    assert replay.reopen(ledger, "k1", "note", death=2) is not None
    assert replay.reopen(ledger, "k1", "note", death=2) is None, "it is open already"
    assert replay.reopen(ledger, "nope", "note") is None


def test_an_answer_that_was_refused_is_given_anew(pair: TenantIntegration) -> None:
    ledger = pair.ledger("invoices")
    died = {"state": "failed", "step": "answered", "target": "18:77", "cause": "answer refused"}
    ledger.add(chunk(**died, tokens=["t"], answer_try=3))
    opened = replay.reopen(ledger, "k1", "note")
    assert opened is not None
    assert (opened.step, opened.tokens, opened.answer_try) == ("posted", [], 3)


def test_a_refusal_whose_answer_was_refused_is_tried_at_the_target_again(pair: TenantIntegration) -> None:
    ledger = pair.ledger("invoices")
    ledger.add(chunk(state="failed", step="answered", answer_ok=False, cause="answer refused"))
    opened = replay.reopen(ledger, "k1", "note")
    assert opened is not None
    assert (opened.step, opened.answer_ok) == ("refused", True)


def test_dead_lists_one_cause(pair: TenantIntegration) -> None:
    ledger = pair.ledger("invoices")
    ledger.add(chunk(state="failed", cause="crashed"))
    assert [c.id for c in replay.dead(ledger)] == ["k1"]
    assert not list(replay.dead(ledger, "exhausted"))


def test_what_was_moved_out_of_a_chunk_is_in_it_no_more(pair: TenantIntegration) -> None:
    ledger = pair.ledger("vendors")
    parted = replace_id(chunk(flow="vendors", key=None), "7")
    parted.results = {"V1": ("moved", "split"), "V2": ("rejected", "why")}
    ledger.add(parted, {"records": SUPPLIERS})
    assert replay.keys_of(ledger, parted) == ["V2", "V3"]
    assert replay.holder(ledger, "V1") is None


def test_a_row_that_changes_again_and_again_is_left(pair: TenantIntegration) -> None:
    class Busy(SqliteStore):
        def put(self, item: Item) -> Item:
            raise Conflict("another one was first")

    pair.ledger("invoices").add(chunk(state="failed"))
    pair.ledger("vendors").settle({"V1": Row(seq=1, outcome="delivered")}, {})
    busy = Busy()
    busy._connection = pair.runtime.store._connection  # type: ignore[attr-defined]
    worn = replace(pair, runtime=replace(pair.runtime, store=busy))
    with pytest.raises(Transient):
        replay.reopen(worn.ledger("invoices"), "k1", "note")
    with pytest.raises(Transient):
        replay.replay(worn, VENDORS, "V1", "note")


def chunk(**fields: Any) -> Chunk:
    known = {
        "id": "k1",
        "key": "k1",
        "tenant": "acme",
        "integration": "sap_b1-basware",
        "flow": "invoices",
        "lane": "l",
        "run": "r",
        "created": "2026-01-10T08:00:00.000000+00:00",
    }
    return Chunk(**{**known, **fields})


def replace_id(made: Chunk, name: str) -> Chunk:
    made.id = name
    return made
