"""How an invoice that is posted was coded: by its own lines where they have accounts, else by its journal entry.

Lines that do not add up to the invoice are not all of them: lists are cut without a word, and so are shares.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from ml_connector.errors import Held, Transient
from ml_connector.records import CodingRow
from ml_connector.systems.kit.declared import WHOLE, Entity, Reader, Record
from ml_connector.systems.kit.journal_entries import Columns
from ml_connector.systems.kit.values import ZERO, amount, children, text, whole

Pairs = tuple[tuple[str, str], ...]
"""Dimensions by type and code."""


@dataclass(frozen=True)
class LineColumns:
    """What the fields of an invoice's lines are called; "" for what they do not have.

    `account` may be a list, one for each chart of `charts`. `order` gives an order's number and line.
    """

    lines: str
    key: str
    net: str
    gross: str
    tax_code: str
    text: str
    quantity: str
    price: str = ""
    account: str = ""
    charts: str = ""
    shares: str = ""
    share_net: str = ""
    order: Callable[[Record], tuple[str | None, str | None]] = lambda _: (None, None)


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of the invoice: its totals are signed, negative for a credit note."""

    key: str
    this: str
    partners: Collection[str]
    net: Decimal | None


class PostedCoding:
    """Reads the coding of invoices."""

    def __init__(
        self,
        reader: Reader,
        journal: Entity,
        columns: Columns,
        collections: Sequence[LineColumns],
        chart: Callable[[], str],
        vendor: str,
        said: str,
        tax_account: str | None = None,
    ) -> None:
        """`collections`: where lines may stand, best first. `said` is the text of a line of an entry.

        `tax_account` takes taxes, where that is known.
        """
        self._reader, self._journal, self._is, self._collections = reader, journal, columns, collections
        self._chart, self._vendor, self._said, self._tax = chart, vendor, said, tax_account

    def rows(self, head: Head, record: Record) -> tuple[CodingRow, ...]:
        """Give the rows of an invoice. Raises `Held` where their accounts, or all of them, are not known."""
        lines = self._lines(record)
        known = bool(lines) and (head.net is None or abs(_sum(lines)) == abs(head.net))
        if known and all(row.account for row in lines):
            return _signed(lines, head.net)
        posted = self._base(head, self._posted(head))
        if not posted or (head.net is not None and abs(_sum(posted)) != abs(head.net)):
            raise Held(
                f"account:{head.key}",
                f"The GL accounts of {head.this} are not known: its lines in {self._vendor} "
                f"{'have none' if known else 'are not all shown'}, and the lines of its journal entry make "
                f"{abs(_sum(posted))} instead of {head.net} before tax. Have the representations show all lines with "
                "their accounts, and it resumes automatically.",
            )
        return _signed(_paired(lines if known else [], posted, lines), head.net)

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────

    def _lines(self, record: Record) -> list[CodingRow]:
        """Give the lines of the first collection that has some; split ones tell no tax of their own."""
        for it in self._collections:
            if lines := children(record, it.lines):
                made = [row for place, line in enumerate(lines, 1) for row in self._line(it, place, line)]
                if len(made) > len(lines):
                    return [msgspec.structs.replace(row, gross=None, tax=None) for row in made]
                return made
        return []

    def _line(self, it: LineColumns, place: int, line: Record) -> Iterable[CodingRow]:
        net, gross = amount(line, it.net), amount(line, it.gross)
        order, order_line = it.order(line)
        key = whole(line, it.key) or str(place)
        row = CodingRow(
            key=key, account=self._account(it, line), net=net, gross=gross, quantity=amount(line, it.quantity),
            tax=gross - net if gross is not None and net is not None else None, tax_code=text(line, it.tax_code),
            unit_price=amount(line, it.price) if it.price else None, order_number=order, order_line=order_line,
            description=text(line, it.text),
        )  # fmt: skip
        return self._shared(row, children(line, it.shares) if it.shares else [], it.share_net)

    def _shared(self, row: CodingRow, shares: Sequence[Record], name: str) -> list[CodingRow]:
        """Split a row by its shares. Raises `ValueError` where they do not add up to it: they are not all of them."""
        if len(shares) < 2:
            return [msgspec.structs.replace(row, dimensions=self._pairs(shares[0]) if shares else ())]
        parts, net = [abs(amount(one, name) or ZERO) for one in shares], row.net or ZERO
        if sum(parts, ZERO) != abs(net):
            raise ValueError(f"The shares of its line {row.key} by dimension make {sum(parts, ZERO)} instead of {net}.")
        return [
            msgspec.structs.replace(
                row, key=f"{row.key}.{n}", net=part.copy_sign(net), quantity=None, dimensions=self._pairs(one)
            )
            for n, (part, one) in enumerate(zip(parts, shares, strict=True), 1)
        ]

    def _account(self, it: LineColumns, line: Record) -> str | None:
        value = line.get(it.account) if it.account else None
        if not isinstance(value, list):
            return text({"": value}, "")
        charts = [str(one).strip() for one in line.get(it.charts) or ()]
        place = charts.index(self._chart()) if self._chart() in charts else 0
        return text({"": value[place] if place < len(value) else None}, "")

    def _pairs(self, share: Record) -> Pairs:
        kinds, codes = (
            share[name] if isinstance(share.get(name), list) else [share.get(name)]
            for name in (self._is.kinds, self._is.codes)
        )
        told = ((text({"": kind}, ""), text({"": code}, "")) for kind, code in zip(kinds, codes, strict=False))
        return tuple((kind, code) for kind, code in told if kind and code)

    # ── the journal entry ───────────────────────────────────────────────────────────────────────────────────

    def _posted(self, head: Head) -> list[Record]:
        """Read the lines of the entry that bears the invoice's number and stands on its partner."""
        entries = list[Record]()
        for batch in self._reader.pages(self._journal, [(self._is.name, "eq", head.key)], None):
            bare = [self._journal.key_of(row) for row in batch.rows if not row.get(WHOLE)]
            entries += [row for row in batch.rows if row.get(WHOLE)]
            for more in [batch, *(self._reader.by_keys(self._journal, bare) if bare else ())]:
                for bad in more.spoiled:
                    raise Transient(f"{self._vendor} gave journal entry {bad.key} not as a whole: {bad.reason}")
                entries += more.rows if more is not batch else []
        for entry in entries:
            lines = [line for line in children(entry, self._is.lines) if self._is.counts(line)]
            if self._is.stands(entry) and any(text(line, self._is.partner) in head.partners for line in lines):
                return lines
        return []

    def _base(self, head: Head, lines: Sequence[Record]) -> list[CodingRow]:
        """Give what was posted beside the partner and the taxes: these are all that stands on one account."""
        it = self._is
        own = [(place, line) for place, line in enumerate(lines, 1) if not text(line, it.partner)]
        rows = [row for place, line in own for row in self._entered(place, line)]
        if head.net is None or abs(_sum(rows)) == abs(head.net):
            return rows
        without = {one: [row for row in rows if row.account != one] for one in {row.account for row in rows}}
        fitting = [left for one, left in without.items() if left and abs(_sum(left)) == abs(head.net)]
        if self._tax in without:
            fitting = [without[self._tax]]
        return fitting[0] if len(fitting) == 1 else rows

    def _entered(self, place: int, line: Record) -> list[CodingRow]:
        it = self._is
        value, sign = amount(line, it.amount), amount(line, it.sign)
        if value is None or sign not in {1, -1}:
            raise ValueError(f"Line {place} of its journal entry has amount {value} and sign {sign}.")
        account, said = text(line, it.account), text(line, self._said)
        row = CodingRow(key=str(place), account=account, net=value * sign, description=said)
        return self._shared(row, children(line, it.shares), it.amount)


