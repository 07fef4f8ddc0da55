"""The lines of an invoice: coding rows in the words of `DocumentLines` (`docs/vendors/sap_b1.md`).

Lines that draw on goods ordered and plain lines cannot stand in one document. Where an invoice has both, all become
service lines on accounts, with the order named in their text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ml_connector.errors import Held
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.money import Money
from ml_connector.systems.kit.totals import PricedRow, Totals
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.ordered_goods import Drawn, Ordered, OrderedGoods
from ml_connector.systems.sap_b1.settings import Settings
from ml_connector.systems.sap_b1.taxes import ZERO, Tax, Taxes

PRICE = Decimal("0.01")
"""Every company keeps prices with two decimals at least."""
FINEST_PRICE = Decimal("0.000001")


def split(total: Decimal, shares: Sequence[Decimal], money: Money) -> list[Decimal]:
    """Share an amount out in proportion; the last one takes what rounding leaves."""
    whole = sum(shares, Decimal(0))
    parts = [money.rounded(total * share / whole) for share in shares[:-1]]
    return [*parts, total - sum(parts, money.zero)]


def unit_price(net: Decimal, quantity: Decimal) -> tuple[Decimal, bool]:
    """Give the price that makes `net`, and whether it does so with two decimals, which every company keeps.

    At most six decimals, SAP's most; then the total must be sent beside it.
    """
    price = (net / quantity).quantize(PRICE, ROUND_HALF_UP)
    if price * quantity == net:
        return price, True
    return (net / quantity).quantize(FINEST_PRICE, ROUND_HALF_UP).normalize(), False


ITEMS, SERVICES = "dDocument_Items", "dDocument_Service"
TEXT_LIMIT = 100


@dataclass
class Lines:
    """What a writer of lines needs; notes and codes are left in the draft."""

    draft: Draft
    settings: Settings
    lookups: Lookups
    bases: OrderedGoods
    foreign: bool
    money: Money
    tolerance: Decimal

    def __post_init__(self) -> None:
        """Let the taxes write into the same notes."""
        self.invoice, self.notes, self.used = self.draft.invoice, self.draft.notes, self.draft.used
        self.taxes = Taxes(self.draft, self.settings, self.lookups, self.money, self.tolerance)

    def write(self, sums: Totals) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
        """Give the document's type, its lines, and what its head says of rounding. Raises `Held` or `Rejected`."""
        credit = self.draft.credit
        rows = self._without_empty([(row, None if credit else self._ordered(row)) for row in sums.rows])
        goods = [ordered is not None and not ordered.service for _, ordered in rows]
        if all(goods):
            taxed = [(row, ordered, self.taxes.of(row, ordered, sums)) for row, ordered in rows if ordered]
            lines = [line for row, ordered, tax in taxed for line in self._goods(row, ordered, tax)]
            nets = [(row.net, tax) for row, _, tax in taxed]
            place = max(number for number, (net, _) in enumerate(nets) if number == 0 or net)
            nets[place] = (nets[place][0] + sums.residue, nets[place][1])
            return ITEMS, self._absorb(lines, sums.residue), self._own_rounding(self.taxes.difference(sums, nets))
        if any(goods):
            self.notes.append(
                "The invoice has coding rows with and without ordered goods, which SAP Business One does not take in "
                "one document: all were posted as service lines on accounts. Close the order there by hand."
            )
        sign = self.draft.sign
        taxes = [self.taxes.of(row, ordered, sums) for row, ordered in rows]
        lines = [self._service(row, ordered, tax, sign) for (row, ordered), tax in zip(rows, taxes, strict=True)]
        nets = [(row.net, tax) for (row, _), tax in zip(rows, taxes, strict=True)]
        line, head = self._rounding(self.taxes.difference(sums, nets) * sign, sums.residue)
        return SERVICES, lines + line, head

    def _without_empty(self, rows: list[tuple[PricedRow, Ordered | None]]) -> list[tuple[PricedRow, Ordered | None]]:
        """Leave out rows of no amount and no order beside ordered goods: they would part the goods from their order."""
        kept = [pair for pair in rows if pair[1] or pair[0].net or pair[0].tax]
        if len(kept) == len(rows) or not any(ordered for _, ordered in kept):
            return rows
        self.notes.append(f"{len(rows) - len(kept)} coding rows without an amount and without an order were left out.")
        return kept

    def branch(self) -> int | None:
        """Tell the branch of what the lines are drawn from, which the document must be of; None where none is told.

        Raises `Held` where they are of several.
        """
        branches = self.bases.branches
        if len(branches) > 1:
            named = " and ".join(f"{branch} (order {number})" for branch, number in sorted(branches.items()))
            raise Held(
                f"order:{list(branches.values())[-1]}",
                f"Invoice {self.invoice.number} ({self.invoice.gross} {self.invoice.currency}, supplier "
                f"{self.invoice.supplier}) draws on orders of the branches {named}, and SAP Business One takes one "
                "branch to a document. Let the supplier send one invoice for each branch, or correct the order "
                "references.",
            )
        return next(iter(branches), None)

    def order_percents(self) -> list[Decimal | None]:
        """List the tax percentages of the order lines that the rows name: those that the ledger will take."""
        if self.invoice.gross < 0:
            return []
        found = [self.bases.find(row) for row in self.invoice.rows]
        if self.invoice.tax is not None or self.invoice.net is not None:
            return []  # the tax is stated, and nothing hangs on the orders'
        return [self.taxes.of_order(ordered) if ordered else None for ordered in found]

    # ── which order ─────────────────────────────────────────────────────────────────────────────────────────

    def _ordered(self, row: PricedRow) -> Ordered | None:
        ordered = self.bases.find(row.row)
        if ordered is None:
            return None
        currency = ordered.order.currency or self.lookups.local_currency()
        if row.net < 0 or (currency and currency != self.draft.currency):
            self.notes.append(
                f"Coding row {row.row.key} names order {ordered.order.number}, but is no purchase in its currency; it "
                "was posted without the link."
            )
            return None
        self.used[f"order={ordered.order.doc_entry}"] = row.row.order_number or ordered.order.number
        return ordered

    # ── goods ───────────────────────────────────────────────────────────────────────────────────────────────

    def _goods(self, row: PricedRow, ordered: Ordered, tax: Tax) -> Iterator[dict[str, Any]]:
        draws = self.bases.draw(ordered, row.row, row.net)
        nets = split(row.net, [draw.quantity or ZERO for draw in draws], self.money)
        coding = self._coding(row, ordered) | self._tax_field(tax)
        for draw, net in zip(draws, nets, strict=True):
            yield draw.fields() | self._priced(draw, net, ordered) | coding

    def _priced(self, draw: Drawn, net: Decimal, ordered: Ordered) -> dict[str, Any]:
        """State quantity and price; the total too, where the price alone would not make it to the cent."""
        if draw.quantity is None:
            return self._total(net)
        quantity = draw.quantity
        price, exact = unit_price(net, quantity)
        fields: dict[str, Any] = {"Quantity": quantity, "UnitPrice": price}
        if ordered.line.discount_percent:
            fields["DiscountPercent"] = 0  # else the order's discount comes off the invoiced price again
        if not exact:
            fields["RowTotalFC" if self.foreign else "LineTotal"] = net
        return fields

    def _coding(self, row: PricedRow, ordered: Ordered) -> dict[str, Any]:
        """Say what the approver coded otherwise than the order; what a receipt has booked cannot be coded again."""
        fields = self._cost_center(row) if row.row.cost_center or row.row.dimensions else {}
        if fields and set(fields.values()) <= set(ordered.line.cost_centers):
            fields = {}
        if row.row.account:
            account = self.draft.code("account", row.row.account)
            if account != ordered.line.account_code:
                self.notes.append(
                    f"Coding row {row.row.key} has account {account}; SAP Business One books ordered goods to "
                    f"{ordered.line.account_code or 'the account of the item'}."
                )
        return fields

    def _absorb(self, lines: list[dict[str, Any]], residue: Decimal) -> list[dict[str, Any]]:
        """Put a rounding difference of the rows on the last line: no line on an account can stand beside goods."""
        if residue == 0:
            return lines
        self._needs_account(residue)
        place = max(number for number, line in enumerate(lines) if number == 0 or _worth(line))  # none that is free
        last = lines[place]
        name = "RowTotalFC" if self.foreign else "LineTotal"
        if "Quantity" in last:
            net = (last.get(name) or last["Quantity"] * last["UnitPrice"]) + residue
            lines[place] = last | {"UnitPrice": unit_price(net, last["Quantity"])[0], name: net}
        else:
            lines[place] = last | self._total(last["LineTotal"] + residue)
        self.notes.append(f"A rounding difference of {residue} {self.invoice.currency} was added to the last line.")
        return lines

    # ── services ────────────────────────────────────────────────────────────────────────────────────────────

    def _service(self, row: PricedRow, ordered: Ordered | None, tax: Tax, sign: int) -> dict[str, Any]:
        net = row.net * sign
        line: dict[str, Any] = {"ItemDescription": self.draft.text_of(row.row, TEXT_LIMIT)}
        if ordered is not None and ordered.service:
            line |= self.bases.draw(ordered, row.row, row.net)[0].fields()
        account = self.draft.code("account", row.row.account) if row.row.account else None
        account = account or (ordered.line.account_code if ordered else None)
        if not account:
            raise self.draft.uncoded(row.row)
        line |= {"AccountCode": account} | self._total(net)
        return line | self._tax_field(tax) | self._cost_center(row, ordered)

    def _total(self, net: Decimal) -> dict[str, Any]:
        """State a sum without a quantity."""
        if self.foreign:
            return {"LineTotal": net, "RowTotalFC": net}  # some releases read LineTotal as local currency
        return {"LineTotal": net}

    def _rounding(self, difference: Decimal, residue: Decimal) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Bring the total to the approved one: by a line on the rounding account, else by the document's rounding.

        `residue` is what the rows themselves leave open: without an account a person decides on it.
        """
        if residue:
            self._needs_account(residue)
        account = self.settings.rounding_account
        if difference == 0 or account is None:
            return [], self._own_rounding(difference)
        free = self.taxes.free()
        if free is None and self.taxes.known:
            return [], self._own_rounding(difference)  # every group would add tax to the line
        self.used["rounding"] = account  # for the wording of a refusal
        self.notes.append(f"A rounding difference of {difference} {self.invoice.currency} is on account {account}.")
        line: dict[str, Any] = {"ItemDescription": "Rounding", "AccountCode": account, "LineTotal": difference}
        if self.foreign:
            line["RowTotalFC"] = difference
        return [line | ({"VatGroup": free} if free else {})], {}  # else the supplier's own tax could add a cent

    def _own_rounding(self, difference: Decimal) -> dict[str, Any]:
        """Say a rounding difference in the document's own fields."""
        if difference == 0:
            return {}
        self.notes.append(f"A difference of {difference} {self.invoice.currency} is the document's own rounding.")
        return {"Rounding": "tYES", "RoundingDiffAmountFC" if self.foreign else "RoundingDiffAmount": difference}

    def _needs_account(self, residue: Decimal) -> str:
        if self.settings.rounding_account is None:
            raise Held(
                f"conflict:{self.invoice.key}",
                f"The coding rows of invoice {self.invoice.number} plus tax differ from its total by {residue} "
                f"{self.invoice.currency}. Name a 'rounding_account' in the secret, or correct the invoice.",
            )
        return self.settings.rounding_account

    # ── codes ───────────────────────────────────────────────────────────────────────────────────────────────

    def _cost_center(self, row: PricedRow, ordered: Ordered | None = None) -> dict[str, Any]:
        """Put cost centers into the fields of their dimensions."""
        code = row.row.cost_center
        theirs = self.draft.code("cost_center", code) if code else ordered.line.cost_center if ordered else None
        fields: dict[str, Any] = {}
        for _, other in row.row.dimensions:
            fields |= self._costing(other, self.draft.code("cost_center", other))
        return fields | (self._costing(code or theirs, theirs) if theirs else {})

    def _costing(self, code: str, theirs: str) -> dict[str, str]:
        dimension = self.lookups.dimension(theirs)
        if dimension is None:
            raise Held(
                f"cost_center:{code}",
                f"SAP Business One has neither a profit center nor a distribution rule {theirs}. Create it there, or "
                "map the cost center to another one.",
            )
        return {f"CostingCode{dimension if dimension > 1 else ''}": theirs}

    def _tax_field(self, tax: Tax) -> dict[str, Any]:
        return {self.settings.tax_code_field: tax.code} if tax.code else {}


def _worth(line: dict[str, Any]) -> bool:
    """Tell whether a line has an amount."""
    return bool(line.get("LineTotal") or line.get("RowTotalFC") or line.get("UnitPrice"))
