"""The ledger codes to which an invoice's coding rows go, where an account and a cost center may make one code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ml_connector.errors import Held
from ml_connector.records import CodingRow, OrderLine, PurchaseOrder
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.rows import plain
from ml_connector.systems.kit.sections import with_center
from ml_connector.systems.kit.totals import PricedRow

Coded = tuple[PricedRow, str]
"""A row with its ledger code."""
Ledger = Callable[[Iterable[str]], set[str]]
"""Tells which of some ledger codes there are."""


def coded(
    draft: Draft,
    rows: Sequence[PricedRow],
    ledger: Ledger,
    section: int | None,
    setting: str = "",
    own: Callable[[CodingRow], str | None] = lambda _: None,
) -> list[Coded]:
    """Translate each row's account, with its cost center in a section of it; `ledger` tells which codes there are.

    Without a section a cost center is left out with a note that names the secret's `setting`; without that the caller
    sees to it. `own` gives the ledger code that the ERP itself has for a row, such as its order's, which needs no
    mapping. Raises `Held` where a code is not mapped or not there, `Rejected` for a row without an account.
    """
    found = list[Coded]()
    for priced in rows:
        row = priced.row
        if code := own(row):
            draft.used[f"account={code}"] = row.account or code
            found.append((priced, code))
            continue
        if not row.account:
            raise draft.uncoded(row)
        code = draft.codes.erp("account", row.account)
        if row.cost_center and section:
            code = with_center(code, section, draft.code("cost_center", row.cost_center))
        elif row.cost_center and setting:
            draft.center_left_out(row, setting)
        draft.used[f"account={code}"] = row.account
        found.append((priced, code))
    there = ledger(code for _, code in found)
    for priced, code in found:
        if code not in there:
            raise draft.no_account(priced.row, code)
    return found


class OrderedLines:
    """Finds the order lines that coding rows refer to; each order is read once.

    Not every order of a platform is one of the ERP's: what the ERP does not have is coded as the platform says, with a
    note, where it says anything.
    """

    def __init__(self, draft: Draft, order: Callable[[str], PurchaseOrder | None], numbered_by: str) -> None:
        """`order` reads one by its number; `numbered_by` is what names a line of it."""
        self._draft, self._order, self._numbered_by = draft, order, numbered_by
        self._known = dict[str, PurchaseOrder | None]()

    def of(self, row: CodingRow) -> OrderLine | None:
        """Find a row's line; None where it refers to none of the ERP's, or to one of several without saying which.

        Raises `Held` where there is no such order or line, and the row itself has no account.
        """
        number, line = (row.order_number or "").strip(), (row.order_line or "").strip()
        if not number:
            return None
        if number not in self._known:
            self._known[number] = self._order(number)
        if (order := self._known[number]) is None:
            self._leave(row, f"order {number}", self._draft.no_order(number))
            return None
        if not line:
            return order.lines[0] if len(order.lines) == 1 else None
        found = next((one for one in order.lines if plain(line) in {plain(one.number), plain(one.key)}), None)
        if found is None:
            missing = self._draft.no_line(number, line, self._numbered_by)
            self._leave(row, f"line {line} of order {number}", missing)
        return found

    def _leave(self, row: CodingRow, what: str, error: Held) -> None:
        if not row.account:
            raise error
        self._draft.notes.append(f"{self._draft.title} has no {what}: coding row {row.key} was posted as it is coded.")
