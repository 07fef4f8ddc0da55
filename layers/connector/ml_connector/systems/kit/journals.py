"""An invoice as a journal of the general ledger, for an ERP or a company that keeps no payables for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.errors import Held, Misconfigured
from ml_connector.systems.kit.coding import Coded, Ledger
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.totals import PricedRow, Totals


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: debits are positive. `row` is the coding row that it posts, None for tax and the payable."""

    account: str
    amount: Decimal
    row: PricedRow | None = None


def entries(draft: Draft, sums: Totals, coded: Sequence[Coded], payable: str, ledger: Ledger) -> list[Entry]:
    """List the entries of rows with their accounts, their taxes and the payable; they make nothing together.

    A tax code is mapped to the account of its tax. `ledger` tells which accounts there are. Raises `Held` where
    nothing tells on which account the tax goes, and `Misconfigured` where there is no payable account.
    """
    taxes = {account: amount for account, amount in _taxes(draft, sums).items() if amount}
    made = [Entry(account, row.net, row) for row, account in coded]
    made += [Entry(account, amount) for account, amount in taxes.items()]
    there = ledger((*taxes, payable))
    if payable not in there:
        raise Misconfigured(f"{draft.title} has no account {payable}; correct 'payable_account' in the secret.")
    for account in taxes:
        if account not in there:
            code = draft.used[f"tax={account}"]
            raise Held(
                f"tax:{code}",
                f"{draft.title} has no account {account}, to which the tax of invoice {draft.invoice.number} goes in a "
                f"journal. To fix: `ml-connector mappings set TENANT tax {code} ACCOUNT`.",
            )
    return [*made, Entry(payable, -sum((one.amount for one in made), Decimal(0)))]


def _taxes(draft: Draft, sums: Totals) -> dict[str, Decimal]:
    """Share the tax among the accounts of its codes. What rounding leaves goes to the first of them."""
    record, shares = draft.invoice, dict[str, Decimal]()
    if not sums.tax:
        return shares
    codes = [row.row.tax_code or record.tax_code for row in sums.rows]
    alone = len(set(codes)) == 1
    for row, code in zip(sums.rows, codes, strict=True):
        if code is None or (row.tax is None and not alone):
            if row.tax == 0:
                continue
            raise Held(
                f"conflict:{record.key}",
                f"Coding row {row.row.key} of invoice {record.number} does not tell its tax code and tax, so nothing "
                "tells to which account the tax goes. Correct it and transfer the invoice again.",
            )
        account = draft.code("tax", code)
        shares[account] = shares.get(account, Decimal(0)) + (row.tax or Decimal(0))
    first = next(iter(shares))
    shares[first] += sums.tax - sum(shares.values(), Decimal(0))
    return shares
