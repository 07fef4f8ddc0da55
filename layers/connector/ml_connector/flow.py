"""What moves: flows, integrations, and what a vendor's adapter offers to the engine.

An `Integration` is a table of flows. A `Connection` is one vendor's server for one tenant; it hands out sources
and targets by record type, and knows nothing of the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, Protocol, TypeVar

from ml_connector.enrichment import Keep
from ml_connector.pages import Broken as Broken  # noqa: PLC0414 - all that flows are made of is had from here
from ml_connector.pages import Page as Page  # noqa: PLC0414
from ml_connector.records import Record

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)
R_contra = TypeVar("R_contra", bound=Record, contravariant=True)

Manner = Literal["master", "document"]
"""Masters are compared by fingerprint and travel in bulk; documents travel by key, one at a time."""

Cadence = Literal["masters", "orders", "documents", "daily"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One row of the table: records of one type, from one system to the other.

    `maps` is the mapping kind that a delivered record provides. `after` names the flows of which one full pass
    must be complete first. `follows`: a record that is new to us is taken only while it is open, and then
    followed until it is closed. `codes` are the mapping kinds that may shape the outward body: after a change of one
    the next poll compares everything, and what differs is sent again. `links` names the flow whose delivered documents
    these records refer to. `concerns` names such a flow, too, where a record may belong to a document that we never
    delivered: the target finds that by number and supplier, and what belongs to nothing counts as unchanged. `asks`:
    where the source is an `AskedSource`, it is asked for each document of ours. `once`: a document is sent once, and a
    later version of it is an update where the target takes one, else a person decides.
    `notices`: the platform tells of orders of its own, which are read and kept with the order's history. `enriches`: it
    brings back what people changed at the platform of the suppliers that this flow sends there (`enrichment.py`).
    `aligns` names the flows whose records are compared in both systems, by this flow, which writes to neither.
    `guarded`: what people edited at the target is never overwritten; each record is read there right before it is sent
    (`engine/write/hand_edits.py`), so the target is a `GuardedTarget`.
    """

    name: str
    record: type[Record]
    source: str
    target: str
    manner: Manner
    cadence: Cadence
    maps: str | None = None
    after: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    follows: bool = False
    links: str | None = None
    money: bool = False
    notices: bool = False
    enriches: str | None = None
    guarded: bool = False
    aligns: tuple[str, ...] = ()
    concerns: str | None = None
    asks: bool = False
    once: bool = False

    @property
    def belongs_to(self) -> str | None:
        """Name the flow whose delivered documents these records belong to, for certain or perhaps."""
        return self.links or self.concerns

    @property
    def dated(self) -> bool:
        """Tell whether a start date means something for it: for documents and orders, not for master data."""
        return self.manner == "document" or self.follows


@dataclass(frozen=True, slots=True)
class Integration:
    """An ERP and an accounts-payable platform, and the flows between them in the order of a run.

    `defaults`: by system, fields of its secret that mean something else here where they are left out.
    """

    name: str
    erp: str
    platform: str
    flows: tuple[Flow, ...]
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)

    def flow(self, name: str) -> Flow:
        """Find a flow by name; raises `KeyError`."""
        return {f.name: f for f in self.flows}[name]


# ── masters ──────────────────────────────────────────────────────────────────────────────────────────────────


