"""Money of an invoice: each row's net and tax, and what its total has more than both. Never a float."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from itertools import zip_longest
from typing import Any

from ml_connector.errors import Held, Rejected
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.kit.agreement import agree, tax_told
from ml_connector.systems.kit.money import HUNDRED, Money, percentage, reckoned


@dataclass(frozen=True, slots=True)
class PricedRow:
    """A coding row with its net amount, signed as on the platform.

    `tax` None: not known by row. `percent` is as stated; `implied` is worked out of the amounts where no percentage
    and no code is stated, None where that cannot be done.
    """

    row: CodingRow
    net: Decimal
    tax: Decimal | None
    percent: Decimal | None
    implied: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """An invoice's rows, its total and tax, and the residue: what the total has more than rows and tax."""

    rows: tuple[PricedRow, ...]
    gross: Decimal
    tax: Decimal
    residue: Decimal
    currency: str = ""

    @property
    def net(self) -> Decimal:
        """Add up the rows."""
        return sum((row.net for row in self.rows), Decimal(0))

    def absorbed(self, notes: list[str]) -> Totals:
        """Put the residue on the largest row and note it, for an ERP that has no account for it."""
        if self.residue == 0:
            return self
        rows = list(self.rows)
        rounding_row = max(range(len(rows)), key=lambda place: abs(rows[place].net))
        rows[rounding_row] = replace(rows[rounding_row], net=rows[rounding_row].net + self.residue)
        money = f"{self.residue} {self.currency}".rstrip()
        notes.append(f"A rounding difference of {money} was added to coding row {rows[rounding_row].row.key}.")
        return replace(self, rows=tuple(rows))


def sum_up(invoice: Invoice, money: Money, tolerance: Decimal, hints: Sequence[Decimal | None] = ()) -> Totals:
    """Price every row and compare with the total. `hints` are the tax percentages of the orders' lines, by row.

    `tolerance` is the tenant's, in cents. Raises `Rejected` for an invoice that cannot be posted as it is, `Held`
    where the totals do not agree, or another two of the stated figures.
    """
    if not invoice.rows:
        raise Rejected(f"Invoice {invoice.number} has no coding rows. Code it and transfer it again.")
    with reckoned(f"Invoice {invoice.number}"):
        return _Reading(invoice, money).sums(money.tolerance(tolerance), hints)


