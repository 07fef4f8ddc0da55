"""What people changed of a supplier at the platform, on its way to the ERP: payment term and tax ids, nothing else.

    read at the platform ──► compare with what was agreed on ──► read in the ERP ──► write ──► read again ──► agreed

The ERP stays master of everything else. So its whole row is read before and after: whatever else is another then is an
alarm, and nothing more is written until a person has looked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from msgspec import structs

from ml_connector.engine.ledger import shared
from ml_connector.engine.ledger.codes import LedgerCodes
from ml_connector.engine.ledger.rows import SharedField
from ml_connector.engine.write import uncertain
from ml_connector.engine.write.attempt import Attempt
from ml_connector.engine.write.masters import MasterWriter
from ml_connector.engine.write.prerequisites import wait_for_masters
from ml_connector.engine.write.rereading import read_again
from ml_connector.enrichment import TERM, TERM_KIND, WORDS, ErpSupplier, SupplierFields
from ml_connector.errors import Held, OutcomeUnknown, Rejected
from ml_connector.flow import Rendered
from ml_connector.records import SupplierEnrichment

OF = ""
"""Under which `Chunk.before` names the supplier that is written: no column has this name."""
ALARM = "other fields changed"
"""Why such a chunk fails, as people list it."""


@dataclass
class Compared:
    """What follows for a supplier: fields that both sides agree on, fields to write, and why others have to wait."""

    agreed: dict[str, SharedField] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)
    waiting: list[Held] = field(default_factory=list)


class ChangedMore(Exception):
    """More than what was written is another in the ERP."""


class Enrichment:
    """One attempt at a chunk of suppliers as they stand at the platform."""

    def __init__(self, attempt: Attempt) -> None:
        """Read the chunk's records."""
        self.attempt, self.chunk, self.pair, self.flow = attempt, attempt.chunk, attempt.pair, attempt.flow
        self.bulk = MasterWriter(attempt)
        self.suppliers = self.pair.ledger(str(self.flow.enriches))

    @cached_property
    def erp(self) -> SupplierFields:
        """The ERP's side."""
        return self.pair.supplier_fields(self.flow)

    @cached_property
    def _codes(self) -> LedgerCodes:
        return self.pair.codes()

    def advance(self) -> None:
        """Bring the chunk as far as it goes now."""
        self.bulk.reject_unreadable()
        if self._undecided() and self.bulk.drop_superseded() and self.bulk.in_doubt():
            return
        if self._undecided():
            self.pair.check(self.flow.source, self.flow.target)
            wait_for_masters(self.attempt)
            read_again(self.bulk, self._undecided())
        try:
            self._look_back()
            for key in self._undecided():
                self._bring(cast("SupplierEnrichment", self.bulk.records[key]))
        except ChangedMore as alarm:
            self.chunk.before = {}
            self.attempt.dead(ALARM, str(alarm))
            return
        self.chunk.shadow = self.pair.shadow
        self.bulk.complete()

    def _undecided(self) -> list[str]:
        return [key for key in self.bulk.records if key not in self.chunk.results]

    def _bring(self, record: SupplierEnrichment) -> None:
        key = self._codes.erp("supplier", record.key)
        known = shared.read(self.suppliers, key)
        begun = self._begun(key)
        if not begun and shared.is_agreed(record, known, self._mapped_term):
            self._decide(record, key, "unchanged")
            return
        now = self._read(record, key)
        self._check(record, key, now, again=True)
        found = self._compare(record, key, known, now)
        if found.changes and not self.pair.shadow:
            self._write(record, key, now, found)
        if not self.pair.shadow:
            shared.agree(self.suppliers, key, found.agreed)
            self.chunk.before = {}
        if found.waiting:
            raise found.waiting[0]
        self._decide(record, key, "delivered" if found.changes or begun else "unchanged")

    def _decide(self, record: SupplierEnrichment, key: str, outcome: str) -> None:
        self.chunk.results[record.key] = (outcome, "")
        self.bulk.rendered[record.key] = Rendered(record.key, key, {})

    def _read(self, record: SupplierEnrichment, key: str) -> ErpSupplier:
        found = self.erp.read(key)
        if found is None:
            raise Held(
                f"supplier:{record.key}",
                f"{self._erp} has no supplier {key}, so what was changed of supplier {record.key} in {self._platform} "
                "cannot be entered there. This resumes automatically once it has.",
            )
        return found

    # ── what follows ────────────────────────────────────────────────────────────────────────────────────────

    def _compare(
        self, record: SupplierEnrichment, key: str, known: Mapping[str, SharedField], now: ErpSupplier
    ) -> Compared:
        """Compare three. Where both changed a field, the platform's value counts; where they never agreed, neither."""
        found, said = Compared(), {}
        for name, theirs in shared.values(record).items():
            was = known.get(name, shared.NEVER)
            if not theirs or shared.stands(name, theirs, known.get(name), self._mapped_term):
                continue  # what is empty there empties nothing here
            if name not in self.erp.fields:
                found.agreed[name] = SharedField(erp=was.erp, platform=theirs, enriched=True, seen=was.seen)
                continue
            ours = now.values.get(name, "")
            if was.writing not in {None, ours} and theirs == was.platform:  # a write in doubt that left nothing to do
                found.agreed |= {name: structs.replace(was, writing=None)} if ours == was.erp else {}
                continue
            said[name] = {"agreed": was.platform, self.flow.source: theirs, self.flow.target: ours}
            try:
                wanted = self._wanted(name, theirs, ours)
            except Held as error:
                found.waiting.append(error)
                continue
            if wanted != ours and was.platform is None and ours:
                found.waiting.append(self._conflict(record, key, name, theirs, ours))
                continue
            if wanted != ours:
                found.changes[name] = wanted
            enriched = wanted != ours or was.enriched or self._begun(key)
            found.agreed[name] = SharedField(
                erp=wanted, platform=theirs, enriched=enriched, seen=wanted, at=self.attempt.ledger.now()
            )
        self.attempt.said["compared"] = said
        return found

    def _wanted(self, name: str, theirs: str, ours: str) -> str:
        """Say a value in the ERP's words: a code by its mapping alone, unless what the ERP has is sent as just this."""
        if name != TERM:
            return theirs
        mapped = self._mapped_term(theirs)
        if mapped is None and ours and self._codes.platform(TERM_KIND, ours) == theirs:
            return ours
        return mapped if mapped is not None else self._codes.mapped(TERM_KIND, theirs)

    def _mapped_term(self, code: str) -> str | None:
        mapping = self.pair.mappings.get(TERM_KIND, code)
        return mapping.target if mapping else None

    def _conflict(self, record: SupplierEnrichment, key: str, name: str, theirs: str, ours: str) -> Held:
        return Held(
            f"conflict:{record.key}",
            f"The {WORDS[name]} of supplier {record.key} is {theirs} in {self._platform} and {ours} in {self._erp} "
            f"(supplier {key}), and they never agreed, so neither is overwritten. To fix: enter the right one in both; "
            "this resumes automatically.",
        )

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, record: SupplierEnrichment, key: str, now: ErpSupplier, found: Compared) -> None:
        """Write the difference, and read the supplier again."""
        self._wait_for_person(record)
        written = {now.columns[name] for name in found.changes}
        self.chunk.before = {OF: key} | {name: _digest(value) for name, value in now.row.items() if name not in written}
        self.attempt.save()
        shared.begin(self.suppliers, key, found.changes)
        try:
            self.erp.write(key, found.changes)
        except OutcomeUnknown:
            uncertain.begin(self.attempt)  # it may take effect later, and must not go over a newer one then
            raise
        except (Rejected, Held):
            self.chunk.before = {}
            raise
        self.pair.breakers[self.flow.target].succeeded()
        after = self._read(record, key)
        self._check(record, key, after)
        for name, value in found.changes.items():
            if after.values.get(name, "") != value:
                self.chunk.before = {}
                raise Held(
                    f"lookup:{record.key}",
                    f"{self._erp} took the {WORDS[name]} {value} of supplier {key}, and still shows "
                    f"{after.values.get(name) or 'none'}. To fix: enter it in {self._erp}, or let its operator change "
                    "suppliers; it is tried again automatically.",
                )

    def _look_back(self) -> None:
        """See what a write did whose supplier a later chunk has taken over meanwhile."""
        for code in self.bulk.records.keys() & self.chunk.results.keys() if self.chunk.before else ():
            if self._begun(key := self._codes.erp("supplier", code)):
                record = cast("SupplierEnrichment", self.bulk.records[code])
                self._check(record, key, self._read(record, key), again=True)
                self.chunk.before = {}

    def _begun(self, key: str) -> bool:
        """Tell whether this supplier is the one that an attempt has begun to write; an overtaken one may be another."""
        return self.chunk.before.get(OF) == key

    def _check(self, record: SupplierEnrichment, key: str, after: ErpSupplier, *, again: bool = False) -> None:
        """Raise `ChangedMore` where a column is another that was not written.

        `again`: some time has gone by, and another chunk may have written a shared field; none of them empties one.
        """
        ours = {name for name in after.columns.values() if again and after.row.get(name, "").strip()}
        before = self.chunk.before if self._begun(key) else {}
        more = [n for n, was in before.items() if n not in {OF, *ours} and _digest(after.row.get(n, "")) != was]
        if more:
            raise ChangedMore(
                f"When supplier {key} was written in {self._erp}, {', '.join(sorted(more))} changed in addition. "
                f"Nothing more is written to suppliers there until this is resolved. To fix: look at supplier {key} in "
                f"{self._erp}, restore what nobody changed there on purpose, then `ml-connector replay "
                f"{self.pair.tenant} {self.flow.name} {record.key}`."
            )

    def _wait_for_person(self, record: SupplierEnrichment) -> None:
        """Raise `Held` while a write that changed more than it should has not been looked at."""
        for other in self.attempt.ledger.unfinished():
            if other.state == "failed" and other.cause == ALARM and other.id != self.chunk.id:
                raise Held(f"lookup:{record.key}", f"It waits until another one is resolved: {other.reason}")

    @property
    def _erp(self) -> str:
        return self.pair.title(self.flow.target)

    @property
    def _platform(self) -> str:
        return self.pair.title(self.flow.source)


def _digest(value: str) -> str:
    return hashlib.blake2b(value.encode(errors="replace"), digest_size=6).hexdigest()
