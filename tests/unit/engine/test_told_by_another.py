"""A posting in doubt whose source was told, though not by us: a second installation posts for the same company."""

from __future__ import annotations

import pytest

from ml_connector.engine.ledger.rows import Chunk
from ml_connector.errors import OutcomeUnknown
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Killed, Papers, account, invoice


@pytest.fixture
def doubted(bench: Bench) -> Bench:
    """Ours was sent, and is still to be carried out; another's stands there, and the platform was told so."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices["one"] = invoice("one")
    bench.systems.faults = [("post", OutcomeUnknown("no answer"))]
    bench.poll(INVOICES)
    bench.work()
    arrives(bench, "100")
    bench.systems.standing["one"] = "transferred"
    return bench


def arrives(bench: Bench, number: str) -> None:
    bench.systems.booked.append((number, Papers(bench.systems).trace(invoice("one"), None)))


def chunk_of(bench: Bench) -> Chunk | None:
    found = bench.pair().ledger("invoices").chunk("one")
    return found[0] if found else None


def test_ours_is_waited_for_and_found_beside_it(doubted: Bench) -> None:
    doubted.work(0.2)
    chunk = chunk_of(doubted)
    assert chunk is not None and "though not by us" in str(chunk.reason) and chunk.waiting_for is None
    arrives(doubted, "101")  # within the settle time
    doubted.work(1)
    chunk = chunk_of(doubted)
    assert chunk is not None and chunk.waiting_for == "conflict:one"
    assert "2 times (100, 101)" in str(chunk.reason)


def test_a_conflict_whose_worker_dies_over_it_keeps_its_names(doubted: Bench) -> None:
    arrives(doubted, "101")
    doubted.work(1)
    for _ in range(2):
        doubted.systems.faults = [("look", Killed())]
        with pytest.raises(Killed):
            doubted.work(2)
        for queued in list(doubted.queue._taken.values()):
            doubted.queue.done(queued)
    doubted.systems.faults = []
    doubted.work(2)
    chunk = chunk_of(doubted)
    assert chunk is not None and (chunk.state, chunk.cause) == ("failed", "crashed")
    assert "died each time" in str(chunk.reason) and "2 times (100, 101)" in str(chunk.reason)


def test_where_nothing_comes_it_is_taken_up_again(doubted: Bench) -> None:
    doubted.work(0.3)
    assert chunk_of(doubted) is None
    (row,) = doubted.pair().ledger("invoices").rows(["one"]).values()
    assert (row[0].outcome, row[0].target) == ("delivered", "100") and len(doubted.systems.booked) == 1
