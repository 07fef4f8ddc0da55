"""Journal entries as they stand in an ERP whose records are declared: found by our own key, or by partner and number.

A vendor says in its `Columns` what its fields are called. An entry without our key is known by its partner, who stands
on one of its lines, and by the partner's number; the engine compares amount, currency and date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from ml_connector.errors import Misconfigured, Transient
from ml_connector.flow import Found
from ml_connector.folding import same, spellings
from ml_connector.systems.kit.conditions import Condition
from ml_connector.systems.kit.declared import WHOLE, Entity, Reader, Record
from ml_connector.systems.kit.dimensions import by_dimension
from ml_connector.systems.kit.invoices import KINDS
from ml_connector.systems.kit.totals import by_account
from ml_connector.systems.kit.values import ZERO, amount, children, day, text

YEAR = 1900
"""A date before it stands for none."""


@dataclass(frozen=True)
class Columns:
    """What the fields of an entry are called, of its lines and of their shares by dimension.

    `counts` tells the lines of the ledger that we post to, `stands` the entries that count: neither reversed nor a
    reversal. `state` says how an entry is kept, for people; "" for nothing to say.
    """

    own: str
    number: str
    dated: str
    name: str
    posted: str
    company: str
    currency: str
    lines: str
    partner: str
    account: str
    amount: str
    sign: str
    shares: str
    kinds: str
    codes: str
    counts: Callable[[Record], bool]
    stands: Callable[[Record], bool]
    state: Callable[[Record], str]


class JournalEntries:
    """Finds and reads journal entries of one company."""

    def __init__(
        self, reader: Reader, entity: Entity, columns: Columns, vendor: str, payable: str, company: str | None
    ) -> None:
        """`payable` is the account on which partners stand, `company` the only one that counts."""
        self._reader, self._entity, self._vendor, self._is = reader, entity, vendor, columns
        self._payable, self._company = payable, company
        self.unkeyed = ""
        """What a read back says, once, of an entry that should carry our key and does not."""

    def find(self, lookup: Mapping[str, str]) -> Iterator[Found]:
        """Find entries by our own key, whatever else they say, then by partner and number."""
        it, own, number, dated = self._is, lookup["own"], lookup["number"], lookup.get("dated")
        fields, seen = self._fields(), dict[str, Record]()
        if not fields or it.own in fields:
            for row in self._read((it.own, "eq", own), seen=seen):
                yield replace(self._found(row, lookup["vendor"]), ours=True)
        asked: list[Condition] = [(it.number, "in", list(spellings(number)))]
        if dated and it.dated in fields:  # in whichever spelling of its number
            asked.append((it.dated, "eq", date.fromisoformat(dated)))
        for condition in asked:
            for row in self._read(condition, lambda one: same(text(one, it.number), number), seen):
                found = self._found(row, lookup["vendor"])
                if same(found.partner, lookup["vendor"]) and found.kind == lookup["kind"]:
                    yield replace(found, ours=text(row, it.own) == own)

    def numbered(self, number: str, lookup: Mapping[str, str]) -> list[Found]:
        """Find the partner's entries of this kind that the ERP itself calls `number`."""
        rows = self._read((self._is.name, "eq", number.strip()))
        found = [self._found(row, lookup["vendor"]) for row in rows]
        return [one for one in found if same(one.partner, lookup["vendor"]) and one.kind == lookup["kind"]]

    def recent(self, since: date) -> Iterator[Found]:
        """List entries since a day, with what stands in the field of our key."""
        for row in self._headers((self._is.posted, "ge", since)):
            key = self._entity.key_of(row)
            yield Found(key, text(row, self._is.name) or "", reference=text(row, self._is.own))

    def stands(self, found: Found) -> bool:
        """Tell whether an entry counts: not where the ERP says that it was deleted or reversed."""
        try:
            row = self._reader.one(self._entity, found.id)
        except ValueError:
            return True
        return row is not None and self._is.stands(row)

    def read(self, found: Found) -> Found | None:
        """Read an entry; one that was deleted or reversed is cancelled."""
        name = f"{found.id.replace('~', ' ')}"
        row = self._reader.one(self._entity, found.id)
        if row is None:
            gone = f"{self._vendor} has no entry {name} any more."
            return replace(found, state="cancelled", notes=(*found.notes, gone))
        state = self._is.state(row)
        notes = [f"Entry {name} of {self._vendor} is {state}."] if state else []
        if self.unkeyed and not text(row, self._is.own):
            notes.append(self.unkeyed)
            self.unkeyed = ""
        shown = replace(self._found(row, found.partner or ""), ours=found.ours, notes=tuple(notes))
        return shown if self._is.stands(row) else replace(shown, state="cancelled")

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────

    def fields(self) -> list[str]:
        """Name the fields by which entries are found; none where the list has no entry yet."""
        return sorted(self._fields() & {self._is.own, self._is.number})

    def _fields(self) -> frozenset[str]:
        """Name the fields of the list. Raises `Misconfigured` where it has none that an entry could be found by."""
        it, fields = self._is, self._reader.properties(self._entity)
        if fields and not fields & {it.own, it.number}:
            raise Misconfigured(
                f"The list of {self._vendor}'s journal entries shows neither {it.own} nor {it.number}, so that nothing "
                f"tells whether an invoice was posted. Add both to {self._entity.setting('representation')}."
            )
        return fields

    def _headers(self, condition: Condition) -> Iterator[Record]:
        for batch in self._reader.pages(self._entity, [condition], None):
            for bad in batch.spoiled:
                raise Transient(f"{self._vendor} gave a journal entry that cannot be read, {bad.key}: {bad.reason}")
            yield from batch.rows

    def _read(
        self,
        condition: Condition,
        wanted: Callable[[Record], bool] = lambda _: True,
        seen: dict[str, Record] | None = None,
    ) -> Iterator[Record]:
        """Read whole entries of this company that still count. `seen`: those that this look has read already."""
        rows, whole = [one for one in self._headers(condition) if wanted(one)], {} if seen is None else seen
        keys = [self._entity.key_of(one) for one in rows]
        whole.update((key, one) for key, one in zip(keys, rows, strict=True) if one.get(WHOLE))
        left = [key for key in keys if key not in whole]
        for batch in self._reader.by_keys(self._entity, left) if left else ():
            for bad in batch.spoiled:
                raise Transient(f"{self._vendor} gave journal entry {bad.key} without all of its lines: {bad.reason}")
            for row in batch.rows:
                keys.append(key := self._entity.key_of(row))  # also where a list and a record spell it otherwise
                whole[key] = row
        for row in [whole[key] for key in dict.fromkeys(keys) if key in whole]:
            company = text(row, self._is.company)
            if self._is.stands(row) and not (self._company and company and company != self._company):
                yield row

    def _found(self, row: Record, supplier: str) -> Found:
        """Tell what an entry holds: its total is what stands on its partner, debits positive elsewhere."""
        it = self._is
        lines = [one for one in children(row, it.lines) if it.counts(one)]
        partners = [one for one in lines if text(one, it.partner)]
        mine = [one for one in partners if same(text(one, it.partner), supplier)] or partners
        theirs = [one for one in mine if text(one, it.account) == self._payable] or mine
        total = -sum((self._signed(one) for one in theirs), ZERO) if theirs else None
        rest = [one for one in lines if not any(one is other for other in theirs)]
        written = by_account(((text(one, it.account) or "", self._signed(one)) for one in rest), whole=True)
        dated = day(row, it.dated)
        return Found(
            self._entity.key_of(row), text(row, it.name) or "", total, text(row, it.currency),
            dated=dated if dated and dated.year >= YEAR else None, posted_on=day(row, it.posted),
            partner=text(theirs[0], it.partner) if theirs else None, reference=text(row, it.number),
            kind=None if total is None else KINDS[total < 0], written=written | self._shares(rest) if lines else {},
        )  # fmt: skip

    def _signed(self, line: Record) -> Decimal:
        """Give the amount of a line, debits positive. Raises `ValueError` where it has no sign."""
        value, sign = amount(line, self._is.amount), amount(line, self._is.sign)
        if value is None or sign not in {1, -1}:
            raise ValueError(f"A line of a journal entry has amount {value} and sign {sign}.")
        return value * sign

    def _shares(self, lines: list[Record]) -> dict[str, str]:
        """Say what stands on each dimension; where lines may show their first one only, nothing is known of others."""
        it = self._is
        shares = [(line, share) for line in lines for share in children(line, it.shares) if it.kinds in share]
        listed = all(isinstance(share[it.kinds], list) for _, share in shares)
        amounts = [
            (self._signed({**line, **share}), dict(zip(_codes(share, it.kinds), _codes(share, it.codes), strict=False)))
            for line, share in shares
        ]
        return by_dimension(amounts, whole=bool(lines) and listed and all(it.shares in line for line in lines))


def _codes(record: Record, name: str) -> list[str]:
    """Give the codes of a field that holds several, which may come as one."""
    value = record.get(name)
    return [str(one or "").strip() for one in (value if isinstance(value, list) else [value])]
