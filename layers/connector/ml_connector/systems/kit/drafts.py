"""An invoice on its way into an ERP's words: what is translated, cut and noted meanwhile is the same for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from ml_connector.errors import Held, Rejected
from ml_connector.flow import Codes
from ml_connector.folding import same
from ml_connector.records import CodingRow, Invoice


class Periods(Protocol):
    """An ERP's fiscal periods, where it shows them before anything is posted."""

    def is_open(self, day: date) -> bool | None:
        """Tell whether a day can be posted to; None where nothing is known of it."""

    def next_open(self, day: date) -> date | None:
        """Give the first day after it that can be posted to; None where there is none."""


@dataclass(frozen=True, slots=True)
class Months:
    """Periods that are calendar months: those from `earliest` to the current day's can be posted to."""

    current: date
    earliest: date

    @classmethod
    def back(cls, current: date, months: int) -> Months:
        """Take the current month and some before it."""
        count = 12 * current.year + current.month - 1 - months
        return cls(current, date(count // 12, count % 12 + 1, 1))

    def ago(self, day: date) -> int:
        """Count the months from a day's to the current one; negative for one that is still to come."""
        return 12 * (self.current.year - day.year) + self.current.month - day.month

    def is_open(self, day: date) -> bool:
        """Tell whether a day can be posted to."""
        return day >= self.earliest and self.ago(day) >= 0

    def next_open(self, day: date) -> date | None:
        """Give the first day of the current month; None for a day after it, whose own is still to come."""
        return self.current.replace(day=1) if self.ago(day) > 0 else None


@dataclass
class Draft:
    """What a vendor's `compose` works on. `title` names the ERP, `own` is our key in its documents.

    `supplier` and `currency` are the ERP's codes; `supplier` is corrected where the ERP spells it otherwise.
    `posted_on` is the accounting date, or today. `moves`: a closed period is passed over. `notes` are for people;
    `used` says which of the platform's codes became which of the ERP's, as `KIND=THEIRS`, for the wording of a refusal.
    `unique` and `written` are as in `flow.Prepared`.
    """

    title: str
    invoice: Invoice
    codes: Codes
    supplier: str
    currency: str
    own: str
    posted_on: date
    moves: bool = False
    notes: list[str] = field(default_factory=list)
    used: dict[str, str] = field(default_factory=dict)
    unique: bool = False
    written: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Remember the day that was asked for."""
        self.asked = self.posted_on

    @property
    def month(self) -> str:
        """Name the month that was asked for, as `2026-03`."""
        return self.asked.isoformat()[:7]

    @property
    def credit(self) -> bool:
        """Tell a credit note."""
        return self.invoice.gross < 0

    @property
    def sign(self) -> int:
        """Give -1 for a credit note, whose amounts are positive in the ERPs."""
        return -1 if self.credit else 1

    def code(self, kind: str, code: str) -> str:
        """Translate a code; raises `Held` where it is not mapped."""
        theirs = self.codes.erp(kind, code)
        self.used[f"{kind}={theirs}"] = code
        return theirs

    def cut(self, text: str, limit: int, what: str) -> str:
        """Cut a text at the ERP's limit, and say so. For texts only: a code or a number is never cut."""
        if len(text) > limit:
            self.notes.append(f"{what} was cut at {limit} characters.")
        return text[:limit].strip()

    def text_of(self, row: CodingRow, limit: int) -> str:
        """Give the text of a coding row: its order and its description, else the invoice's."""
        order = f"PO {row.order_number}/{row.order_line or ''} " if row.order_number else ""
        said = f"{order}{row.description or self.invoice.description or f'Invoice {self.invoice.number}'}".strip()
        return self.cut(said, limit, f"The text of coding row {row.key}")

    def open_day(self, periods: Periods) -> None:
        """Let the invoice wait for its period, or post it to the next one, where the ERP says that it is closed."""
        if periods.is_open(self.posted_on) is not False:
            return
        following = periods.next_open(self.posted_on) if self.moves else None
        if following is None:
            raise Held(
                f"period:{self.month}",
                f"The fiscal calendar of {self.title} has no open period for {self.posted_on}. Open it there, or "
                "correct the accounting date.",
            )
        self.notes.append(moved_note(self.posted_on, following))
        self.posted_on = following

    def center_left_out(self, row: CodingRow, setting: str) -> None:
        """Note that a row's cost center was left out, since the secret does not say where it goes."""
        self.notes.append(
            f"The cost center {row.cost_center} of coding row {row.key} was left out: the secret names no '{setting}'."
        )

    def blocked(self) -> None:
        """Note a payment block, for an ERP that takes none with the document."""
        if self.invoice.payment_block:
            self.notes.append(f"The payment block was left out: put the document on hold in {self.title}.")

    # ── what is wrong with it ───────────────────────────────────────────────────────────────────────────────

    def no_supplier(self, found: str = "does not exist in", fix: str = "Enter it there") -> Held:
        """Wait for a supplier that the ERP does not have, or lets nobody invoice."""
        code = self.invoice.supplier
        return Held(
            f"supplier:{code}",
            f"Supplier {self.supplier} {found} {self.title}. {fix}, or map the supplier {code} to another one.",
        )

    def other_currency(self, kept: str) -> Held:
        """Wait for a supplier of the invoice's currency, where a supplier is invoiced in one alone."""
        record = self.invoice
        return Held(
            f"currency:{record.currency}",
            f"{self.title} keeps supplier {self.supplier} in {kept}, and posts in no other currency; invoice "
            f"{record.number} is in {self.currency}. If {kept} is its code for {record.currency}: `ml-connector "
            f"mappings set TENANT currency {record.currency} {kept}`. If not, map the supplier {record.supplier} to "
            "one that is kept in it.",
        )

    def local_only(self, local: str, ledger: str) -> None:
        """Let a foreign invoice wait, where a ledger takes the company's own currency alone."""
        record = self.invoice
        if not same(self.currency, local):
            raise Held(
                f"currency:{record.currency}",
                f"Invoice {record.number} is in {self.currency}, and {ledger} of {self.title} in {local}. Enter it "
                "there by hand, or map the currency if it is the same.",
            )

    def spelt(self, text: str, encoding: str) -> str:
        """Refuse a number with letters that the ERP does not have: it would keep another number."""
        if bad := "".join(dict.fromkeys(one for one in text if not _has(encoding, one))):
            raise Rejected(
                f"The invoice number {self.invoice.number} has characters that {self.title} cannot keep: {bad}. "
                "Correct it and transfer the invoice again."
            )
        return text

    def too_long(self, size: int, limit: int) -> Rejected:
        """Refuse what does not fit into one call."""
        record = self.invoice
        return Rejected(
            f"Invoice {record.number} is too long for {self.title}, which takes {limit} characters at a time: its "
            f"{len(record.rows)} coding rows make {size}. Combine coding rows, or split it into several invoices, and "
            "transfer it again."
        )

    def no_account(self, row: CodingRow, account: str) -> Held:
        """Wait for an account that the ledger does not have."""
        return Held(
            f"account:{row.account or account}",
            f"{self.title} has no ledger code {account}, to which coding row {row.key} of invoice "
            f"{self.invoice.number} goes. Enter it there, or map its account (and cost center) to another one.",
        )

    def uncoded(self, row: CodingRow) -> Rejected:
        """Refuse a row that nothing says the account of."""
        return Rejected(
            f"Coding row {row.key} of invoice {self.invoice.number} has neither an account nor an order with one. Code "
            "it and transfer it again."
        )

    def no_order(self, number: str) -> Held:
        """Wait for an order that the supplier does not have there."""
        return Held(
            f"order:{number}",
            f"{self.title} has no purchase order {number} of supplier {self.supplier}. Correct the order "
            f"reference of the invoice, or enter the order in {self.title}.",
        )

    def no_line(self, number: str, line: str, numbered_by: str) -> Held:
        """Wait for a line that an order does not have; `numbered_by` is the field of lines that a row must name."""
        return Held(
            f"order:{number}",
            f"Order {number} has no line {line} (lines are numbered by {numbered_by}). Correct the order "
            "reference of the invoice.",
        )


def _has(encoding: str, one: str) -> bool:
    try:
        return bool(one.encode(encoding))
    except UnicodeEncodeError:
        return False


def moved_note(day: date | str, following: date | str) -> str:
    """Say that a posting date was moved."""
    return f"Posting date moved from {day} to {following}: period closed."
