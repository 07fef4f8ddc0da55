"""An invoice as a journal of the general ledger, for an ERP or a company that keeps no payables for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    """One entry: debits are positive. `row` is the coding row that it posts, None for tax, rounding and the payable.

    `tax` is the ERP's tax code, where one account takes the taxes of all of them.
    """

    account: str
    amount: Decimal
    row: PricedRow | None = None
    tax: str = ""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts that a secret names, which stand there below `prefix`.

    `tax` takes all taxes; without it a tax code is mapped to the account of its tax. `rounding` takes what the total
    has more than rows and taxes; without it a row has taken that.
    """

    payable: str
    tax: str | None = None
    rounding: str | None = None
    prefix: str = ""

    def check(self, title: str, there: Collection[str]) -> None:
        """Raise `Misconfigured` for one that is not there, naming its field."""
        for field in ("payable", "tax", "rounding"):
            account = getattr(self, field)
            if account is not None and account not in there:
                raise Misconfigured(
                    f"{title} has no account {account}; correct '{self.prefix}{field}_account' in the secret."
                )

    def named(self) -> list[str]:
        """List them."""
        return [one for one in (self.payable, self.tax, self.rounding) if one is not None]


def entries(draft: Draft, sums: Totals, coded: Sequence[Coded], accounts: Accounts, ledger: Ledger) -> list[Entry]:
    """List the entries of rows with their accounts, their taxes and the payable; they make nothing together.

    `ledger` tells which accounts there are. Raises `Held` where nothing tells on which account the tax goes, and
    `Misconfigured` where one of `accounts` is not there.
    """
    if accounts.tax is None:
        taxes = [Entry(account, amount) for account, amount in _taxes(draft, sums).items() if amount]
    else:
        taxes = [Entry(accounts.tax, amount, tax=code) for code, amount in _by_code(draft, sums).items() if amount]
    made = [*(Entry(account, row.net, row) for row, account in coded), *taxes]
    if accounts.rounding is not None and sums.residue:
        draft.notes.append(f"A rounding difference of {sums.residue} {sums.currency} went to {accounts.rounding}.")
        made.append(Entry(accounts.rounding, sums.residue))
    there = ledger((*(one.account for one in taxes), *accounts.named()))
    accounts.check(draft.title, there)
    for account in () if accounts.tax is not None else dict.fromkeys(one.account for one in taxes):
        if account not in there:
            code = draft.used[f"tax={account}"]
            raise Held(
                f"tax:{code}",
                f"{draft.title} has no account {account}, to which the tax of invoice {draft.invoice.number} goes in a "
                f"journal. To fix: `ml-connector mappings set TENANT tax {code} ACCOUNT`.",
            )
    return [*made, Entry(accounts.payable, -sum((one.amount for one in made), Decimal(0)))]


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


def _by_code(draft: Draft, sums: Totals) -> dict[str, Decimal]:
    """Share the tax among its codes; all of it under no code where the rows do not tell their shares."""
    codes = [row.row.tax_code or draft.invoice.tax_code for row in sums.rows]
    if len(set(codes)) > 1 and any(row.tax is None for row in sums.rows):
        return {"": sums.tax}
    shares = dict[str, Decimal]()
    for row, code in zip(sums.rows, codes, strict=True):
        theirs = draft.code("tax", code) if code else ""
        shares[theirs] = shares.get(theirs, Decimal(0)) + (row.tax or Decimal(0))
    return _whole(shares, sums)


def _whole(shares: dict[str, Decimal], sums: Totals) -> dict[str, Decimal]:
    """Give the first share what rounding leaves."""
    shares[next(iter(shares))] += sums.tax - sum(shares.values(), Decimal(0))
    return shares


def _taxes(draft: Draft, sums: Totals) -> dict[str, Decimal]:
    """Share the tax among the accounts of its codes."""
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
    return _whole(shares, sums)
