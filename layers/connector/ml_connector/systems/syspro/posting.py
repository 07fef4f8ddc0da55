"""Documents as they stand in SYSPRO: found by our own key or by supplier and number, read back, and what it refuses.

An invoice is named by supplier and number, a credit of one by our key in addition, and a journal of the general ledger
by year, period and number. An invoice's journal is no name: each credit gives it another (`docs/vendors/syspro.md`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from urllib.parse import quote, unquote

from ml_connector.flow import Found
from ml_connector.folding import fold, spellings
from ml_connector.systems.kit.faults import SPOKEN, Dialect, Fault, fixes, spoken_of
from ml_connector.systems.kit.invoices import KINDS
from ml_connector.systems.kit.journals import distribution
from ml_connector.systems.kit.tables import Condition, Row, amount, day, text
from ml_connector.systems.kit.totals import by_account
from ml_connector.systems.syspro.client import Client, forms
from ml_connector.systems.syspro.faults import VENDOR
from ml_connector.systems.syspro.lookups import ZERO, Lookups, bare

NAME = ("Supplier", "Invoice")
AMOUNTS = ("OrigInvValue", "Currency", "FirstTaxCode", "ExchangeRate", "InvoiceYear", "InvoiceMonth")
INVOICE = (*NAME, "Journal", "InvoiceDate", "DueDate", "Reference", *AMOUNTS)
CREDIT = (*NAME, "TrnType", "PaymentReference", "TrnValue", "PostValue")
ENTRY = ("GlYear", "GlPeriod", "Journal", "EntryNumber")
ENTRIES = (*ENTRY, "GlCode", "EntryValue", "Source", "Reference")
PAYABLES = "AP"
"""Source of the entries that an invoice makes in the general ledger; those of a journal of ours have another."""
MOST_DIGITS = 9
"""Digits of a journal's number."""
UNSHOWN = f"{VENDOR}'s general ledger shows no entries under its reference, so its accounts could not be compared."


