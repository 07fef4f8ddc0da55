"""A document at hand: both ends of its flow, what is known of it, and what it is called before people."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NoReturn

import msgspec

from ml_connector.engine.ledger.concerned import owner, watch
from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.write.attempt import Attempt
from ml_connector.engine.write.identity import recall, version_of
from ml_connector.errors import Held
from ml_connector.flow import Document, Found, Prepared

FRESH = frozenset({"", "held", "refused"})
"""Steps at which nothing of ours can be at the target, unless `Chunk.sents` says so."""


class Case:
    """What all who work on one document's attempt share."""

    def __init__(self, attempt: Attempt) -> None:
        """Have both ends at hand."""
        self.attempt, self.chunk = attempt, attempt.chunk
        self.key: str = attempt.chunk.key or attempt.chunk.id
        self.source = attempt.pair.document_source(attempt.flow)
        self.target = attempt.pair.document_target(attempt.flow)
        self._refers: tuple[str, ...] = ()
        self.own = next((one.lookup["own"] for one in attempt.chunk.sents if "own" in one.lookup), "")

    @property
    def source_title(self) -> str:
        """Name the system that it comes from, as people do; `target.title` is that of the other."""
        return self.attempt.pair.title(self.attempt.flow.source)

    @property
    def fresh(self) -> bool:
        """Tell whether nothing of ours can be at the target."""
        return self.chunk.step in FRESH and not self.chunk.sents

    @property
    def sent(self) -> list[Prepared]:
        """What was sent and may stand there, as it was sent."""
        return [replace(recall(self.key, one), since=self.since()) for one in self.chunk.sents]

    def since(self) -> datetime:
        """Tell since when anything of this document can have been said or sent."""
        return datetime.fromisoformat(self.chunk.first_try or self.chunk.created)

    @property
    def tolerance(self) -> Decimal:
        """By how much taxes may be rounded otherwise there."""
        tolerance: Decimal = self.attempt.pair.options.tolerance(self.chunk.currency)
        return tolerance

    def decided(self, what: Literal["match", "post"]) -> bool:
        """Tell whether a person decided so."""
        return self.chunk.decision is not None and self.chunk.decision.what == what

    def open_decision(self, what: Literal["match", "post"]) -> bool:
        """Tell whether such a decision has not been carried out yet."""
        return self.decided(what) and self.chunk.decision is not None and not self.chunk.decision.applied

    def known(self) -> Row:
        """Read the record row; an empty one where there is none."""
        found = self.attempt.ledger.rows([self.key], consistent=True)
        return found[self.key][0] if self.key in found else Row()

    def fetch(self) -> Document[Any]:
        """Read the document as its source has it now, and take down what its rows are to say of it."""
        self.attempt.said["talking_to"] = self.attempt.flow.source
        document = self.read()
        self.attempt.said["talking_to"] = self.attempt.flow.target
        self.chunk.stamp = document.stamp or self.chunk.stamp
        record = document.record
        if record is not None:
            self.chunk.number = getattr(record, "number", None)
            money = getattr(record, "gross", None) if hasattr(record, "gross") else getattr(record, "amount", None)
            if money is not None:  # what was paid and taken back is nothing, in the sums too
                self.chunk.amount = str(-money if getattr(record, "cancelled", False) else money)
            self.chunk.currency = getattr(record, "currency", None) or self.chunk.currency
        return document

    def read(self) -> Document[Any]:
        """Read the document as its source has it now, and only that."""
        document: Document[Any] = self.source.fetch(self.key)
        self._refers = document.refers
        return document

    def linked(self, record: Any) -> Any:
        """Name the document of the target to which this one, as it was read last, refers where it is one of ours."""
        if (concerns := self.attempt.flow.concerns) is not None:
            key = owner(self.attempt.ledger.sibling(concerns), self._refers)
            return record if key is None else msgspec.structs.replace(record, document=key)
        flow = self.attempt.flow.links
        if flow is None or not self.chunk.refers:
            return record
        key = self.attempt.ledger.sibling(flow).links([self.chunk.refers]).get(self.chunk.refers)
        if key is None:
            raise Held(
                f"lookup:{self.key}", f"Document {self.chunk.refers}, which this belongs to, was not posted from here."
            )
        return msgspec.structs.replace(record, document=key)

    def look_back(self) -> None:
        """Have what refers to this document looked for from the start: it may have been listed while nobody knew it."""
        for flow in self.attempt.pair.integration.flows:
            if flow.belongs_to == self.attempt.flow.name:
                self.attempt.ledger.sibling(flow.name).look_back()

    def value(self, prepared: Prepared) -> None:
        """Take down how it is valued, when it is posted, and what it says there."""
        self.own = prepared.lookup.get("own", "")
        self.chunk.version = version_of(prepared) or self.chunk.version
        if self.attempt.flow.target == self.attempt.pair.integration.platform:
            self.chunk.currency = prepared.currency  # amounts are told in the platform's currencies, in every flow
        self.chunk.posted_on = prepared.posted_on.isoformat() if prepared.posted_on else None
        self.attempt.said["notes"] = list(prepared.notes)

    def announce(self, target: str) -> None:
        """Let the flows that concern this one find the document by its ids, and ask for it."""
        ledger = self.attempt.ledger
        flows = [flow for flow in self.attempt.pair.integration.flows if flow.concerns == self.attempt.flow.name]
        if flows and self.own:
            ledger.link(f"own:{self.own}", self.key)
        for flow in flows:
            if flow.asks:
                watch(ledger.sibling(flow.name), target)

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────────

    def conflict(self, message: str) -> NoReturn:
        """Hold it until a person has judged."""
        raise Held(f"conflict:{self.key}", message)

    @property
    def resolve(self) -> str:
        """The command by which a person decides."""
        return f"ml-connector resolve {self.chunk.tenant} {self.chunk.flow} {shlex.quote(self.key)}"

    def match(self, number: str) -> str:
        """Give the command by which a person takes a document of the target for this one."""
        return f"`{self.resolve} --match {shlex.quote(number)}`"

    @property
    def replay(self) -> str:
        """The command by which it is looked for and sent again."""
        return f"`ml-connector replay {self.chunk.tenant} {self.chunk.flow} {shlex.quote(self.key)}`"

    def this(self, wanted: Prepared | None = None) -> str:
        """Name the document as a person knows it."""
        number = self.chunk.number or (wanted.reference if wanted else "") or self.key
        money = f"{self.chunk.amount} {self.chunk.currency or ''}".strip() if self.chunk.amount else ""
        whose = f"supplier {wanted.partner}" if wanted is not None and wanted.partner else ""
        more = ", ".join(part for part in (money, whose) if part)
        return f"{number} ({more})" if more else number

    def there(self, found: Found) -> str:
        """Name a document at the target as a person finds it there."""
        money = f"{abs(found.amount)} {found.currency or ''}".rstrip() if found.amount is not None else ""
        whose = f"supplier {found.partner}" if found.partner else ""
        number = f"number {found.reference}" if found.reference else ""
        day = found.dated.isoformat() if found.dated else ""
        more = ", ".join(part for part in (money, day, number, whose) if part)
        draft = "draft" if found.state in {"draft", "rejected"} else "document"
        return f"{self.target.title} {draft} {found.number}" + (f" ({more})" if more else "")

    def described(self, key: str) -> str:
        """Say of another document of ours what a person needs to compare it with this one."""
        name, under_way = f"{self.source_title} document {key}", self.attempt.ledger.chunk(key)
        if under_way is not None:
            chunk = under_way[0]
            return f"{name} ({chunk.amount or 'amount unknown'} {chunk.currency or ''}".rstrip() + ", in progress)"
        row = self.attempt.ledger.rows([key]).get(key)
        return f"{name} (posted as {row[0].code})" if row is not None and row[0].code else name
