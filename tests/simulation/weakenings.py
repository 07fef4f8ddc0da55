"""Deliberate weakenings of the product, put in for one history at a time (`catalogue.py` lists them)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.engine.ledger import fingerprint
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.poll import masters
from ml_connector.engine.poll.documents import DocumentPass
from ml_connector.engine.poll.masters import MasterPass
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.write import deferred_audit, retry, uncertain, worker
from ml_connector.engine.write.attempt import Attempt
from ml_connector.engine.write.document import DocumentWriter
from ml_connector.engine.write.masters import MasterWriter
from ml_connector.engine.write.matching import Matcher
from ml_connector.errors import Held, Rejected
from ml_connector.receive import Receiver
from ml_connector.redact import Redactor
from ml_connector.systems.basware.client import Answer
from ml_connector.systems.basware.upserts import Masters
from ml_connector.systems.sap_b1.client import ServiceLayer
from tests.simulation.fifo import RecordQueue
from tests.simulation.ports import SimStore

Weakening = Callable[[], Any]


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────


def send_again_at_once() -> Any:
    """Re-send on an unknown outcome, whenever it was."""
    return patch.object(DocumentWriter, "_may_send", lambda self, *more: True)


@contextmanager
def no_settle_time() -> Iterator[None]:
    """Look, and send again as soon as nothing is found."""
    real = DocumentWriter._may_send

    def hasty(self: DocumentWriter, *more: Any) -> bool:
        self.attempt.pair = replace(
            self.attempt.pair, in_doubt_seconds=dict.fromkeys(self.attempt.pair.in_doubt_seconds, 0)
        )
        return real(self, *more)

    with patch.object(DocumentWriter, "_may_send", hasty):
        yield


@contextmanager
def no_look() -> Iterator[None]:
    """Send without looking first."""
    with (
        patch.object(Matcher, "look", lambda self, prepared: None),
        patch.object(Matcher, "look_for_sent", lambda self: None),
    ):
        yield


def no_second_look() -> Any:
    """Believe in the second sending without looking once more: what comes later is not noticed."""
    return patch.object(DocumentWriter, "_recheck_later", lambda self: False)


def failure_from_doubt() -> Any:
    """Answer a failure where the outcome is unknown."""
    real = DocumentWriter._deliver

    def hasty(self: DocumentWriter) -> None:
        if self.chunk.step in {"sent", "unknown"}:
            self.chunk.reason, self.chunk.answer_ok = "The outcome is unknown.", False
            self.responder.answer()
            return
        real(self)

    return patch.object(DocumentWriter, "_deliver", hasty)


@contextmanager
def no_backoff() -> Iterator[None]:
    """Try again every second or so, for as long as it takes."""

    def at_once(attempts: int, first: float, most: float) -> float:
        return 1.0

    with (
        patch.object(retry, "backoff", at_once),
        patch("ml_connector.engine.write.masters.backoff", at_once),
        patch.object(retry, "EXHAUSTED", 10**9),
    ):
        yield


def refused_at_once() -> Any:
    """Refuse a document after its first trouble, though nothing is wrong with it."""
    return patch.object(retry, "back_off", lambda attempt, error: worker._rejected(attempt, Rejected(str(error))))


def given_up_early() -> Any:
    """Give work up after a few attempts that failed, as if it were hopeless."""

    def pause(attempt: Attempt, error: Exception) -> None:
        attempt.chunk.failures += 1
        attempt.dead("exhausted", str(error))

    return patch.object(retry, "back_off", pause)


def child_refused() -> Any:
    """Refuse what names a record that is not there yet, where it should wait for it."""
    real = retry.hold

    def harsh(attempt: Attempt, error: Held) -> None:
        if error.waiting_for.startswith("supplier:"):
            worker._rejected(attempt, Rejected(str(error)))
        else:
            real(attempt, error)

    return patch.object(retry, "hold", harsh)


@contextmanager
def order_forgotten() -> Iterator[None]:
    """Map before looking, also where the document is acknowledged and our rows know nothing of it."""
    real = DocumentWriter._prepared

    with patch.object(DocumentWriter, "_prepared", lambda self, record, standing: real(self, record, "offered")):
        yield


def acknowledge_in_poll() -> Any:
    """Acknowledge while polling: what is held is taken out of the platform's offer."""
    one = DocumentPass._one

    def eager(self: DocumentPass, offer: Any) -> Any:
        source = self.source
        if source.answers:
            source.acknowledge(offer.key)
        return one(self, offer)

    return patch.object(DocumentPass, "_one", eager)


