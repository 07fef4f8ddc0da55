"""Fields of a supplier that people may change at the platform too: payment term and tax ids.

The ERP is the master of everything else. What both sides last agreed on is kept by field (`engine/ledger/shared.py`);
this module has the words for it, and what an ERP offers so that the other side's changes can be brought to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ml_connector.records import SupplierEnrichment

FIELDS = ("payment_term", "tax_id", "vat_number")
"""The shared fields, by their names in `Supplier` and `SupplierEnrichment`."""
TERM = "payment_term"
"""The one of them that is a code, and is translated by mappings of the kind `TERM_KIND`."""
TERM_KIND = "term"
WORDS = {"payment_term": "payment term", "tax_id": "tax id", "vat_number": "VAT number"}

Keep = Callable[[SupplierEnrichment | None], frozenset[str]]
"""Tells which shared fields to leave as they stand at the platform, for what stands there now (None: nothing does)."""


@dataclass(frozen=True, slots=True)
class ErpSupplier:
    """A supplier as it stands in the ERP. `values`: the shared fields that it keeps, "" where one is empty.

    `row` is the whole row, by the ERP's own column names, without what moves by itself (balances, row versions);
    `columns` names the column of each shared field.
    """

    values: Mapping[str, str]
    row: Mapping[str, str] = field(repr=False)
    columns: Mapping[str, str] = field(repr=False)


class SupplierFields(Protocol):
    """An ERP's side of the enrichment of suppliers."""

    fields: tuple[str, ...]
    """The shared fields that the ERP keeps."""

    def read(self, key: str) -> ErpSupplier | None:
        """Read a supplier by its key in the ERP, fresh; None where there is none."""

    def write(self, key: str, changes: Mapping[str, str]) -> None:
        """Write these fields of a supplier and nothing else; the same again is harmless.

        Raises `Rejected` where the ERP refuses it, `Held` for what a person fixes there, `Transient` where it had no
        effect, `OutcomeUnknown`. That it took effect is read back by whoever calls it.
        """
