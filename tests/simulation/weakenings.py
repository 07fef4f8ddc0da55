"""Deliberate weakenings of the product, put in for one history at a time: the checker must catch each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from ml_connector.engine import audit
from ml_connector.engine.breaker import Breaker
from ml_connector.engine.bulk import Bulk
from ml_connector.engine.document import Paper
from ml_connector.engine.ledger import Ledger
from ml_connector.engine.poll import Poll
from ml_connector.redact import Redactor
from ml_connector.systems.basware.masters import Masters
from ml_connector.systems.sap_b1.client import ServiceLayer
from tests.simulation import people
from tests.simulation.checker import check
from tests.simulation.history import History, Tilt

Weakening = Callable[[], Any]


def send_again_at_once() -> Any:
    """Re-send on an unknown outcome without the settle time."""
    return patch.object(Paper, "_may_send", lambda self, looked_at: True)


def no_look() -> Any:
    """Send without looking first."""
    return patch.object(Paper, "_look", lambda self, prepared: None)


def position_before_rows() -> Any:
    """Save the position before the outbox rows: a page counts as taken before it is."""
    take = Poll._take

    def early(self: Poll, page: Any) -> None:
        now, watermark = self.cursor.now, self.cursor.watermark
        assert now is not None
        kept = (now.position, self.cursor.full_at, self.cursor.passes)
        if page.position is None:
            self.cursor.watermark, self.cursor.now = page.stamp or now.stamp or watermark, None
            self.cursor.full_at, self.cursor.passes = now.started, self.cursor.passes + 1
        else:
            now.position = page.position
        self._save()
        self.cursor.watermark, self.cursor.now = watermark, now
        now.position, self.cursor.full_at, self.cursor.passes = kept
        take(self, page)

    return patch.object(Poll, "_take", early)


def acknowledge_in_poll() -> Any:
    """Acknowledge while polling: what is held is taken out of the platform's offer."""
    one = Poll._one

    def eager(self: Poll, offer: Any) -> Any:
        source = self.pair.source(self.flow)
        if source.answers:
            source.acknowledge(offer.key)
        return one(self, offer)

    return patch.object(Poll, "_one", eager)


@contextmanager
def strict_cursor() -> Iterator[None]:
    """Read strictly after the watermark, without overlap."""
    real = ServiceLayer.pages

    def pages(self: ServiceLayer, query: Any, position: str | None = None) -> Any:
        query.where = query.where.replace("UpdateDate ge", "UpdateDate gt").replace("CreateDate ge", "CreateDate gt")
        return real(self, query, position)

    with (
        patch.object(ServiceLayer, "pages", pages),
        patch("ml_connector.systems.sap_b1.masters.OVERLAP", timedelta(0)),
        patch("ml_connector.systems.sap_b1.orders.OVERLAP", timedelta(0)),
    ):
        yield


def delivered_without_verdict() -> Any:
    """Count a post to the platform as delivered, whatever its import says."""
    return patch.object(Masters, "verdicts", lambda self, stage, batch, tokens: {})


def no_maintenance() -> Any:
    """Release only by events: nothing looks for rows that fell due."""
    return patch("tests.simulation.plant.ring_due", lambda world: 0)


def open_door() -> Any:
    """Log in again and again after a refusal."""
    return patch.object(Breaker, "refused", lambda self, reason: None)


def no_redaction() -> Any:
    """Keep requests as they are."""
    return patch.object(Redactor, "text", lambda self, text: text)


def no_scope() -> Any:
    """Keep the rows of all tenants together."""
    init = Ledger.__init__

    def shared(self: Ledger, *args: Any, **more: Any) -> None:
        init(self, *args, **more)
        self.pk, self.links_pk = f"f#{self.flow}", "l#"

    return patch.object(Ledger, "__init__", shared)


def no_chain() -> Any:
    """Write no audit object."""
    return patch.object(audit, "write", lambda *args: None)


def failure_from_doubt() -> Any:
    """Answer a failure where the outcome is unknown."""

    def refuse(self: Paper, error: Any) -> None:
        self.chunk.reason, self.chunk.answer_ok = str(error), False
        self._answer()

    real = Paper._deliver

    def hasty(self: Paper) -> None:
        if self.chunk.step in {"sent", "unknown"}:
            refuse(self, "The outcome is unknown.")
            return
        real(self)

    return patch.object(Paper, "_deliver", hasty)


def rejected_for_parents() -> Any:
    """Reject a child whose parent is missing, for good."""
    return patch("ml_connector.systems.basware.verdicts.missing_parent", lambda text: False)


def counters() -> Any:
    """Lose a count: settle a chunk without its refused records."""
    settle = Bulk._settle

    def forgetful(self: Bulk) -> None:
        settle(self)
        self.chunk.rejected = 0

    return patch.object(Bulk, "_settle", forgetful)


def unchanged_by_sight() -> Any:
    """Hold the last seen for delivered: a rejected record counts as known."""

    def compared(self: Poll, key: str, row: Any, now: str) -> str | None:
        if now in {row.seen_fp, row.delivered_fp}:
            self.cursor.figures.unchanged += 1
            return None
        return "send"

    return patch.object(Poll, "_compared", compared)


CAUGHT: tuple[Weakening, ...] = (
    send_again_at_once, no_look, position_before_rows, strict_cursor, delivered_without_verdict, no_maintenance,
    open_door, no_redaction, no_scope, no_chain, failure_from_doubt, counters, unchanged_by_sight, acknowledge_in_poll,
)  # fmt: skip
UNSEEN: tuple[Weakening, ...] = (rejected_for_parents,)
"""Not caught within a few dozen seeds: orders wait for suppliers beforehand, and the daily comparison heals it."""


_VERDICTS = Tilt(acts=(people.bad_verdict, people.rename_account, people.rename_supplier), short=False, hours=14)
TILTS = {
    position_before_rows: Tilt(weather={"crash": 0.03}, hours=6, short=True),
    delivered_without_verdict: _VERDICTS,
    counters: _VERDICTS,
    unchanged_by_sight: _VERDICTS,
}
"""Where a weakening shows under rare circumstances only, they are made frequent."""


def caught_at(weakening: Weakening, seeds: range) -> tuple[int, list[str]] | None:
    """Find the first seed at which the checker catches a weakening, and what it says."""
    for seed in seeds:
        with weakening():
            found = check(History(seed, TILTS.get(weakening)).run())
        if found:
            return seed, found
    return None
