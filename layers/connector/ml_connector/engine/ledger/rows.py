"""The rows of the ledger: cursors, record rows, chunks. Times are ISO 8601 in UTC, so that they compare as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from ml_connector.type_cache import resolve

Outcome = Literal["delivered", "unchanged", "rejected"]
State = Literal["open", "sending", "waiting", "posted", "failed", "done"]
Reject = tuple[str, str]
"""A record's key and the reason why it was rejected."""
GONE = "gone"
"""Stands for the fingerprint of a record that vanished at its source and was switched off at the target."""
LONGEST_REASON = 500
"""Characters of one refusal in a cursor, which is one row of the store."""


class Figures(Struct, kw_only=True, omit_defaults=True):
    """What one run read and needed no chunk for; saved with each position, never incremented elsewhere."""

    run: str = ""
    unchanged: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    would_send: int = 0
    error: str | None = None


class Pass(Struct, kw_only=True, omit_defaults=True):
    """A pass under way: where it stands and since when, the highest stamp seen, and whether it compares everything.

    `daily`: it also sends again what was rejected, since the cause may be gone.
    """

    started: str
    moved: str | None = None
    since: str | None = None
    position: str | None = None
    stamp: str | None = None
    full: bool = False
    daily: bool = False


class Cursor(Struct, kw_only=True, omit_defaults=True):
    """Where a flow stands. `seq` numbers chunks; `passes` counts complete ones; a reset raises `generation`."""

    watermark: str | None = None
    now: Pass | None = None
    seq: int = 0
    passes: int = 0
    full_at: str | None = None
    generation: int = 0
    next_due: str | None = None
    figures: Figures = field(default_factory=Figures)


class SharedField(Struct, kw_only=True, omit_defaults=True):
    """How a field stands that both sides of a supplier may change: what they last agreed on, in the words of each.

    `platform` is None where they never agreed. `enriched`: it came from the platform. `seen`: what the ERP had when the
    supplier was last completed, whoever wrote it. Written by a confirmed completion and nowhere else.

    `at`: when it came from the platform: what was read in the ERP before had not got it yet. `writing`: what was being
    written into the ERP, until that is confirmed. It may stand there although it is not agreed on, and then nobody has
    changed it there but we.

    Of a guarded flow, both values are in the platform's words, `writing` is what is being written there, and `enriched`
    says that a person left `platform` as it was edited there, while the ERP had `erp`.
    """

    erp: str = ""
    platform: str | None = None
    enriched: bool = False
    seen: str = ""
    at: str = ""
    writing: str | None = None


class Row(Struct, kw_only=True, omit_defaults=True):
    """What is known of one source record. `delivered_fp` is written by a confirmed settle and nowhere else.

    `code` is how the target's documents name it, `target` the target's own id, `number` the visible one. `touch`:
    somebody asked for it to be sent again, with a real change; the next settle clears it. `taint`: when a worker that
    had lost its chunk may have sent something older over it; only what was sent later settles it. `used`: the ERP's
    codes that its body was made with, as far as mappings decide them, and what they became (`{"tax:V1": "19"}`); None:
    unknown. `shared`: by field, of a supplier that people may also change at the platform (`enrichment.FIELDS`), or of
    a record of a guarded flow. A document of a flow that sends one once has the hash of what it says there as its
    `delivered_fp`.
    """

    seq: int = 0
    outcome: Outcome | None = None
    delivered_fp: str | None = None
    seen_fp: str | None = None
    code: str | None = None
    target: str | None = None
    number: str | None = None
    chunk: str = ""
    reason: str | None = None
    stamp: str | None = None
    open: bool | None = None
    touch: str | None = None
    doubt: str | None = None
    taint: str | None = None
    used: dict[str, str] | None = None
    shared: dict[str, SharedField] | None = None

    def spoilt_since(self, sent_at: str | None) -> bool:
        """Tell whether what was sent then may lie under something older by now."""
        return self.taint is not None and self.taint >= (sent_at or "")


class SentDocument(Struct, kw_only=True, omit_defaults=True):
    """What was sent, as it is found again: kept from right before the request until its fate is known.

    The fields are those of `flow.Prepared`, dates and amounts as text. `taken`: the target said that it took it, and
    not what it became.
    """

    lookup: dict[str, str]
    amount: str
    currency: str
    natural: str = ""
    name: str = ""
    partner: str = ""
    reference: str = ""
    kind: str = ""
    dated: str | None = None
    posted_on: str | None = None
    at: str = ""
    taken: bool = False
    written: dict[str, str] = {}
    version: str = ""


class Decision(Struct, kw_only=True, omit_defaults=True):
    """What a person decided of a held document. `match`: it is the target's document `number`; `post`: it is another.

    `applied`: what stood at the target then was passed over, or taken for it. `currency`: the target's code for the
    currency that a match is taken in.
    """

    what: Literal["match", "post"]
    number: str = ""
    by: str = ""
    at: str = ""
    applied: bool = False
    currency: str = ""