def _paired(lines: Sequence[CodingRow], posted: Sequence[CodingRow], told: Sequence[CodingRow]) -> list[CodingRow]:
    """Give lines the accounts that were posted: the only one, or one by one; else what was posted stands for them."""
    accounts = {row.account for row in posted}
    if lines and len(accounts) == 1 and not any(row.dimensions for row in posted):
        return [msgspec.structs.replace(row, account=posted[0].account) for row in lines]
    alike = len(lines) == len(posted) and all(
        abs(one.net or ZERO) == abs(other.net or ZERO) for one, other in zip(lines, posted, strict=True)
    )
    if alike:
        return [
            msgspec.structs.replace(row, account=other.account, dimensions=row.dimensions or other.dimensions)
            for row, other in zip(lines, posted, strict=True)
        ]
    orders = list(dict.fromkeys(row.order_number for row in told if row.order_number))
    return [msgspec.structs.replace(row, order_number=next(iter(orders), None)) for row in posted]


def _sum(rows: Iterable[CodingRow]) -> Decimal:
    return sum((row.net or ZERO for row in rows), ZERO)


def _signed(rows: Sequence[CodingRow], net: Decimal | None) -> tuple[CodingRow, ...]:
    """Give amounts the sign of their invoice: those of a credit note are negative."""
    if net is None or not net or (_sum(rows) < 0) == (net < 0):
        return tuple(rows)
    turned = ("net", "gross", "tax")
    return tuple(
        msgspec.structs.replace(row, **{name: -value for name in turned if (value := getattr(row, name)) is not None})
        for row in rows
    )


def unknown(
    this: str, rows: Iterable[CodingRow], ledger: Callable[[Iterable[str]], set[str]],
    missing: Callable[[Iterable[tuple[str, str]]], Sequence[tuple[str, str]]], vendor: str,
) -> Held | None:  # fmt: skip
    """Say what an invoice is coded to that the general ledger does not have, or no longer lets be posted to."""
    rows = list(rows)
    accounts = {row.account for row in rows if row.account}
    for account in sorted(accounts - ledger(accounts)):
        return Held(
            f"account:{account}",
            f"{this} is coded to account {account}, which {vendor} does not have as an active one. Activate it there, "
            "or correct the invoice.",
        )
    for kind, code in missing({pair for row in rows for pair in row.dimensions}):
        return Held(
            f"dimension:{kind}/{code}",
            f"{this} is coded to dimension {code} of type {kind}, which {vendor} does not have as an active one. "
            "Activate it there, or correct the invoice.",
        )
    return None
