"""An invoice as a journal of the general ledger, for an ERP or a company that keeps no payables for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.errors import Held, Misconfigured
from ml_connector.systems.kit.coding import Coded, Ledger
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.totals import PricedRow, Totals, by_account

MILL, CENTS = Decimal("0.001"), Decimal("0.05")
"""What is compared of an amount, and how far a journal's entries may be off, in local currency: each is rounded."""


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


def distribution(
    journals: Sequence[Mapping[str, Decimal]], total: Decimal, rate: Decimal
) -> tuple[dict[str, str], Decimal]:
    """Say what journals of a document have on each account, positive and in its currency, and how far that may be off.

    `total` is the document's, `rate` what is known of local currency and its own, one way or the other, 0 for nothing.
    It counts where the first journal's entry against `total` shows it, else what that entry comes to: so a second
    journal doubles the sums. Nothing where there is no such entry.
    """
    against = [value for value in journals[0].values() if value * total < 0] if journals else []
    if not against:
        return {}, Decimal(0)
    rates = (rate, 1 / rate) if rate else (Decimal(1),)
    shown = (one for one in rates if any(abs(value + total * one) <= CENTS for value in against))
    local = next(shown, abs(max(against, key=abs) / total))
    entries = ((account, value) for journal in journals for account, value in journal.items())
    booked = [(account, (value / local.copy_sign(total)).quantize(MILL)) for account, value in entries]
    return by_account(booked, whole=True), Decimal(0) if local == 1 else CENTS / local


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