@dataclass(frozen=True, slots=True)
class _Reading:
    invoice: Invoice
    money: Money

    def sums(self, tolerance: Decimal, hints: Sequence[Decimal | None]) -> Totals:
        invoice = self.invoice
        gross = self._exact(invoice.gross, "The total")
        hinted = zip_longest(invoice.rows, hints)
        rows = [self._price(row, number, hint) for number, (row, hint) in enumerate(hinted, 1)]
        agree(invoice, self.money.unit, tolerance)
        net = sum((row.net for row in rows), self.money.zero)
        taxes = self._taxes(rows)
        tax = min(taxes, key=lambda one: abs(gross - net - one)) if taxes else gross - net
        residue = gross - net - tax
        if abs(residue) > tolerance:
            raise Held(
                f"conflict:{invoice.key}",
                f"Invoice total {gross} {invoice.currency} of {invoice.number} differs from its coding rows plus tax "
                f"({net + tax} {invoice.currency}) by {abs(residue)} {invoice.currency}. Correct the coding rows or "
                "the total.",
            )
        return Totals(tuple(self._implied(row, tax, net) for row in rows), gross, tax, residue, invoice.currency)

    def _exact(self, value: Decimal, what: str) -> Decimal:
        return self.money.exact(value, f"{what} of invoice {self.invoice.number}")

    def _price(self, row: CodingRow, number: int, hint: Decimal | None) -> PricedRow:
        invoice, name = self.invoice, f"coding row {number}"
        net = None if row.net is None else self._exact(row.net, f"The net amount of {name}")
        gross = None if row.gross is None else self._exact(row.gross, f"The gross amount of {name}")
        tax = None if row.tax is None else self._exact(row.tax, f"The tax of {name}")
        percent, whose = row.tax_percent, f"The tax percentage of {name} of invoice {invoice.number}"
        if percent is None and row.tax_code is None:
            percent, whose = invoice.tax_percent, f"The tax percentage of invoice {invoice.number}"
        percent = None if percent is None else percentage(percent, whose)
        if net is None and gross is None:
            raise Rejected(f"In invoice {invoice.number} {name} has no amount. Correct it and transfer it again.")
        if tax is None and net is not None and gross is not None:
            tax = gross - net
        if tax is None and net is None and invoice.tax == 0 and invoice.gross:
            tax = self.money.zero  # nothing of the total is tax, whatever rate the supplier does not charge
        if tax is None and net is None and percent is None:
            tax = self._left(number)
        if tax is None and percent is not None:
            tax = self._on(net, percent) if net is not None else self._within(gross or self.money.zero, percent)
        if net is None:
            net = (gross or self.money.zero) - (tax or self.money.zero)
        if tax is None and hint is not None and not self._says_tax(row):
            tax = self._on(net, hint)
        return PricedRow(row, net, tax, percent)

    def _left(self, number: int) -> Decimal | None:
        """Take for the tax of a row that tells its gross amount alone what the other rows leave of the invoice's.

        None where another row tells no tax either. Raises `Held` where that is as silent: nothing tells the shares.
        """
        invoice = self.invoice
        whole = invoice.tax if invoice.tax is not None or invoice.net is None else invoice.gross - invoice.net
        rows = [row for place, row in enumerate(invoice.rows, 1) if place != number]
        others = [tax_told(row) for row in rows]
        if whole is None or None in others:
            if whole and any(row.net is None and row.tax is None and row.tax_percent is None for row in rows):
                raise Held(
                    f"conflict:{invoice.key}",
                    f"Several coding rows of invoice {invoice.number} state a gross amount alone, and nothing tells "
                    f"how they share its tax of {whole} {invoice.currency}. State their net amounts or tax percentages "
                    "and transfer it again.",
                )
            return None
        return self._exact(whole - sum((tax or Decimal(0) for tax in others), Decimal(0)), "The tax")

    def _on(self, net: Decimal, percent: Decimal) -> Decimal:
        return self.money.rounded(net * percent / HUNDRED)

    def _within(self, gross: Decimal, percent: Decimal) -> Decimal:
        return gross - self.money.rounded(gross * HUNDRED / (HUNDRED + percent))

    def _says_tax(self, row: CodingRow) -> bool:
        invoice = self.invoice
        return any(told is not None for told in (row.tax_code, invoice.tax_code, invoice.tax, invoice.net))

    def _taxes(self, rows: Sequence[PricedRow]) -> list[Decimal]:
        """List what the tax may be: as stated, by rows, by percentage. None of them known: no check is possible."""
        invoice, found = self.invoice, []
        if invoice.tax is not None:
            found.append(self._exact(invoice.tax, "The tax"))
        elif invoice.net is not None:
            found.append(self._exact(invoice.gross, "The total") - self._exact(invoice.net, "The net total"))
        if all(row.tax is not None for row in rows):
            found.append(sum((row.tax or self.money.zero for row in rows), self.money.zero))
            if all(row.percent is not None for row in rows):
                found.append(tax_of(((None, row.net, row.percent or Decimal(0)) for row in rows), self.money))
                if invoice.tax is None and all(row.row.tax is None for row in rows):
                    found += self._rounded_otherwise(rows)
        elif not found and not any(row.row.tax_code for row in rows) and invoice.tax_code is None:
            found.append(sum((row.tax or self.money.zero for row in rows), self.money.zero))
        return found

    def _rounded_otherwise(self, rows: Sequence[PricedRow]) -> list[Decimal]:
        """Take what the total leaves for a tax that nobody states, where some way of rounding makes it.

        In Japan 10% of 1005 is 100.
        """
        left = self.invoice.gross - sum((row.net for row in rows), Decimal(0))
        exact = [row.net * (row.percent or Decimal(0)) / HUNDRED for row in rows]
        least, most = (
            sum((self.money.rounded(tax, way) for tax in exact), Decimal(0)) for way in (ROUND_FLOOR, ROUND_CEILING)
        )
        return [self._exact(left, "The tax")] if least <= left <= most else []

    def _implied(self, row: PricedRow, tax: Decimal, net: Decimal) -> PricedRow:
        """Work a percentage out of the row's own tax, or of the invoice's where the rows state none."""
        if row.percent is not None or row.row.tax_code is not None:
            return row
        own = (row.tax, row.net) if row.tax is not None else (tax, net)
        return replace(row, implied=implied_percentage(*own, self.money))


def by_account(amounts: Iterable[tuple[str, Decimal]], *, whole: bool = False) -> dict[str, str]:
    """Say what is compared of a distribution when it is read back (`Draft.written`): the sum on each account.

    `whole`: these are all that there are, so that any other account has nothing.
    """
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for account, amount in amounts:
        sums[account] += amount
    return ({"account": "0"} if whole else {}) | {
        f"account {account}": f"{amount:f}" for account, amount in sums.items()
    }


def tax_of(lines: Iterable[tuple[Any, Decimal, Decimal]], money: Money, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Reckon the tax of (code, net, percentage): the lines of one code together, rounded once, as a ledger does."""
    bases: dict[tuple[Any, Decimal], Decimal] = defaultdict(Decimal)
    for code, net, percent in lines:
        bases[code, percent] += net
    taxes = (money.rounded(base * percent / HUNDRED, rounding) for (_, percent), base in bases.items())
    return sum(taxes, money.zero)


def implied_percentage(tax: Decimal, net: Decimal, money: Money) -> Decimal | None:
    """Give the roundest percentage that makes `tax` of `net`; None where there is none with two decimals."""
    for places in ("1", "0.1", "0.01") if net else ():
        percent = (tax * HUNDRED / net).quantize(Decimal(places), ROUND_HALF_UP)
        if money.rounded(net * percent / HUNDRED) == tax:
            return percent
    return None