PARKED = "audit"
"""What a row is to do that is no chunk but an attempt that waits for the bucket (`write/deferred_audit.py`)."""


class Chunk(Struct, kw_only=True, omit_defaults=True):
    """Records of one flow on their way to the target. See `docs/architecture.md` for its states.

    `step` says how far a document came (sent, unknown, collided, posted, answered); `results` holds what is already
    decided of a bulk chunk, by key. `shadow`: nothing was sent, only shown. `swept`: found acknowledged by the daily
    sweep, nobody knows by whom. `death` numbers its deaths, so that an old dead letter opens nothing; `died_at` is
    the last one's time. `parked_at`: since when it waits for a system that is away or refuses the login, or for time.
    `op` is send, rebaseline, retire, notice or broken; any other is a newer release's, and is left to it. `guarded`:
    why a person must agree before these records are switched off. `epoch`: the settings that its body was made with,
    once it has gone out; they may be others by the time its verdict comes. `renewed`: an earlier version of one of its
    records was on its way when it was read, and may leave parts behind. `sents`: what was sent and may stand at the
    target. `passed`: ids there that stood before it was sent, and are others by a person's word. `alone`: after the
    posting nothing else was found under its name. `several`: ids there of which a person was told that one may stand.
    `awaits`: the master record for which a chunk waits, as KIND:CODE, where `waiting_for` names its flow; of several
    the first. `shared`: what will be agreed on of a supplier's fields once it is confirmed, by key, and `kept`: which
    of them were left as they stood; of a guarded flow those that people edited, each with what stands at the platform
    and in the ERP. `before`: digests of the columns that a supplier had in the ERP right before its fields were
    written. `version`: a hash of what a document says at the target, for flows that send one once. `about`: the kind of
    a notice; empty: of an exported order.
    """

    id: str
    tenant: str
    integration: str
    flow: str
    lane: str
    run: str
    created: str
    seq: int = 0
    state: State = "open"
    op: str = "send"
    step: str = ""
    stage: int = 0
    tokens: list[str] = field(default_factory=list)
    token_at: str | None = None
    results: dict[str, tuple[str, str]] = field(default_factory=dict)
    count: int = 1
    key: str | None = None
    refers: str | None = None
    stamp: str | None = None
    touch: str | None = None
    amount: str | None = None
    currency: str | None = None
    due_at: str | None = None
    owner: str = ""
    attempts: int = 0
    first_try: str | None = None
    crashes: int = 0
    failures: int = 0
    waiting_for: str | None = None
    awaits: str | None = None
    reason: str | None = None
    cause: str | None = None
    death: int = 0
    died_at: str | None = None
    parked_at: str | None = None
    target: str | None = None
    number: str | None = None
    code: str | None = None
    sent_at: str | None = None
    recheck: bool = False
    answer_ok: bool = True
    refusal: str | None = None
    answer_try: int = 0
    posted_on: str | None = None
    posted_amount: str | None = None
    outcome: Outcome | None = None
    delivered: int = 0
    unchanged: int = 0
    rejected: int = 0
    moved: int = 0
    done_at: str | None = None
    audits: int = 0
    chain: str | None = None
    notes: list[str] = field(default_factory=list)
    shadow: bool = False
    swept: bool = False
    guarded: str | None = None
    doubt: str | None = None
    epoch: str | None = None
    renewed: bool = False
    sents: list[SentDocument] = field(default_factory=list)
    decision: Decision | None = None
    passed: list[str] = field(default_factory=list)
    alone: bool = False
    several: list[str] = field(default_factory=list)
    shared: dict[str, dict[str, SharedField]] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    version: str | None = None
    about: str = ""

    @property
    def settled(self) -> bool:
        """Tell whether nothing is left to do."""
        return self.state == "done"

    @property
    def in_flight(self) -> bool:
        """Tell whether it is on its way, neither held for somebody nor dead."""
        return self.state not in {"failed", "done"} and not self.waiting_for


for _kind in (SharedField, Row, SentDocument, Decision, Chunk, Cursor):
    resolve(_kind)
S = TypeVar("S", bound=Struct)


def load(kind: type[S], data: Any) -> S:
    """Read a row; fields that a newer version wrote are ignored."""
    return msgspec.convert(data, kind)


def dump(row: Struct) -> dict[str, Any]:
    """Write a row as plain data."""
    return msgspec.to_builtins(row)  # type: ignore[no-any-return]


def iso(moment: datetime) -> str:
    """Write a time so that text order is time order: always six digits of a second, always UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def cut(reason: str, longest: int = LONGEST_REASON) -> str:
    """Cut a reason to what a row has room for."""
    return reason if len(reason) <= longest else f"{reason[: longest - 1]}…"


def readable(reason: str, longest: int = LONGEST_REASON) -> str:
    """Cut a text to what a row has room for, and replace what no store takes: half of a surrogate pair."""
    return cut(reason.encode(errors="replace").decode(), longest)
