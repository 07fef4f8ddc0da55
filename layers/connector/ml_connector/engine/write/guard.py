"""Fields of suppliers that people change at the platform too: the ERP's values never go over theirs.

The target asks right before it writes, with what stands there at that moment. What differs there from what both sides
last agreed on was changed there: it is left alone, and the flow that enriches brings it to the ERP.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from ml_connector.engine.ledger.rows import Row, SharedField
from ml_connector.engine.ledger.shared import NEVER, values
from ml_connector.engine.write.attempt import Attempt
from ml_connector.enrichment import TERM, TERM_KIND
from ml_connector.errors import Held
from ml_connector.flow import Rendered
from ml_connector.master_target import MasterTarget
from ml_connector.records import Record, SupplierEnrichment

PASS = timedelta(minutes=10)
"""Within so long what a pass has read is in a chunk."""


class Guard:
    """Decides for the suppliers of one chunk. What it decided at the sending holds until the result is there."""

    def __init__(self, attempt: Attempt, records: Mapping[str, Record]) -> None:
        """Decide nothing yet."""
        self.attempt, self.chunk, self.records = attempt, attempt.chunk, records
        self._known: dict[str, dict[str, SharedField]] = {}

    def prepared(
        self,
        target: MasterTarget[Record],  # noqa: ARG002 - it asks itself what stands there, supplier by supplier
        stage: str,  # noqa: ARG002
        batch: Sequence[Rendered],
    ) -> Sequence[Rendered]:
        """Give what is to be sent of a stage; it is decided from here on by what was agreed on up to now."""
        rows = self.attempt.ledger.rows(list(self.records), consistent=True)
        self._known = {key: row.shared or {} for key, (row, _) in rows.items()}
        self.chunk.shared, self.chunk.kept = {}, {}
        return batch

    def keeping(self, rendered: Rendered) -> Rendered:
        """Let the target ask what to keep of a supplier."""
        return replace(rendered, keep=partial(self._keep, rendered.key))

    def part(self, keys: Collection[str]) -> dict[str, Any]:
        """Give what a part of the chunk has to know of its suppliers."""
        chunk = self.chunk
        return {
            "shared": {key: agreed for key, agreed in chunk.shared.items() if key in keys},
            "kept": {key: names for key, names in chunk.kept.items() if key in keys},
        }

    def standing(self, key: str, before: Row) -> dict[str, SharedField] | None:
        """Give what is agreed on now that a supplier is confirmed, over what was before."""
        if key not in self.records:
            return before.shared
        known, agreed = before.shared or {}, self.chunk.shared.get(key, {})
        return {
            name: agreed.get(name) or msgspec.structs.replace(known.get(name, NEVER), seen=value)
            for name, value in values(self.records[key]).items()
        }

    def look_again(self) -> None:
        """Look at records again that were held: nothing here."""

    def settled(self) -> None:
        """Decide what is left once all has been sent: nothing here."""

    def _keep(self, key: str, present: SupplierEnrichment | None) -> frozenset[str]:
        if key not in self.chunk.kept:
            there = values(present) if present is not None else None
            agreed, kept = self.decided(values(self.records[key]), self._known.get(key, {}), there)
            self.chunk.shared[key], self.chunk.kept[key] = agreed, sorted(kept)
        return frozenset(self.chunk.kept[key])

    def decided(
        self, erp: Mapping[str, str], known: Mapping[str, SharedField], present: Mapping[str, str] | None
    ) -> tuple[dict[str, SharedField], set[str]]:
        """Compare three: what both sides agreed on, what the ERP has, and what stands at the platform.

        Gives what will be agreed on, and the fields to leave as they stand: what is left and not agreed on was changed
        there.
        """
        agreed, kept = dict[str, SharedField](), set[str]()
        for name, value in erp.items():
            was, ours, there = known.get(name, NEVER), self.outward(name, value), (present or {}).get(name, "")
            if present is not None and self._is_older(was):
                agreed[name] = was  # as if nobody had looked: the next pass shows what the ERP has by now
                kept.add(name)
                continue
            alike = ours == there
            if alike or present is None or self.is_ours(was, value, there):
                enriched = alike and was.enriched
                agreed[name] = SharedField(erp=value, platform=ours, enriched=enriched, seen=value)
            if present is not None and (alike or name not in agreed):
                kept.add(name)
        return agreed, kept

    def _is_older(self, was: SharedField) -> bool:
        """Tell whether these suppliers may have been read before a field came to the ERP, and so show another value."""
        moment = self.attempt.moment
        return bool(was.at) and moment(self.chunk.created) < moment(was.at) + PASS

    def is_ours(self, was: SharedField, erp: str, there: str) -> bool:
        """Tell whether the ERP's value may go over what stands at the platform: nobody has changed that there.

        What is empty there is nobody's change: nothing is lost by filling it.
        """
        if not there:
            return True
        if was.writing is not None and was.writing == erp:
            return False  # not changed in the ERP: we wrote it, from what stood at the platform then
        return was.platform == there and not (was.enriched and was.erp == erp)  # then only a mapping has changed

    def outward(self, name: str, value: str) -> str:
        """Say a value of the ERP in the platform's words."""
        if name == TERM and value:
            with suppress(Held):  # whoever renders it raises that
                return self.attempt.pair.codes().platform(TERM_KIND, value)
        return value
