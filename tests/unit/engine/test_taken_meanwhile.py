"""A chunk that was listed is in a worker's hands by the time it is to be changed: it is left there.

Each decision is met twice: by a worker that came between the list and the row, and by one that came between the row
and the write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.runner import FlowRun, Runner
from infra.local.state import open_state
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine import replay
from ml_connector.engine.ledger.ledger import Ledger, due_rows, out_until
from ml_connector.engine.ledger.rows import GONE, Chunk, Row, dump, load
from ml_connector.engine.schedule.wake_up import release
from ml_connector.engine.write.attempt import Attempt, claim
from ml_connector.engine.write.prerequisites import release_followers, release_landed
from ml_connector.ports import Item
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench

Decision = Callable[[Bench, Ledger, Path], object]


class Meanwhile(SqliteStore):
    """A store in which something happens right before a chunk is read, or right before it is written."""

    def __init__(self, clock: object) -> None:
        super().__init__(":memory:", clock)  # type: ignore[arg-type]
        self.before: dict[str, Callable[[], None]] = {}

    def get(self, pk: str, sk: str) -> Item | None:
        self._happens("get", sk)
        return super().get(pk, sk)

    def put(self, item: Item) -> Item:
        self._happens("put", item.sk)
        return super().put(item)

    def put_many(self, items: Sequence[Item]) -> list[bool]:
        self._happens("put_many", "c#")
        return super().put_many(items)

    def _happens(self, where: str, sk: str) -> None:
        if sk.startswith("c#") and (happen := self.before.pop(where, None)) is not None:
            happen()


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.runtime = replace(bench.runtime, store=Meanwhile(bench.clock), blobs=MemoryBlobs())
    return bench


def waiting(bench: Bench, flow: str, **fields: object) -> Ledger:
    """One chunk that waits, and is due."""
    ledger = bench.pair().ledger(flow)
    ledger.add(
        Chunk(
            **{  # type: ignore[arg-type]
                "id": "k1",
                "key": "k1",
                "tenant": "acme",
                "integration": "erp-ap",
                "flow": flow,
                "lane": "acme.erp.0",
                "run": "r",
                "created": ledger.now(),
                "state": "waiting",
                "due_at": ledger.now(),
                **fields,
            }
        ),
        {"retired": []},
    )
    return ledger


def wake(bench: Bench, ledger: Ledger, folder: Path) -> None:
    lap = FlowRun(bench.pair(), INVOICES)
    Runner(open_state(folder, folder / ".state"))._take_over(lap)


def after_the_pass(bench: Bench, ledger: Ledger, folder: Path) -> None:
    release_followers(bench.pair(), ACCOUNTS)


DECISIONS: dict[str, tuple[Decision, str, dict[str, object]]] = {
    "release": (lambda b, led, _: release(b.runtime, led, "account:1"), "invoices", {"waiting_for": "account:1"}),
    "landed": (lambda b, *_: release_landed(b.pair(), ACCOUNTS, ["1"]), "invoices", {"waiting_for": "account:1"}),
    "followers": (after_the_pass, "invoices", {"waiting_for": "prerequisite:accounts"}),
    "retry_now": (lambda _b, led, _: replay.retry_now(led, "k1", "note"), "invoices", {}),
    "replay": (lambda b, *_: replay.replay(b.pair(), INVOICES, "k1", "note"), "invoices", {}),
    "approve": (lambda _b, led, _: replay.approve(led, "note"), "accounts", {"op": "retire", "guarded": "many"}),
    "wake": (wake, "invoices", {"step": "unknown", "waiting_for": "period:2026-01"}),
}


@pytest.mark.parametrize("when", ["get", "put"])
@pytest.mark.parametrize("name", DECISIONS)
def test_a_worker_keeps_what_it_claimed_meanwhile(bench: Bench, tmp_path: Path, name: str, when: str) -> None:
    decision, flow, fields = DECISIONS[name]
    ledger, tasks = waiting(bench, flow, **fields), list[Attempt]()

    def work() -> None:
        attempt = claim(bench.pair(), {"invoices": INVOICES, "accounts": ACCOUNTS}[flow], "k1")
        assert attempt is not None
        tasks.append(attempt)

    bench.runtime.store.before[when] = work  # type: ignore[attr-defined]
    decision(bench, ledger, tmp_path)
    assert tasks, "no worker came between: this test shows nothing"
    chunk, _ = ledger.chunk("k1") or pytest.fail("it is gone")
    assert (chunk.state, chunk.attempts, chunk.notes) == ("sending", 1, [])
    assert claim(bench.pair(), INVOICES, "k1") is None, "a second worker would start on it"
    tasks[0].save()  # raises `LeaseLost` where somebody wrote over it


@pytest.mark.parametrize("name", DECISIONS)
def test_what_nobody_took_is_set_going(bench: Bench, tmp_path: Path, name: str) -> None:
    decision, flow, fields = DECISIONS[name]
    ledger = waiting(bench, flow, **fields, due_at="2026-03-09T00:00:00.000000+00:00")
    decision(bench, ledger, tmp_path)
    chunk, _ = ledger.chunk("k1") or pytest.fail("it is gone")
    assert (chunk.state, chunk.due_at) == ("waiting", ledger.now())


def test_what_was_reopened_meanwhile_is_not_opened_again(bench: Bench) -> None:
    ledger = waiting(bench, "invoices", state="failed", death=1)

    def work() -> None:
        assert replay.reopen(ledger, "k1", "another") is not None
        assert claim(bench.pair(), INVOICES, "k1") is not None

    bench.runtime.store.before["put"] = work  # type: ignore[attr-defined]
    assert replay.reopen(ledger, "k1", "note") is None
    chunk, _ = ledger.chunk("k1") or pytest.fail("it is gone")
    assert (chunk.state, chunk.notes) == ("sending", ["another"])


def test_what_was_agreed_to_meanwhile_is_not_counted_twice(bench: Bench) -> None:
    ledger = waiting(bench, "accounts", op="retire", guarded="many", count=30)
    bench.runtime.store.before["get"] = lambda: replay.approve(ledger, "another")  # type: ignore[attr-defined]
    assert replay.approve(ledger, "note") == 0


def test_a_row_that_is_rung_is_left_to_the_worker_that_has_it(bench: Bench) -> None:
    waiting(bench, "invoices")
    (item,) = due_rows(bench.runtime.store, bench.clock.now())
    attempt = claim(bench.pair(), INVOICES, "k1")
    assert attempt is not None
    assert bench.runtime.store.put_many([out_until(item, bench.clock.now(), 0)]) == [False]
    attempt.save()


def test_a_replay_of_what_was_finished_meanwhile_offers_it_again(bench: Bench) -> None:
    ledger = waiting(bench, "invoices")

    def finish() -> None:
        attempt = claim(bench.pair(), INVOICES, "k1")
        assert attempt is not None
        ledger.finish(attempt.chunk, attempt.item)

    bench.runtime.store.before["get"] = finish  # type: ignore[attr-defined]
    assert replay.replay(bench.pair(), INVOICES, "k1", "note").what == "queued"


def test_a_retired_record_is_settled_over_the_row_as_it_is(bench: Bench) -> None:
    """A worker that had lost its chunk taints the row while another switches the record off: the taint stays."""
    ledger = bench.pair().ledger("accounts")
    bench.runtime.store.put(Item(ledger.pk, "r#6100", dump(Row(seq=1, outcome="delivered", delivered_fp="fp"))))
    ledger.add(
        Chunk(
            id="0000000002",
            tenant="acme",
            integration="erp-ap",
            flow="accounts",
            lane="acme.ap.master",
            run="r",
            seq=2,
            created=ledger.now(),
            due_at=ledger.now(),
            op="retire",
        ),
        {"retired": ["6100"]},
    )
    bench.work()
    assert bench.systems.deactivated == ["6100"]
    bench.runtime.store.before["put_many"] = lambda: ledger.invalidate(["6100"])  # type: ignore[attr-defined]
    bench.work(0.01)
    row = load(Row, (bench.runtime.store.get(ledger.pk, "r#6100") or pytest.fail("it is gone")).data)
    assert row.taint is not None and row.delivered_fp != GONE


def test_a_name_that_its_holder_takes_up_again_is_not_given_away(bench: Bench) -> None:
    """The holder's chunk was finished, and is offered again while another takes over the name."""
    store, ledger = bench.runtime.store, bench.pair().ledger("invoices")
    assert ledger.reserve("V1~RE-1", "old") == "old"
    asked = ledger.keeps
    ledger.keeps = lambda holder: asked(holder) or (_offered_again(bench), False)[1]  # type: ignore[method-assign]
    assert ledger.reserve("V1~RE-1", "new") == "old"
    assert store.get(ledger.links_pk, "invoices~V1~RE-1").data["key"] == "old"  # type: ignore[union-attr]


def _offered_again(bench: Bench) -> None:
    ledger = waiting(bench, "invoices", id="old", key="old")
    assert ledger.reserve("V1~RE-1", "old") == "old"
