"""What operators do with our own commands at any moment, also while workers are at work; and a second installation."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ml_connector.engine import replay as by_hand
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk, Decision
from ml_connector.engine.schedule.wake_up import release
from ml_connector.errors import Transient
from tests.simulation import changes
from tests.simulation.worlds import Office

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.history import History


def replay(history: History, office: Office) -> None:
    """Somebody replays an invoice, whatever stands with it; but none that the ERP has taken: that would be his word."""
    found = [p for p in office.papers.values() if "taken" not in p.troubles and not p.forgotten and not p.recalled]
    if not found:
        return
    paper = office.dice.choice(found)

    def now() -> None:
        pair = history.plant.pair(office)
        with suppress(Transient):
            done = by_hand.replay(pair, pair.integration.flow("invoices"), paper.key, "replayed")
            history.machine.fault(f"ours: replayed, {done.what}")
        pair.close()

    changes.amid(history, office, now)


def resolve(history: History, office: Office) -> None:
    """Somebody decides over a held invoice at any moment: that it is another one, where nothing of it can stand."""
    found = [p for p in office.papers.values() if p.troubles.keys() & {"twin", "anew"} and not p.taken]
    found = [p for p in found if not (office.erp.posted(p) or p.recalled or office.erp.one_number)]
    if not found or office.gone:
        return
    paper = office.dice.choice(found)

    def now() -> None:
        pair = history.plant.pair(office)
        with suppress(Transient):
            decision = Decision(what="post", by="somebody", at=pair.ledger("invoices").now())
            if by_hand.decide(pair.ledger("invoices"), paper.key, decision, "decided by somebody") is not None:
                paper.decided = True
                history.machine.fault("ours: resolved at any moment")
        pair.close()

    changes.amid(history, office, now)


class Listed(Ledger):
    """A ledger that was listed somewhat earlier: what it lists may be in a worker's hands by now."""

    def unfinished(self) -> Iterator[Chunk]:
        yield from self.earlier

    earlier: list[Chunk]


def release_late(history: History, office: Office) -> None:
    """Somebody sets going what is held; a worker takes one of it up after it was listed."""
    if office.gone:
        return
    pair = history.plant.pair(office)
    ledger = pair.ledger("invoices")
    listed = Listed(
        ledger.store,
        ledger.clock,
        tenant=ledger.tenant,
        integration=ledger.integration,
        scope=ledger.scope,
        flow=ledger.flow,
    )
    listed.earlier = list(ledger.unfinished())
    causes = {chunk.waiting_for for chunk in listed.earlier if chunk.waiting_for}

    def late() -> None:
        with history.machine.aside(), suppress(Transient):
            if release(pair.runtime, listed, *causes):
                history.machine.fault("ours: released what was listed before")
        pair.close()

    if causes:
        release(pair.runtime, ledger, *causes)
        history.machine.ambush(late)


def second_installation(history: History, office: Office) -> None:
    """Another installation posts the same company's invoices for some hours, with a state of its own."""
    if office.gone or history.rival is not None or any(o.mappings for o in history.offices):
        return
    for one in history.offices:
        for paper in one.papers.values():
            paper.rivalled = True
    history.second()