def no_signature() -> Any:
    """Take every notification for signed."""
    return patch("ml_connector.systems.basware.webhook.verify", lambda body, signature, keys: True)


@contextmanager
def task_before_row() -> Iterator[None]:
    """Remember a notification's task before its row is written."""
    seen = Receiver._seen

    def remembering(self: Receiver, tenant: str, attempt: str) -> bool:
        if seen(self, tenant, attempt):
            return True
        self._remember(tenant, attempt)
        return False

    with patch.object(Receiver, "_seen", remembering):
        yield


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────


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
        self.state.save()
        self.cursor.watermark, self.cursor.now = watermark, now
        now.position, self.cursor.full_at, self.cursor.passes = kept
        take(self, page)

    return patch.object(Poll, "_take", early)


@contextmanager
def strict_cursor() -> Iterator[None]:
    """Read strictly after the watermark, without overlap."""
    real = ServiceLayer.pages

    def pages(self: ServiceLayer, query: Any, position: str | None = None) -> Any:
        query.where = query.where.replace("UpdateDate ge", "UpdateDate gt").replace("CreateDate ge", "CreateDate gt")
        return real(self, query, position)

    with (
        patch.object(ServiceLayer, "pages", pages),
        patch("ml_connector.systems.kit.masters.OVERLAP", timedelta(0)),
    ):
        yield


def no_full_comparison() -> Any:
    """Trust the stamps of changes for ever."""
    return patch.object(Poll, "_full_is_due", lambda self, clock: self.cursor.full_at is None)


def unchanged_by_sight() -> Any:
    """Hold the last seen for delivered: a rejected record counts as known."""

    def compared(self: MasterPass, record: Any, row: Any, now: str) -> str | None:
        if now in {row.seen_fp, row.delivered_fp}:
            self.cursor.figures.unchanged += 1
            return None
        return "send"

    return patch.object(MasterPass, "_compared", compared)


def rebaseline_blindly() -> Any:
    """Take every row of another release for unchanged: what changed while it was deployed is lost."""

    def older(known: str | None, record: Any, epoch: str) -> bool:
        return known is not None and known.split(".", 1)[0] != fingerprint.VERSION

    return patch.object(masters, "only_older", older)


def no_epoch() -> Any:
    """Leave settings out of the fingerprint."""
    made = fingerprint._made
    return patch.object(fingerprint, "_made", lambda version, epoch, text: made(version, "same", text))


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────


def blamed_on_the_record() -> Any:
    """Take a trouble of the platform's own for a refusal of the record."""
    return patch.object(Answer, "says_nothing_of_records", False)


def delivered_without_verdict() -> Any:
    """Count a post to the platform as delivered, whatever its import says."""
    return patch.object(Masters, "verdicts", lambda self, stage, batch, tokens: {})


def no_taint() -> Any:
    """Leave no mark on records that a worker sent after it had lost its chunk."""
    return patch.object(uncertain, "invalidate", lambda attempt, exchanges: None)


def no_doubt() -> Any:
    """Send a changed record while an older request for it may still be carried out."""
    return patch.object(uncertain, "seconds_left", lambda attempt, keys, known: 0.0)


def counters() -> Any:
    """Lose a count: settle a chunk without its refused records."""
    settle = MasterWriter.complete

    def forgetful(self: MasterWriter) -> None:
        settle(self)
        self.chunk.rejected = 0

    return patch.object(MasterWriter, "complete", forgetful)


