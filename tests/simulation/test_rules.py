"""The rules themselves, where one was too narrow: each fact was a seed that failed without a fault of the product."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ml_connector.engine.ledger.rows import Chunk
from tests.simulation import people, troubles
from tests.simulation.catalogue import CAUGHT, MADE_GOOD, MENDED, TILTS
from tests.simulation.checker import _papers
from tests.simulation.history import History, Tilt
from tests.simulation.weakenings import Weakening
from tests.simulation.worlds import NOWHERE


def history() -> History:
    return History(1, Tilt(acts=(people.new_invoice,), hours=1, short=True))


def test_what_waits_for_its_account_waits_though_its_supplier_is_mapped_to_another() -> None:
    """Seed 3100100 of the state before: a held invoice was judged as one to be posted."""
    told = history()
    office = told.offices[0]
    paper = next(iter(office.papers.values()))
    office.papers = {paper.key: paper}
    paper.fate, paper.waits, paper.troubles = "hold", f"account:{NOWHERE}", {"changed": "supplier mapped to another"}
    told.plant.enrolled()
    pair = told.plant.pair(office)
    held = Chunk(
        id=paper.key,
        key=paper.key,
        tenant=office.name,
        integration=pair.integration.name,
        flow="invoices",
        lane="l.e.0",
        run="r",
        created="2026",
        state="waiting",
        waiting_for=paper.waits,
        reason="No counterpart.",
    )
    assert any("should wait" in text for text in _papers(told, office, pair))
    assert pair.ledger("invoices").add(held)
    assert list(_papers(told, office, pair)) == []
    pair.close()


def test_what_was_offered_again_unreadable_has_the_date_that_it_is_mended_to() -> None:
    """Seed 3100040 of the state before: sent again while it could not be read, it was approved "31st of ne"."""
    told = history()
    office = told.offices[0]
    planned: list[Any] = []
    told.meanwhile = lambda seconds, what, act: planned.append(act)  # type: ignore[method-assign]
    people.poison(told, office)
    (mended,) = planned
    (paper,) = [one for one in office.papers.values() if one.poisoned]
    before = paper.dates
    office.ap.documents[paper.key].record["processingStatus"] = "TransferFailed"
    people.send_refused_again(told, office)
    mended()
    assert len(paper.versions) == 2 and paper.dates == before


def test_a_conflict_is_told_also_where_its_worker_died_over_it_since() -> None:
    """Seed 3100078 of the state before; a chunk that died and names nothing has told nobody."""
    posted: Any = [SimpleNamespace(number=number) for number in ("50804", "50805")]
    at = datetime(2026, 3, 2, tzinfo=UTC).isoformat()
    chunk = Chunk(
        id="i",
        tenant="t",
        integration="i",
        flow="invoices",
        lane="l",
        run="r",
        created=at,
        state="failed",
        reason="The worker died each time. Before that: it stands there 2 times (50804, 50805).",
    )
    assert troubles._names(chunk, posted)
    chunk.reason = "The worker died each time it worked on this."
    assert not troubles._names(chunk, posted)


@pytest.mark.parametrize("weakening", dict.fromkeys((*CAUGHT, *MADE_GOOD, *MENDED, *TILTS)), ids=lambda w: w.__name__)
def test_each_weakening_finds_the_safeguard_that_it_takes_out(weakening: Weakening) -> None:
    """Nobody notices in everyday tests that one was moved or renamed: the weakened product runs rarely."""
    with weakening():
        pass
