"""Fields of suppliers that people change at the platform too, as columns of an ERP's tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ml_connector.enrichment import WORDS, ErpSupplier
from ml_connector.errors import Held, Misconfigured, Rejected
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.tables import Query, Row
from ml_connector.systems.kit.xml import Content

MOVES = re.compile(r"timestamp|rowversion|balance|^last|^first|ytd|prev|date$", re.IGNORECASE)
"""Columns that change with each invoice and payment, whoever changes the supplier."""


@dataclass(frozen=True, slots=True)
class SupplierColumns:
    """Which column keeps which field, and how many characters it takes."""

    vendor: str
    columns: Mapping[str, tuple[str, int]]

    def read(self, rows: Callable[[Query], Sequence[Row]], asked: Query, own: str, *beside: str) -> ErpSupplier | None:
        """Read a supplier's row, and rows of other tables that belong to it, where these can be read; None: no row."""
        row = next(iter(rows(replace(asked, table=own))), None)
        if not row:
            return None
        spelt = {name.lower(): name for name in row}
        names = {field: spelt.get(column.lower(), column) for field, (column, _) in self.columns.items()}
        whole = {name: value for name, value in row.items() if not MOVES.search(name)}
        for table in beside:
            with suppress(Misconfigured):  # `ping` says which tables cannot be read
                more = next(iter(rows(replace(asked, table=table))), {})
                whole |= {f"{table}.{name}": value for name, value in more.items() if not MOVES.search(name)}
        return ErpSupplier({field: row.get(name, "").strip() for field, name in names.items()}, whole, names)

    def written(self, key: str, changes: Mapping[str, str]) -> dict[str, Content]:
        """Name the columns to change. Raises `Rejected` where a value is longer than its column: it is never cut."""
        for field, value in changes.items():
            column, most = self.columns[field]
            if len(value) > most:
                raise Rejected(
                    f"The {WORDS[field]} '{value}' of supplier {key} is too long: {self.vendor}'s {column} takes "
                    f"{most} characters. Correct its mapping, or its value where it was entered."
                )
        return {self.columns[field][0]: value for field, value in changes.items()}

    def refusal(self, key: str, changes: Mapping[str, str], fault: Fault) -> Held | Rejected:
        """Say what a refusal means: one that is about no field is a warning, and waits for a person."""
        told = " and ".join(f"{WORDS[field]} {value}" for field, value in changes.items())
        what = f"{self.vendor} did not take {told} of supplier {key}"
        if fault.warnings or not fault.fields:
            return Held(f"lookup:{key}", f"{what}, and warns: {fault}. To fix: clear that in {self.vendor}.")
        return Rejected(f"{what}: {fault}. Correct it or its mapping; it is tried again at the next daily comparison.")