class MasterSource(Protocol[R_co]):
    """Reads records in bulk."""

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Any]]:
        """Read what changed since the stamp `since` (None: everything), from `position` on (None: the start).

        The source widens `since` by its own overlap, and ignores it where it keeps no change stamp.
        """

    def reread(self, keys: Sequence[str]) -> Iterator[Page[Any]]:
        """Read these very records as they are now; what the source does not have any more is left out."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A record in the target's words: its entities by stage, each stage a list of JSON objects.

    `target_id` is the code by which documents of the target name the record (a vendor code, an account code).
    `known`: an earlier version of it was sent, of which parts may stand even if it was refused, and may have to go; of
    what is created `once`, that it was created before.
    `keep`: the fields to leave as they stand there; the target asks right before it writes (`enrichment.Keep`).
    In a guarded flow, `kept` are the fields to leave, and `present` is the entity as it was read there right before:
    it is changed, and not written anew.
    """

    key: str
    target_id: str
    entities: Mapping[str, Sequence[Mapping[str, Any]]]
    known: bool = False
    keep: Keep | None = field(default=None, compare=False, repr=False)
    kept: frozenset[str] | None = None
    present: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """The target took the requests. `tokens` are asked for verdicts; `refused` are keys with reasons.

    Where a target refuses a batch whole, the adapter has sent the others again: what is not refused is in.
    """

    tokens: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the target finally made of one record."""

    outcome: Literal["delivered", "unchanged", "rejected", "held"]
    reason: str | None = None
    waiting_for: str | None = None


Chunking = Mapping[type[Record], tuple[int, Callable[[Any], int]]]
"""By record type: what a chunk may weigh at most, and how a record is weighed."""


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document that its source offers: its key and change stamp. `refers` is the linked document's id, if any.

    `void`: cancelled at the source, so that only a target which knows of it needs to hear more. `partner`: whose it
    is, where that is known; documents of one partner are written one after the other. `dated`: the day that a
    tenant's start date is compared with. `number`: what people call it, where the list says so: it is shown until the
    document itself has been read. `final`: hardly anything more is to come of it, so it is asked for rarely.
    """

    key: str
    stamp: str | None = None
    refers: str | None = None
    void: bool = False
    amount: Decimal | None = None
    currency: str | None = None
    partner: str | None = None
    dated: date | None = None
    number: str | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A page of offers, and where the next one begins. `written` is called once all of it is written down."""

    documents: Sequence[ListedDocument]
    broken: Sequence[Broken] = ()
    position: str | None = None
    stamp: str | None = None
    written: Callable[[], None] | None = field(default=None, compare=False, repr=False)


SourceState = Literal["offered", "acknowledged", "transferred", "refused", "gone"]
"""How a document stands at its source: waiting; taken by acknowledgement; answered well; answered badly; away."""


@dataclass(frozen=True, slots=True)
class Document(Generic[R]):
    """A document as it is now. `record` is None where it is gone.

    `void`: as in `ListedDocument`; `detail` says why then. `refers`: what the flow that it concerns may know the
    document by that it belongs to, best first: the target's id, `own:KEY`, or `~` and the natural name of `Prepared`.
    """

    record: R | None
    standing: SourceState
    stamp: str | None = None
    detail: str = ""
    void: bool = False
    refers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the source is told of a document. `code` is deterministic, so that a repeat is recognisable.

    `since`: when it can have been given first.
    """

    code: str
    success: bool
    message: str
    number: str | None = None
    internal: str | None = None
    posted_on: date | None = None
    since: datetime | None = None