def codes_forgotten() -> Any:
    """Settle what an earlier attempt decided without the codes under which it went."""

    def known(self: MasterWriter, key: str, before: str | None) -> str | None:
        return self.rendered[key].target_id if key in self.rendered else before

    return patch.object(MasterWriter, "_code", known)


def no_condition() -> Any:
    """Write rows whatever became of them meanwhile."""
    put = SimStore.put

    def anyhow(self: SimStore, item: Any) -> Any:
        present = self.base.get(item.pk, item.sk)
        return put(self, replace(item, rev=present.rev if present else 0))

    return patch.object(SimStore, "put", anyhow)


def released_by_events_only() -> Any:
    """Look at what is held only when something says so."""
    wait = Attempt.wait

    def forever(self: Attempt, seconds: float, *, waiting_for: str | None = None, reason: str | None = None) -> None:
        wait(self, 90 * 86_400 if waiting_for else seconds, waiting_for=waiting_for, reason=reason)

    return patch.object(Attempt, "wait", forever)


def no_maintenance() -> Any:
    """Nothing looks for rows that fell due."""
    return patch("ml_connector.engine.schedule.wake_up.due_rows", lambda *_: [])


def settings_of_the_verdict() -> Any:
    """Fingerprint what was sent with the settings there are when its verdict comes."""

    def later(self: MasterWriter, key: str) -> str:
        self.chunk.epoch = None
        return real(self, key)

    real = MasterWriter._fingerprint
    return patch.object(MasterWriter, "_fingerprint", later)


# ── what another safeguard makes good ────────────────────────────────────────────────────────────────────────


@contextmanager
def watermark_in_mid_pass() -> Iterator[None]:
    """Move the watermark with each page: what a pass that breaks off has not shown may lie behind it."""
    real = Poll._take

    def eager(self: Poll, page: Any) -> None:
        real(self, page)
        if page.stamp is not None:
            self.cursor.watermark = max(page.stamp, self.cursor.watermark or "")
            self.state.save()

    with patch.object(Poll, "_take", eager):
        yield


@contextmanager
def rung_by_number() -> Iterator[None]:
    """Deduplicate rings by flow and chunk number: a second ring within five minutes is swallowed."""

    def notify(self: RecordQueue, group: str, message: Any) -> None:
        self.queue.send(group, self.form(message), f"{message['flow']} {message['id']}")

    with patch.object(RecordQueue, "notify", notify):
        yield


# ── around it ────────────────────────────────────────────────────────────────────────────────────────────────


def last_refusal_only() -> Any:
    """Remember only the last version of a secret that was refused."""

    def refused(self: Breaker, reason: str) -> None:
        self._change(lambda data: data.update(refused=[self._version], reason=reason))

    return patch.object(Breaker, "login_refused", refused)


def open_door() -> Any:
    """Log in again and again after a refusal."""
    return patch.object(Breaker, "login_refused", lambda self, reason: None)


@contextmanager
def session_for_all() -> Iterator[None]:
    """Bind a session to its tenant and system alone, whatever the secret says by now."""
    init = Sessions.__init__

    def unbound(self: Sessions, *args: Any, name: str, version: str, **more: Any) -> None:
        init(self, *args, name=name.rpartition("#")[0], version="any", **more)

    with patch.object(Sessions, "__init__", unbound):
        yield


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


def lost_attempts_unkept() -> Any:
    """Forget what a worker said that had lost its chunk meanwhile."""
    return patch.object(worker, "_keep", lambda attempt, exchanges, error: None)


def not_kept_for_the_bucket() -> Any:
    """Lose an attempt that the bucket does not take."""
    return patch.object(deferred_audit, "park", lambda *args: False)


def no_chain() -> Any:
    """Write no audit object."""
    return patch.object(worker, "_audit", lambda *args: None)
