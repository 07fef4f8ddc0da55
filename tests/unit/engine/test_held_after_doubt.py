"""A posting in doubt whose second sending is held: it goes on when its cause is gone, and never before its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.runner import FlowRun, Runner
from infra.local.state import open_state
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.schedule.wake_up import release
from ml_connector.errors import Held, OutcomeUnknown, Transient
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, account, invoice


def chunk_of(bench: Bench) -> Chunk:
    chunk, _ = bench.pair().ledger("invoices").chunk("i1") or pytest.fail("it is not under way")
    return chunk


@pytest.fixture
def doubtful(bench: Bench) -> Bench:
    """The first sending ended without an answer, and had no effect."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i1": invoice("i1")}
    bench.systems.faults = [("post", OutcomeUnknown("no answer")), ("post", Held("period:2026-01", "closed"))]
    bench.poll(INVOICES)
    return bench


def start_a_run(bench: Bench, folder: Path) -> None:
    Runner(open_state(folder, folder / ".state"))._take_over(FlowRun(bench.pair(), INVOICES))


def test_the_next_run_looks_at_it_at_once(doubtful: Bench, tmp_path: Path) -> None:
    doubtful.work(0.35)
    assert (chunk_of(doubtful).step, chunk_of(doubtful).waiting_for) == ("unknown", "period:2026-01")
    assert doubtful.systems.booked == []
    start_a_run(doubtful, tmp_path)  # the period is open again
    doubtful.work()
    assert len(doubtful.systems.booked) == 1


def test_it_is_not_sent_before_the_first_sending_is_out_of_doubt(doubtful: Bench, tmp_path: Path) -> None:
    doubtful.work(0.1)
    assert chunk_of(doubtful).step == "unknown"
    doubtful.systems.faults = []
    start_a_run(doubtful, tmp_path)
    doubtful.work()
    assert doubtful.systems.booked == [] and doubtful.systems.sends
    doubtful.work(0.2)
    assert len(doubtful.systems.booked) == 1


def test_a_mapping_sets_it_going_as_well(doubtful: Bench) -> None:
    doubtful.work(0.35)
    assert release(doubtful.runtime, doubtful.pair().ledger("invoices"), "period:2026-01") == 1
    doubtful.work()
    assert len(doubtful.systems.booked) == 1


def test_an_answer_says_since_when_it_can_have_been_given(bench: Bench) -> None:
    """The first attempt, and the same in each repeat: from then on the source is asked what became of it."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i1": invoice("i1")}
    bench.poll(INVOICES)
    began = bench.clock.now()
    bench.systems.faults = [("answer", Transient("away"))] * 3
    bench.work(0.2)
    ((_, answer),) = bench.systems.answers
    assert answer.since == began
