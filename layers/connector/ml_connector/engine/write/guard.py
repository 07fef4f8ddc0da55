"""Fields of suppliers that people change at the platform too: the ERP's values never go over theirs.

The target asks right before it writes, with what stands there at that moment. What differs there from what both sides
last agreed on was changed there: it is left alone, and the flow that enriches brings it to the ERP.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from ml_connector.engine.ledger.rows import Row, SharedField
from ml_connector.engine.ledger.shared import NEVER, values
from ml_connector.engine.write.attempt import Attempt
from ml_connector.enrichment import FIELDS, TERM, TERM_KIND
from ml_connector.errors import Held
from ml_connector.flow import Rendered
from ml_connector.records import Record, SupplierEnrichment

PASS = timedelta(minutes=10)
"""Within so long what a pass has read is in a chunk."""


class Guard:
    """Decides for the suppliers of one chunk. What it decided at the sending holds until the result is there."""

    def __init__(self, attempt: Attempt, records: Mapping[str, Record]) -> None:
        """Decide nothing yet."""
        self._attempt, self._chunk, self._records = attempt, attempt.chunk, records
        self._known: dict[str, dict[str, SharedField]] = {}

    def begin(self) -> None:
        """Decide from here on by what was agreed on up to now."""
        rows = self._attempt.ledger.rows(list(self._records), consistent=True)
        self._known = {key: row.shared or {} for key, (row, _) in rows.items()}
        self._chunk.shared, self._chunk.kept = {}, {}

    def keeping(self, rendered: Rendered) -> Rendered:
        """Let the target ask what to keep of a supplier."""
        return replace(rendered, keep=partial(self._keep, rendered.key))

    def part(self, keys: Collection[str]) -> dict[str, Any]:
        """Give what a part of the chunk has to know of its suppliers."""
        chunk = self._chunk
        return {
            "shared": {key: agreed for key, agreed in chunk.shared.items() if key in keys},
            "kept": {key: names for key, names in chunk.kept.items() if key in keys},
        }

    def standing(self, key: str, before: Row) -> dict[str, SharedField] | None:
        """Give what is agreed on now that a supplier is confirmed, over what was before."""
        if key not in self._records:
            return before.shared
        known, agreed = before.shared or {}, self._chunk.shared.get(key, {})
        return {
            name: agreed.get(name) or msgspec.structs.replace(known.get(name, NEVER), seen=value)
            for name, value in values(self._records[key]).items()
        }

    def _keep(self, key: str, present: SupplierEnrichment | None) -> frozenset[str]:
        if key not in self._chunk.kept:
            agreed, kept = self._decided(self._records[key], self._known.get(key, {}), present)
            self._chunk.shared[key], self._chunk.kept[key] = agreed, sorted(kept)
        return frozenset(self._chunk.kept[key])

    def _decided(
        self, record: Record, known: Mapping[str, SharedField], present: SupplierEnrichment | None
    ) -> tuple[dict[str, SharedField], set[str]]:
        """Compare three: what both sides agreed on, what the ERP has, and what stands at the platform."""
        agreed, kept = {}, set()
        erp, there = values(record), values(present)
        for name in FIELDS:
            was, ours = known.get(name, NEVER), self._outward(name, erp[name])
            if present is not None and self._is_older(was):
                agreed[name] = was  # as if nobody had looked: the next pass shows what the ERP has by now
                kept.add(name)
                continue
            alike = ours == there[name]
            if alike or self._is_ours(was, erp[name], there[name]):
                enriched = alike and was.enriched
                agreed[name] = SharedField(erp=erp[name], platform=ours, enriched=enriched, seen=erp[name])
            if present is not None and (alike or name not in agreed):
                kept.add(name)
        return agreed, kept

    def _is_older(self, was: SharedField) -> bool:
        """Tell whether these suppliers may have been read before a field came to the ERP, and so show another value."""
        moment = self._attempt.moment
        return bool(was.at) and moment(self._chunk.created) < moment(was.at) + PASS

    @staticmethod
    def _is_ours(was: SharedField, erp: str, there: str) -> bool:
        """Tell whether the ERP's value may go over what stands at the platform: nobody has changed that there.

        What is empty there is nobody's change: nothing is lost by filling it.
        """
        if not there:
            return True
        if was.writing is not None and was.writing == erp:
            return False  # not changed in the ERP: we wrote it, from what stood at the platform then
        return was.platform == there and not (was.enriched and was.erp == erp)  # then only a mapping has changed

    def _outward(self, name: str, value: str) -> str:
        if name == TERM and value:
            with suppress(Held):  # whoever renders it raises that
                return self._attempt.pair.codes().platform(TERM_KIND, value)
        return value
