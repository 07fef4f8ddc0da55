"""Our rows were brought back and know less than the systems do: what is done at both ends is taken up again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ml_connector.engine.ledger.enqueue import enqueue, wake_up_of
from ml_connector.flow import Found, ListedDocument, Prepared
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Papers, account, invoice


@pytest.fixture
def forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """An invoice that was posted and answered, and of which the ledger knows nothing."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i": invoice("i")}
    bench.systems.booked = [("100", Prepared("i", {"n": "R-i"}, {"n": "R-i"}, invoice("i").gross, "EUR"))]
    bench.systems.standing["i"] = "transferred"
    look = Papers.look
    monkeypatch.setattr(Papers, "look", lambda self, p: [replace(f, ours=True) for f in look(self, p)])
    return bench


def tell(bench: Bench, key: str = "i") -> None:
    """A notification of the document comes, as old ones do after a restore."""
    pair = bench.pair()
    chunk = enqueue(pair.ledger("invoices"), ListedDocument(key, "1"), run="hook", in_lane=pair.lane(INVOICES))
    assert chunk is not None
    bench.runtime.queue.notify(chunk.lane, wake_up_of(chunk, pair.scope))
    bench.work(0.1)


def test_our_own_posting_is_known_again(forgotten: Bench) -> None:
    tell(forgotten)
    row, _ = forgotten.pair().ledger("invoices").rows(["i"])["i"]
    assert (row.outcome, row.target, row.code) == ("delivered", "100", "100")
    assert forgotten.pair().ledger("invoices").links(["100"]) == {"100": "i"}
    assert len(forgotten.systems.booked) == 1 and forgotten.systems.answers == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda bench, patch: patch.setattr(Papers, "look", lambda *_: [Found("100", "100", ours=False)]),
        lambda bench, patch: patch.setattr(Papers, "look", lambda *_: []),
        lambda bench, patch: bench.systems.standing.update(i="refused"),
        lambda bench, patch: bench.pair().ledger("invoices").link("100", "another"),
    ],
    ids=["somebody else's", "not there", "refused at its source", "held by another document"],
)
def test_nothing_else_is_taken_for_ours(
    forgotten: Bench, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Bench, pytest.MonkeyPatch], object]
) -> None:
    spoil(forgotten, monkeypatch)
    tell(forgotten)
    found = forgotten.pair().ledger("invoices").rows(["i"])
    assert "i" not in found or found["i"][0].target is None
    assert len(forgotten.systems.booked) == 1 and forgotten.systems.answers == []


def doubted(bench: Bench) -> None:
    """Bring back the row of a posting in doubt; what came of it, and that its source was told, is forgotten."""
    pair = bench.pair()
    ledger = pair.ledger("invoices")
    chunk = enqueue(ledger, ListedDocument("i", "1"), run="poll", in_lane=pair.lane(INVOICES))
    assert chunk is not None
    _, item = ledger.chunk("i") or pytest.fail("it is gone")
    chunk.state, chunk.step, chunk.sent_at, chunk.due_at = "waiting", "unknown", ledger.now(), ledger.now()
    ledger.save(chunk, item)
    bench.work(0.5)


def test_a_posting_in_doubt_that_was_answered_since_is_known_again_without_a_key_of_ours(
    forgotten: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the target keeps no key of ours
    doubted(forgotten)
    row, _ = forgotten.pair().ledger("invoices").rows(["i"])["i"]
    assert (row.outcome, row.target) == ("delivered", "100")
    assert len(forgotten.systems.booked) == 1 and forgotten.systems.answers == []


def test_a_posting_in_doubt_that_came_twice_is_a_conflict_also_after_a_restore(forgotten: Bench) -> None:
    forgotten.systems.booked.append(("101", forgotten.systems.booked[0][1]))
    doubted(forgotten)
    chunk, _ = forgotten.pair().ledger("invoices").chunk("i") or pytest.fail("it is gone")
    assert chunk.waiting_for == "conflict:i" and "100, 101" in str(chunk.reason)