class Documents:
    """Finds and reads documents of one company."""

    def __init__(self, client: Client, lookups: Lookups) -> None:
        self._client, self._lookups = client, lookups

    def find(self, lookup: Mapping[str, str]) -> Iterator[Found]:
        """Find a document by our own key, whatever else it says, then by supplier and number."""
        own, number, credited = lookup["own"], lookup["number"], lookup.get("credited")
        of: Condition = ("Supplier", "EQ", self._lookups.spelt(lookup["vendor"]))
        for row in self._invoices(("Reference", "EQ", own)):
            yield _invoice(row, own)
        alike = self._numbered(number, of)
        if lookup.get("dated"):  # in whichever spelling of its number
            alike += self._invoices(of, ("InvoiceDate", "EQ", date.fromisoformat(lookup["dated"])))
        found = [_invoice(row, own) for row in alike if _same(row["Invoice"], number)]
        yield from (one for one in found if one.kind == lookup["kind"])
        if credited:
            yield from self._credits(own, of, forms(credited))
        if payable := lookup.get("payable"):
            yield from self._journals(own, payable, ("Reference", "EQ", own))

    def numbered(self, number: str, lookup: Mapping[str, str]) -> list[Found]:
        """Find the supplier's documents of this kind in a journal."""
        if not (number.isdecimal() and len(number) <= MOST_DIGITS):
            return []
        of: Condition = ("Supplier", "EQ", self._lookups.spelt(lookup["vendor"]))
        found = [_invoice(row) for row in self._invoices(of, ("Journal", "EQ", Decimal(number)))]
        return [one for one in found if one.kind == lookup["kind"]]

    def recent(self, since: date) -> Iterator[Found]:
        """List what was posted since a day, with what stands in the field of our key."""
        for row in self._invoices(("JournalDate", "GE", since)):
            yield replace(_invoice(row), reference=text(row, "Reference"))

    def posted(self, supplier: str, number: str) -> Found | None:
        """Find an invoice by its number; None where there is none, or that is a credit note's."""
        found = (_invoice(row) for row in self._numbered(number, ("Supplier", "EQ", supplier)))
        return next((one for one in found if one.kind == KINDS[False]), None)

    def read(self, found: Found) -> Found | None:
        """Read a document with all that was written into it; None where it does not show. Its voucher stays."""
        name, _, journal = found.id.rpartition(":")
        kind, first, second, *own = (unquote(part) for part in name.split("~"))
        of: Condition = (NAME[0], "EQ", first)
        if kind == "G":
            key = zip(ENTRY, (first, second, journal), strict=False)
            return next(self._journals("", own[0], *((column, "EQ", Decimal(value)) for column, value in key)), None)
        if kind == "C":
            shown = next(self._credits(own[0], of, [second]), None)
        else:
            shown = next((self._whole(row) for row in self._invoices(of, (NAME[1], "EQ", second))), None)
        return shown and replace(shown, number=found.number or shown.number, ours=shown.ours or found.ours)

    def _whole(self, row: Row) -> Found:
        due, rate = day(row, "DueDate"), amount(row, "ExchangeRate") or ZERO
        written = {"due date": due.isoformat() if due else "", "tax code": text(row, "FirstTaxCode") or ""}
        notes = (f"It is in period {bare(row['InvoiceMonth'])} of {bare(row['InvoiceYear'])} of {VENDOR}.",)
        return self._distributed(replace(_invoice(row), written=written, notes=notes), text(row, "Reference"), rate)

    def _distributed(self, shown: Found, own: str | None, rate: Decimal) -> Found:
        """Tell what the general ledger has on each account under our key."""
        journals = list(self._sums(("Reference", "EQ", own), payables=True).values()) if own else []
        booked, slack = distribution(journals, shown.amount or ZERO, rate)
        if not booked:
            return replace(shown, notes=(*shown.notes, UNSHOWN))
        return replace(shown, written={**shown.written, **booked}, slack=slack)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────

    def _invoices(self, *where: Condition) -> list[Row]:
        return self._client.rows("ApInvoice", INVOICE, *where, order=NAME)

    def _numbered(self, number: str, of: Condition) -> list[Row]:
        asked = [*forms(number), *spellings(number)]
        rows = self._client.rows_by("ApInvoice", INVOICE, "Invoice", asked, of, order=NAME)
        return [row for row in rows if _same(row["Invoice"], number)]

    def _sums(self, *where: Condition, payables: bool) -> dict[tuple[str, ...], dict[str, Decimal]]:
        """Add up entries of the general ledger by journal and account: those of invoices, or those of journals."""
        found: dict[tuple[str, ...], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for row in self._client.rows("GenJournalDetail", ENTRIES, *where, order=ENTRY):
            if (text(row, "Source") == PAYABLES) == payables:
                journal = tuple(bare(row[name]) for name in ENTRY[:3])
                found[journal][row["GlCode"].strip()] += amount(row, "EntryValue") or ZERO
        return found

    def _credits(self, own: str, of: Condition, invoices: Sequence[str]) -> Iterator[Found]:
        """Find what invoices were credited with under our key; its journal is that of its entries."""
        where = (of, ("PaymentReference", "EQ", own), ("TrnType", "EQ", "C"))
        for row in self._client.rows_by("ApInvoicePay", CREDIT, "Invoice", invoices, *where, order=CREDIT):
            number = next((key[2] for key in self._sums(("Reference", "EQ", own), payables=True)), row["Invoice"])
            name, total = _id("C", row["Supplier"], row["Invoice"], own), -abs(amount(row, "TrnValue") or ZERO)
            one = Found(name, number, total, ours=True, partner=row["Supplier"], kind=KINDS[True])
            yield self._distributed(one, own, abs((amount(row, "PostValue") or ZERO) / (total or 1)))

    def _journals(self, own: str, payable: str, *where: Condition) -> Iterator[Found]:
        """Find journals of the general ledger; what stands against the payable account is their total."""
        for (year, period, journal), sums in self._sums(*where, payables=False).items():
            total = -sums.pop(payable, ZERO)
            written = {**by_account(sums.items(), whole=True), "period": f"{year}/{period}"}
            name = _id("G", year, period, payable) + journal
            yield Found(name, journal, total, ours=bool(own), kind=KINDS[total < 0], written=written)


def _invoice(row: Row, own: str = "") -> Found:
    total, ours = amount(row, "OrigInvValue"), bool(own) and text(row, "Reference") == own
    return Found(
        _id("I", row["Supplier"], row["Invoice"]), bare(row["Journal"]) or row["Invoice"], total, text(row, "Currency"),
        ours=ours, dated=day(row, "InvoiceDate"), partner=row["Supplier"], reference=row["Invoice"],
        kind=KINDS[(total or ZERO) < 0],
    )  # fmt: skip


def _id(*name: str) -> str:
    """Name a document. Behind the colon stands its journal, where that is part of its name."""
    return "~".join(quote(part, safe="").replace("~", "%7E") for part in name) + ":"


def _same(one: str, other: str) -> bool:
    return fold(bare(one)) == fold(bare(other))


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────

_FIELDS = {
    "supplier": "supplier", "ledgercode": "account", "passwordforledgercode": "account", "analysiscode1": "cost_center",
    "taxcode": "tax", "ledgertaxcode": "tax", "taxvalue": "tax", "postingperiod": "period", "postingyear": "period",
}  # fmt: skip
_MENDS = fixes(VENDOR)
DIALECT: Dialect[Fault] = Dialect(
    VENDOR, lambda fault, _: spoken_of(fault, _FIELDS, SPOKEN, VENDOR), lambda *_: None,
    lambda kind, *_: _MENDS.get(kind), "journal",
)  # fmt: skip
