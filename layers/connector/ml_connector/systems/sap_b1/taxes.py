"""Which tax a line gets, and what SAP Business One will make of it (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from ml_connector.errors import Held, Misconfigured
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.money import HUNDRED, Money
from ml_connector.systems.kit.totals import PricedRow, Totals, tax_of
from ml_connector.systems.sap_b1.lookups import Lookups, TaxGroup
from ml_connector.systems.sap_b1.ordered_goods import Ordered
from ml_connector.systems.sap_b1.settings import Settings

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tax:
    """The code that is sent (None: SAP chooses) and the percentage that it adds to the total (None: not known)."""

    code: str | None
    percent: Decimal | None


@dataclass
class Taxes:
    """Chooses the tax of each line; `tolerance` is in the currency."""

    draft: Draft
    settings: Settings
    lookups: Lookups
    money: Money
    tolerance: Decimal

    @property
    def _by_group(self) -> bool:
        return self.settings.tax_code_field == "VatGroup"

    @property
    def known(self) -> bool:
        """Tell whether the company shows the tax groups that it has."""
        return bool(self._groups())

    def of(self, row: PricedRow, ordered: Ordered | None, sums: Totals) -> Tax:
        """Name the tax: as coded, by percentage, by what the amounts say. A line drawn on an order brings its own."""
        code = row.row.tax_code or (self.draft.invoice.tax_code if row.row.tax_percent is None else None)
        if code:
            theirs = self.draft.code("tax", code)
            charged = row.percent if row.percent is not None and not _untaxed(row, sums) else None
            return Tax(theirs, self._percent(theirs) if charged is None else charged)
        if not row.net and not row.tax:
            return Tax(self._of_nothing(row.percent, ordered), row.percent or ZERO)
        if (reverse := self._reverse(row, ordered, sums)) is not None:
            return Tax(reverse, ZERO)
        if row.percent is not None:
            return Tax(self._released(self._of_percent(row.percent, ordered), row.percent), row.percent)
        if ordered is not None:
            return Tax(None, self.of_order(ordered))
        own = self._released(self._of_amounts(row, sums), row.implied)
        return Tax(own, self._percent(own) if own else None)

    def of_order(self, ordered: Ordered) -> Decimal | None:
        """Tell the percentage that a line drawn on an order adds to the total; nothing where its tax is reversed."""
        percent = ordered.line.tax_percentage_per_row
        group = self._group(ordered.line.vat_group) if percent and ordered.line.vat_group else None
        return ZERO if group is not None and group.reverse else percent

    def difference(self, sums: Totals, lines: Sequence[tuple[Decimal, Tax]]) -> Decimal:
        """Say what the approved total has more than the one that SAP will make of (net, tax).

        Raises `Held` where that is no matter of rounding: the document would come out as nobody approved it.
        """
        net, shares = sum((net for net, _ in lines), ZERO), []
        for own, tax in lines:
            if tax.percent is None:
                return sums.gross - net - sums.tax
            shares.append((tax.code, own, tax.percent))
        tax_there = tax_of(shares, self.money)
        if tax_there != sums.tax:
            tax_there = tax_of(shares, self.money, self.lookups.rounding(self.draft.supplier))
        found = sums.gross - net - tax_there
        if abs(found) <= self.tolerance:
            return found
        if abs(found - sums.residue) > self.tolerance + self.money.unit * len(lines):  # as much as lines may round
            self._comes_out_otherwise(sums, net + tax_there, [tax for _, tax in lines])
        return sums.gross - net - sums.tax

    def _comes_out_otherwise(self, sums: Totals, there: Decimal, taxes: Sequence[Tax]) -> NoReturn:
        invoice = self.draft.invoice
        rates = ", ".join(sorted({f"{tax.code or 'its own tax'} ({_plain(tax.percent or ZERO)}%)" for tax in taxes}))
        raise Held(
            f"conflict:{invoice.key}",
            f"The total of invoice {invoice.number} is {sums.gross} {invoice.currency} with a tax of {sums.tax}, and "
            f"SAP Business One would make it {there} with {rates}: {abs(sums.gross - there)} {invoice.currency} apart. "
            "Nothing was posted. Correct the amounts or the tax, or map the tax to another code.",
        )

    def free(self) -> str | None:
        """Name a group that adds no tax: what a person mapped 0 to, else the first; None where there is none."""
        if not self._by_group:
            return None
        groups = self.lookups.tax_groups(ZERO, self.draft.posted_on) or []
        mapped = self.draft.codes.erp("tax", "0")
        return mapped if mapped in groups else next(iter(groups), None)

    # ── reverse charge ──────────────────────────────────────────────────────────────────────────────────────

    def _reverse(self, row: PricedRow, ordered: Ordered | None, sums: Totals) -> str | None:
        """Name the group whose tax shows in no total, where that is the supplier's, the order's, or the one stated."""
        if not self._by_group or not _untaxed(row, sums) or not self._groups():
            return None
        own = (ordered.line.vat_group if ordered else None) or self.lookups.supplier_tax(self.draft.supplier)
        group = self._group(own)
        if group is not None and group.reverse and row.percent in {None, ZERO, group.rate}:
            return group.code
        return self._reverse_of(row.percent) if row.percent else None

    def _reverse_of(self, percent: Decimal) -> str:
        """Find the group of a percentage that is stated and not charged."""
        fitting = [group.code for group in self._groups().values() if group.reverse and group.rate == percent]
        mapped = self.draft.codes.erp("tax", _plain(percent))
        if mapped in fitting:
            return self.draft.code("tax", _plain(percent))
        if len(fitting) == 1:
            return self._released(fitting[0], percent) or fitting[0]
        listed = f"several such tax groups ({', '.join(fitting)})" if fitting else "no such tax group"
        raise Held(
            f"tax:{_plain(percent)}",
            f"Invoice {self.draft.invoice.number} states {_plain(percent)}% tax and charges none (reverse charge), and "
            f"SAP Business One has {listed}. To fix: give supplier {self.draft.supplier} its tax group there, or run "
            f"`ml-connector mappings set TENANT tax {_plain(percent)} CODE`.",
        )

    def _of_nothing(self, percent: Decimal | None, ordered: Ordered | None) -> str | None:
        """Name the tax of a row of no amount, to which none adds anything: nobody is asked, and no charge reversed."""
        if ordered is not None:
            return (ordered.line.vat_group if self._by_group else ordered.line.tax_code) or None
        mapped = None if percent is None else self._mapped_percent(percent)
        if mapped is not None or not self._by_group:
            return mapped
        own, fitting = self.lookups.supplier_tax(self.draft.supplier), []
        if percent is not None:
            fitting = self.lookups.tax_groups(percent, self.draft.posted_on) or []
        group = self._group(own)
        if own in fitting or not fitting or (group is not None and group.reverse and group.rate == percent):
            return own
        return fitting[0]

    # ── by percentage and amounts ───────────────────────────────────────────────────────────────────────────

    def _of_percent(self, percent: Decimal, ordered: Ordered | None) -> str | None:
        """Find the tax code of a percentage: a person's mapping, the order's own, or the only one there is."""
        if (mapped := self._mapped_percent(percent)) is not None:
            return mapped
        if ordered is not None and ordered.line.tax_percentage_per_row == percent:
            own = ordered.line.vat_group if self._by_group else ordered.line.tax_code
            if own:
                return own
        groups = self.lookups.tax_groups(percent, self.draft.posted_on) if self._by_group else None
        if groups is None and self._by_group and percent != 0:
            self._leave(percent)
        return None if groups is None and (self._by_group or percent == 0) else self._only(groups or [], percent)

    def _of_amounts(self, row: PricedRow, sums: Totals) -> str | None:
        """Choose a code where the platform names none: else the supplier's own is taken, and may be another tax."""
        if not self._by_group:
            return None
        if row.implied is not None and (mapped := self._mapped_percent(row.implied)) is not None:
            return mapped
        own = self.lookups.supplier_tax(self.draft.supplier)
        if own is None or not self._groups():
            return own if row.implied is not None else None
        fitting = [] if row.implied is None else self.lookups.tax_groups(row.implied, self.draft.posted_on) or []
        fitting = fitting or self._near(row, sums)
        if own in fitting:
            return own
        return self._only(fitting, row.implied) if row.implied is not None else next(iter(fitting), None)

    def _near(self, row: PricedRow, sums: Totals) -> list[str]:
        """List the groups whose tax is the stated one but for rounding; the supplier rounds in another way."""
        tax, net = (row.tax, row.net) if row.tax is not None else (sums.tax, sums.net)
        return [
            group.code
            for group in self._groups().values()
            if not group.reverse and abs(net * group.rate / HUNDRED - tax) <= self.tolerance
        ]

    def _leave(self, percent: Decimal) -> None:
        """Say in the audit that SAP chooses the tax, where it shows no groups to choose from."""
        note = f"SAP Business One shows no tax groups, so no code was sent for {_plain(percent)}% tax."
        if note not in self.draft.notes:
            self.draft.notes.append(note)

    def _only(self, groups: list[str], percent: Decimal) -> str:
        if len(groups) == 1:
            return groups[0]
        listed = f"several input tax codes of {_plain(percent)}% ({', '.join(groups)})" if groups else "none"
        raise Held(
            f"tax:{_plain(percent)}",
            f"The invoice states {_plain(percent)}% tax without a code, and SAP Business One has {listed}. Say which "
            f"one it is with `ml-connector mappings set TENANT tax {_plain(percent)} CODE`.",
        )

    # ── codes ───────────────────────────────────────────────────────────────────────────────────────────────

    def _released(self, theirs: str | None, percent: Decimal | None) -> str | None:
        """Remember the rate that a code was chosen by: where the code is refused, a mapping of the rate fixes it."""
        if percent is not None:
            self.draft.used.setdefault(f"tax={theirs or ''}", _plain(percent))
        return theirs

    def _mapped_percent(self, percent: Decimal) -> str | None:
        name = _plain(percent)
        return None if self.draft.codes.erp("tax", name) == name else self.draft.code("tax", name)

    def _percent(self, code: str) -> Decimal | None:
        try:
            group = self._group(code)
        except Misconfigured:
            return None  # this user may not see the groups, and nothing but the cents hangs on them
        return group.shown if group else None

    def _group(self, code: str | None) -> TaxGroup | None:
        return self._groups().get(code or "")

    def _groups(self) -> dict[str, TaxGroup]:
        return self.lookups.groups(self.draft.posted_on) if self._by_group else {}


def _untaxed(row: PricedRow, sums: Totals) -> bool:
    """Tell whether nothing of the total is tax of this row, whatever rate it states."""
    if row.row.tax is not None:
        return row.row.tax == 0
    return sums.tax == 0 or row.tax == 0


def _plain(percent: Decimal) -> str:
    """Write a percentage without needless zeros."""
    return f"{percent.normalize():f}"