class BaseDocumentSource(Protocol[R_co]):
    """Offers documents, one by one."""

    def list_documents(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        """List what is offered."""

    def fetch(self, key: str) -> Document[Any]:
        """Read a document as it is now. Raises `Rejected` where it cannot be read as a document."""


class ListingSource(BaseDocumentSource[R_co], Protocol[R_co]):
    """Is told nothing: what it offers does not depend on us."""

    @property
    def answers(self) -> Literal[False]:
        """Tells it from an `AnsweringSource`."""


class AnsweringSource(BaseDocumentSource[R_co], Protocol[R_co]):
    """Wants to hear what became of each document: then it offers that one no more."""

    @property
    def answers(self) -> Literal[True]:
        """Tells it from a `ListingSource`."""

    def acknowledge(self, key: str) -> None:
        """Take the document, right before it is posted; already taken is no error."""

    def taken(self) -> Iterable[str]:
        """List what is acknowledged and not yet answered, by whomever."""

    def answer(self, key: str, answer: Answer) -> str | None:
        """Tell what became of the document; returns a token for the verdict. Repeating a code is no error."""

    def answered(self, key: str, token: str | None, answer: Answer) -> Verdict | None:
        """Ask what the source made of our answer; None while it is still at it."""


DocumentSource = ListingSource[R] | AnsweringSource[R]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document in the target's words, with what is needed to find it there again.

    `lookup`: what `look` needs, and codes of the body under names with `=` in them, which it does not. `natural`: kind,
    partner and number as the target compares them; two documents that share it are one to the target (empty: nothing
    tells). `version`: what a later version is compared by, where that is less than the body. `dated`: the vendor's own
    date as it is sent, None where the source gives none. `name`: by which a target that refuses duplicates knows a
    second one; another name is another document to it. `since`: when it can have been sent first. `partner`,
    `reference` (the supplier's own number) and `kind` are told to people and compared with what is found; empty:
    nothing to compare. `unique`: the target lets no second one of this `name` in, whatever it does of others.
    `written`: what a read back compares in addition, by what people call it. `blind`: it can neither be looked for nor
    repeated, so an attempt of which nothing was heard is a person's to judge, also where our own process died in it.
    """

    key: str
    body: Mapping[str, Any]
    lookup: Mapping[str, str]
    amount: Decimal
    currency: str
    posted_on: date | None = None
    notes: tuple[str, ...] = ()
    natural: str = ""
    dated: date | None = None
    name: str = ""
    partner: str = ""
    reference: str = ""
    kind: str = ""
    since: datetime | None = None
    unique: bool = False
    blind: bool = False
    written: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A document at the target. `ours` is true where it carries our own key. `state`: draft = awaits approval;
    rejected = a draft that its approver refused; cancelled = it was posted and taken back since, as a read back tells.

    `notes`: what a person should know of how it was posted. `dated`: the vendor's own date, `posted_on`: the day it was
    posted on; `partner`, `reference` and `kind` as in `Prepared`; each None where the target does not tell it. `since`:
    when we can have sent it first, to read it back. `written`: as in `Prepared`, as far as the target tells it; its
    `account` is what any account has that it does not name. `slack`: how far its amounts may be off.
    `check`: what a read back that has steps left to do, which cannot be taken back, calls right before each of them
    with the document as it stands; it raises `Held` where that is not what was approved.
    """

    id: str
    number: str
    amount: Decimal | None = None
    currency: str | None = None
    ours: bool = False
    state: Literal["posted", "draft", "rejected", "cancelled"] = "posted"
    notes: tuple[str, ...] = ()
    dated: date | None = None
    posted_on: date | None = None
    partner: str | None = None
    reference: str | None = None
    kind: str | None = None
    since: datetime | None = None
    written: Mapping[str, str] = field(default_factory=dict, hash=False)
    slack: Decimal = Decimal(0)
    check: Callable[[Found], None] | None = field(default=None, compare=False, repr=False)


class DocumentTarget(Protocol[R_contra]):
    """Takes documents one by one. `refuses_duplicates`: the target itself lets no second one in. `title`: its name."""

    refuses_duplicates: bool
    title: str

    def prepare(self, record: R_contra, codes: Codes) -> Prepared:
        """Say a document in the target's words. Raises `Held` or `Rejected`."""

    def trace(self, record: R_contra, codes: Codes) -> Prepared:
        """Say what the document is found by, and nothing that its own posting may have changed (an order used up)."""

    def look(self, prepared: Prepared) -> list[Found]:
        """Find the document by our own key, whatever else it says, or by its natural key; cancelled ones do not count.

        Numbers and codes are compared as `folding.fold` does. Drafts are read before documents, so that one that is
        approved meanwhile is not missed.
        """

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        """Find the documents that the target itself calls `number`, of this partner and kind; cancelled ones not."""

    def recent(self) -> list[Found]:
        """List recent documents with a key in our shape, whoever wrote it; the key is their `reference`.

        It is written as `own` of `Prepared.lookup`.
        """

    def stands(self, found: Found) -> bool:
        """Tell whether a document that was there still counts: False only where the target says that it does not."""

    def send(self, prepared: Prepared) -> Found:
        """Post it once. Raises `Rejected`, `Held`, `OutcomeUnknown` or `Transient` (had no effect)."""

    def read_back(self, found: Found) -> Found:
        """Read the posted document, with the number and the total that the target keeps."""


class Codes(Protocol):
    """Translates codes between the two systems of an integration; see `engine/ledger/codes.py`."""

    def erp(self, kind: str, code: str) -> str:
        """Translate the platform's code into the ERP's; raises `Held` where there is none."""

    def platform(self, kind: str, code: str) -> str:
        """Translate the ERP's code into the platform's; raises `Held` where there is none or several."""

    def named(self, kind: str, code: str) -> str:
        """Give what people mapped to an ERP's code that is being delivered, else itself; `Held` where several are."""
