"""Classes and representations of api1: what each shows, and which facets it has (dossier 1.1, 2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .tables import TABLES, Column

READ = frozenset({"query", "details", "lookup", "summary"})
WRITE = frozenset({"create", "edit", "template"})
_NAMES = "BPSUPPLIER BPARTNER GACCOUNT GDIE CACCE PORDER PRECEIPT PINVOICE GACCENTRY GACCDUDATE PAYMENTH"
CLASSES = tuple(_NAMES.split())
_ALWAYS_HIDDEN = {"CREUSR", "UPDUSR", "CREDATTIM", "CREDAT", "AUUID"}
NO_STAMP = "none"
_CHANGED = {"UPDDATTIM", "UPDDAT"}


@dataclass
class Representation:
    """A representation of a class; `hidden`: properties and tables of lines that it leaves out."""

    cls: str
    name: str
    facets: set[str] = field(default_factory=lambda: set(READ))
    hidden: set[str] = field(default_factory=set)

    def columns(self, table: str, stamp: str) -> dict[str, Column]:
        """What it shows of a row, by property; `stamp` is the last-modified one of this installation.

        A stamp that is no column, such as updatedDate, is the customer's own name of UPDDATTIM.
        """
        away = _ALWAYS_HIDDEN | self.hidden | (_CHANGED - {stamp})
        found = {name: column for name, column in TABLES[table].columns.items() if name not in away}
        own = stamp not in _CHANGED and stamp not in (NO_STAMP, *self.hidden)
        return found | ({stamp: TABLES[table].columns["UPDDATTIM"]} if own else {})

    def lines(self, table: str) -> list[str]:
        """The tables of lines that it shows below a row."""
        return [child for child in TABLES[table].children if child not in self.hidden]


def shipped() -> dict[tuple[str, str], Representation]:
    """Those of the folder: each class by its own name, read only; the customer's writable ones begin with Z."""
    made = [Representation(cls, cls) for cls in CLASSES]
    made += [Representation(cls, f"Z{cls}", set(READ | WRITE)) for cls in ("GACCENTRY", "PAYMENTH")]
    made += [Representation(cls, f"Z{cls}", set(READ) | {"edit"}) for cls in ("GACCDUDATE", "PINVOICE")]
    return {(one.cls, one.name): one for one in made}
