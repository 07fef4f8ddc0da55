"""Approved invoices as journal entries of the general ledger (`kit/invoices`).

The payable side stands on an account with the supplier as its partner, which makes the open item that X3 pays; there is
no purchase invoice (`docs/vendors/sage_x3.md`). Account and dimensions are those of the order's line, else of the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ml_connector.context import AdapterContext
from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Found, Prepared
from ml_connector.folding import same
from ml_connector.records import Invoice
from ml_connector.systems.kit.coding import OrderedLines, coded
from ml_connector.systems.kit.dimensions import Dimensions, absent, by_dimension, dimensions
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.import_files import fitting
from ml_connector.systems.kit.invoices import KINDS, Created
from ml_connector.systems.kit.journal_entries import JournalEntries
from ml_connector.systems.kit.journals import Accounts, Entry, entries
from ml_connector.systems.kit.money import Money
from ml_connector.systems.kit.refusals import is_fault_of_the_document, named, took_too_long
from ml_connector.systems.kit.totals import by_account, sum_up
from ml_connector.systems.kit.xml import printable
from ml_connector.systems.sage_x3.entities import JOURNAL, Reader, Writer
from ml_connector.systems.sage_x3.faults import DIALECT, VENDOR
from ml_connector.systems.sage_x3.masters import Folder
from ml_connector.systems.sage_x3.orders import Orders
from ml_connector.systems.sage_x3.posting import COLUMNS, LEGAL, LINES, SHARES, Lookups
from ml_connector.systems.sage_x3.settings import Settings
from ml_connector.systems.sage_x3.soap import WORDED, Imports

NUMBER_LIMIT, KEY_LIMIT, TEXT_LIMIT = 20, 25, 30
"""Characters of BPRVCR, of REFINT, and of DESVCR and DES."""
MOST_LINES = 9_999


class Invoices:
    """The `kit.invoices.Payables` of a company."""

    title, dialect, refuses_duplicates, mark = VENDOR, DIALECT, False, ""
    number_limit, key_limit = NUMBER_LIMIT, KEY_LIMIT
    shown_nowhere = "among its journal entries"

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        folder: Folder,
        orders: Orders,
        settings: Settings,
        context: AdapterContext,
    ) -> None:
        """`writer` is that of `write_via`, `reader` that of `api`, through which entries are found and read back."""
        if settings.journal is None:
            raise Misconfigured("the field 'journal' is missing, which says how invoices are posted: add it")
        self._journal, self._site = settings.journal, settings.journal.site or settings.site
        if isinstance(writer, Imports) and self._site is None:
            raise Misconfigured("the field 'journal.site' is missing, which alone tells an import its company: add it")
        self._lookups, self._writer, self._folder = Lookups(reader, folder, orders), writer, folder
        self._entity, self._listed = folder.entity(JOURNAL), context.dimensions
        payable, company = settings.journal.payable_account, settings.company_code
        self._entries = found = JournalEntries(reader, self._entity, COLUMNS, VENDOR, payable, company)
        self._company, self._rounding = settings.company_code, context.options.rounding_tolerance
        self.find, self.numbered, self.recent = found.find, found.numbered, found.recent
        self.read, self.stands = found.read, found.stands

    def check(self) -> str:
        """Prove that entries can be written this way and found again, and that the secret's accounts are there."""
        named = Accounts(self._journal.payable_account, self._journal.tax_account, self._journal.rounding_account)
        replace(named, prefix="journal.").check(VENDOR, self._lookups.ledger(named.named()))
        shown = self._entries.fields()
        return f"by {self._writer.takes(self._entity)}; entries are found by {' and '.join(shown) or 'their number'}"

    # ── compose ─────────────────────────────────────────────────────────────────────────────────────────────

    def compose(self, draft: Draft) -> dict[str, Any]:
        """Write the entry: header, lines of the legal ledger, and their shares by dimension."""
        record, journal = draft.invoice, self._journal
        if not self._lookups.supplier(draft.supplier):
            raise draft.no_supplier("is not there, or not active, in", "Enter or activate it there")
        sums = sum_up(record, Money.of(record.currency, VENDOR), self._rounding)
        if journal.rounding_account is None:
            sums = sums.absorbed(draft.notes)
        ordered = OrderedLines(draft, self._lookups.order, "POPLIN")
        lines = [ordered.of(row.row) for row in sums.rows]
        own = {id(row.row): line.account for row, line in zip(sums.rows, lines, strict=True) if line}
        rows = coded(draft, sums.rows, self._lookups.ledger, None, own=lambda row: own.get(id(row)))
        centers = any(row.cost_center for row in record.rows)
        center = self._folder.center_type(self._listed) if centers else None
        shares = [
            dimensions(draft, row.row, line, center, "cost_center_dimension")
            for row, line in zip(sums.rows, lines, strict=True)
        ]
        for kind, code in self._lookups.missing({pair for one in shares for pair in one.items()}):
            raise absent(draft, kind, code)
        accounts = Accounts(journal.payable_account, journal.tax_account, journal.rounding_account, "journal.")
        made = entries(draft, sums, rows, accounts, self._lookups.ledger)
        draft.blocked()
        draft.written = by_account((one.account, one.amount) for one in made[:-1]) | by_dimension(
            (one.amount, mine) for one, mine in zip(made, shares, strict=False)
        )
        body = self._header(draft) | {LINES: self._lines(draft, made, shares)}
        if isinstance(self._writer, Imports):
            self._writer.file(self._entity, body)  # what no file can hold is refused before anything is sent
        return body

    def _header(self, draft: Draft) -> dict[str, Any]:
        record, day = draft.invoice, draft.posted_on
        said = _text(draft, record.description or f"{draft.supplier} {record.number}", "The description")
        given = {
            "TYP": self._journal.entry_type, "CPY": self._company, "FCY": self._site, "JOU": self._journal.journal,
            "ACCDAT": day, "RATDAT": day, "CUR": draft.currency, "DESVCR": said, "BPRVCR": record.number,
            "BPRDATVCR": record.invoice_date or day, "REFINT": draft.own, "DUDDAT": record.due_date,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}

    def _lines(self, draft: Draft, made: Sequence[Entry], shares: Sequence[Dimensions]) -> list[dict[str, Any]]:
        """Write the lines: amounts are positive, their side is in SNS; what comes to nothing is no line."""
        lines, chart = list[dict[str, Any]](), self._folder.chart()
        for place, one in enumerate(made):
            if not one.amount:
                continue
            number, payable = len(lines) + 1, one is made[-1]
            said = draft.text_of(one.row.row, TEXT_LIMIT) if one.row else f"Invoice {draft.invoice.number}"
            given = {
                "LIN": number, "LEDTYP": LEGAL, "IDTLIN": f"{number}", "FCYLIN": self._site,
                "COA": chart, "ACC": one.account, "SAC": self._journal.control if payable else None,
                "BPR": draft.supplier if payable else None,
                "DES": _text(draft, said, "A text"), "SNS": 1 if one.amount > 0 else -1, "AMTCUR": abs(one.amount),
                "CUR": draft.currency, "TAX": one.tax or None,
            }  # fmt: skip
            line = {name: value for name, value in given.items() if value is not None}
            if place < len(shares) and (mine := shares[place]):
                line[SHARES] = [{"DIE": list(mine), "CCE": list(mine.values()), "AMTCUR": abs(one.amount)}]
            lines.append(line)
        if not lines or len(lines) > MOST_LINES:
            raise Rejected(
                f"Invoice {draft.invoice.number} makes {len(lines)} lines of a journal entry (amounts of 0 make none); "
                f"{VENDOR} takes 2 to {MOST_LINES}. Correct its coding rows and transfer it again."
            )
        return lines

    # ── find, create ────────────────────────────────────────────────────────────────────────────────────────

    def lookup(self, invoice: Invoice, supplier: str, own: str) -> dict[str, str]:
        """Find it by our own key, and by supplier and number."""
        return {"kind": KINDS[invoice.gross < 0], "vendor": supplier, "own": own}

    def create(self, prepared: Prepared) -> Created | Fault:
        """Write once. Only an entry that tells its number, or is found, is believed; so is a refusal under 200.

        Raises `OutcomeUnknown` where an import ran that shows no entry, and says nothing that explains it.
        """
        made = self._writer.create(self._entity, prepared.body)
        if isinstance(made, Fault) and made.status >= 300:
            return made
        if not isinstance(made, Fault) and made.key is not None:
            ours = str(made.record.get("REFINT") or "").strip() == prepared.lookup["own"]
            return Created(made.key, made.key.rpartition("~")[2], ours=ours)
        said = f"{VENDOR} {'took' if (taken := not isinstance(made, Fault)) else 'refused'} {named(prepared)}"
        try:
            there = self._there(prepared)
        except (Transient, LoginRefused, Misconfigured) as error:
            raise OutcomeUnknown(f"{said}, and does not show whether it is there: {error}", taken=taken) from error
        if isinstance(made, Fault):
            if there is None and took_too_long(made.text):
                raise OutcomeUnknown(
                    f"{said}, and may still be at it: {made}. It is looked for before it is sent again."
                )
            return there or made
        if there is not None:
            return there
        words = Fault(200, "", str(made.record.get(WORDED) or ""))
        if words.text and (self.dialect.kind(words, prepared) or is_fault_of_the_document(words.text)):
            return words
        raise OutcomeUnknown(
            f"{said} and does not show it {self.shown_nowhere}{f'; it reports: {words.text}' if words.text else ''}. "
            "Look for it there, and in the log of the import.",
            taken=True,
        )

    def _there(self, prepared: Prepared) -> Created | None:
        """Find what was written after all: our own, else what agrees with it."""
        found = sorted(self.find(prepared.lookup), key=lambda one: not one.ours)
        one = next((one for one in found if one.ours or _agrees(one, prepared)), None)
        if one is None:
            return None
        if not one.ours and isinstance(self._writer, Imports):
            self._entries.unkeyed = (
                f"The entry does not carry our key: add the column REFINT to import template "
                f"{self._writer.template(self._entity)} of {VENDOR}; until then only supplier and number tell it."
            )
        return Created(one.id, one.number, ours=one.ours)

    def amended(self, _: Fault, __: Prepared) -> Prepared | None:
        """There are no other words."""
        return None

    def moved(self, prepared: Prepared, day: date) -> dict[str, Any]:
        """Post on another day."""
        return {**prepared.body, "ACCDAT": day, "RATDAT": day}


def _agrees(found: Found, prepared: Prepared) -> bool:
    """Tell whether an entry without our key is what was sent: amount, currency and date are."""
    amount = found.amount is not None and abs(found.amount) == abs(prepared.amount)
    return amount and same(found.currency, prepared.currency) and found.dated in {None, prepared.body.get("BPRDATVCR")}


def _text(draft: Draft, said: str, what: str) -> str:
    return draft.cut(fitting(printable(said)), TEXT_LIMIT, what)
