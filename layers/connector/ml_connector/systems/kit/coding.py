"""The ledger codes to which an invoice's coding rows go, where an account and a cost center may make one code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.sections import with_center
from ml_connector.systems.kit.totals import PricedRow

Coded = tuple[PricedRow, str]
"""A row with its ledger code."""
Ledger = Callable[[Iterable[str]], set[str]]
"""Tells which of some ledger codes there are."""


def coded(
    draft: Draft, rows: Sequence[PricedRow], ledger: Ledger, section: int | None, setting: str = ""
) -> list[Coded]:
    """Translate each row's account, with its cost center in a section of it; `ledger` tells which codes there are.

    Without a section a cost center is left out with a note that names the secret's `setting`; without that the caller
    sees to it. Raises `Held` where a code is not mapped or not there, `Rejected` for a row without an account.
    """
    found = list[Coded]()
    for priced in rows:
        row = priced.row
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
