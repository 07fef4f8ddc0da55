"""Which records of both systems belong together: by what was delivered, by mappings, else by what they have in common.

Pure: lists in, a comparison out. A record that has a partner needs nothing; one that has only something in common with
another is a proposal; whatever is left stands in one of the systems alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from ml_connector.folding import fold
from ml_connector.records import Account, CostCenter, Record, Supplier

SAME_CODE = "same code"
"""The one ground of a proposal that is safe enough to count before a person has confirmed it."""


class Entry(Struct, frozen=True, array_like=True):
    """What is compared of a record. `numbers`: its tax numbers; `dimension`: which one a value belongs to."""

    key: str
    code: str
    name: str
    active: bool = True
    numbers: tuple[str, ...] = ()
    dimension: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The platform's `code` may be the ERP's `key`, and why."""

    code: str
    key: str
    why: str


@dataclass(slots=True)
class Comparison:
    """What came of comparing one kind of record."""

    partnered: int = 0
    proposals: list[Proposal] = field(default_factory=list)
    erp_only: list[Entry] = field(default_factory=list)
    platform_only: list[Entry] = field(default_factory=list)


def entry(record: Record) -> Entry:
    """Take of a record what is compared."""
    assert isinstance(record, Supplier | Account | CostCenter)
    numbers = (record.vat_number, record.tax_id) if isinstance(record, Supplier) else ()
    kept = tuple(sorted({folded for number in numbers if (folded := _number(number))}))
    dimension = record.dimension if isinstance(record, CostCenter) else None
    where = "" if dimension is None else str(dimension)
    return Entry(record.key, record.code, record.name, record.active, kept, where)


def compare(
    erp: Iterable[Entry], platform: Iterable[Entry], delivered: Mapping[str, str], mapped: Mapping[str, str]
) -> Comparison:
    """Compare both systems. `delivered`: the ERP's key to the platform's code; `mapped`: the other way.

    What is inactive and stands alone needs nobody. What was delivered needs no partner in the list of the ERP: that may
    be a little older.
    """
    found, ours, theirs = Comparison(), list(erp), list(platform)
    there = {one.code for one in theirs}
    meant = {fold(target): code for code, target in mapped.items() if code in there}
    taken = set(delivered.values())
    alone = dict[str, Entry]()
    for one in ours:
        code = delivered.get(one.key)
        if code in there:
            found.partnered += 1
        elif (other := meant.get(fold(one.key))) is not None:
            found.partnered += 1
            taken.add(other)
        else:
            alone[one.key] = one
    known = {fold(one.key) for one in ours}
    taken |= {code for code, target in mapped.items() if fold(target) in known}
    grounds = _Grounds(ours)
    for one in theirs:
        if one.code in taken:
            continue
        proposal = None if one.code in mapped else grounds.propose(one)
        if proposal is not None:
            found.proposals.append(proposal)
            alone.pop(proposal.key, None)
        elif one.active:
            found.platform_only.append(one)
    found.erp_only = [one for one in alone.values() if one.active]
    return found


class _Grounds:
    """What records of the ERP may be known by: codes, tax numbers and names that only one of them has."""

    def __init__(self, records: Iterable[Entry]) -> None:
        self._by: dict[tuple[str, str], str | None] = {}
        for one in records:
            for ground in {*self._codes(one), *self._others(one)}:
                self._by[ground] = one.key if self._by.get(ground, one.key) == one.key else None

    def propose(self, one: Entry) -> Proposal | None:
        for why, name in (*self._codes(one), *self._others(one)):
            if (key := self._by.get((why, name))) is not None:
                return Proposal(one.code, key, why)
        return None

    @staticmethod
    def _codes(one: Entry) -> tuple[tuple[str, str], ...]:
        return tuple((SAME_CODE, f"{one.dimension}~{code}") for code in dict.fromkeys((one.code, one.key)))

    @staticmethod
    def _others(one: Entry) -> tuple[tuple[str, str], ...]:
        numbers = [("same tax number", number) for number in one.numbers]
        return (*numbers, ("same name", f"{one.dimension}~{fold(one.name)}"))


def _number(text: str | None) -> str:
    return "".join(sign for sign in fold(text) if sign.isalnum())
