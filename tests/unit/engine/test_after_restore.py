"""Our rows were brought back and know less than the systems do: what is done at both ends is taken up again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ml_connector.engine.offer import put_on_its_way, ring_of
from ml_connector.flow import Found, Offer, Prepared
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
    chunk = put_on_its_way(pair.ledger("invoices"), Offer(key, "1"), run="hook", in_lane=pair.lane(INVOICES))
    assert chunk is not None
    bench.world.rings.ring(chunk.lane, ring_of(chunk, pair.scope))
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
