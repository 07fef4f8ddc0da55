"""The accounts of the ledger, and their parts.

An account is several segments in one number. Without `cost_center_segment` the whole number goes to the platform.
With it, that segment's codes are the cost centers, the natural account goes out alone, and when an invoice is posted
the two are joined again into the account that the ledger keeps for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from ml_connector.errors import Held
from ml_connector.flow import Broken, Page
from ml_connector.folding import same
from ml_connector.records import Account, CostCenter
from ml_connector.systems.kit.masters import EmptySource, Masters
from ml_connector.systems.kit.odata import narrowed
from ml_connector.systems.kit.rows import Batch, plain
from ml_connector.systems.kit.values import text
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.masters import declared, is_active, said
from ml_connector.systems.sage_300.query import FULL, KeyFilter, Query

FEW = 3
"""Calls that need no second thought."""


class AccountRow(Struct, rename="pascal"):
    """An account (`docs/vendors/sage_300.md`)."""

    unformatted_account: str
    account_number: str | None = None
    description: str | None = None
    status: str | None = None
    account_segment_code1: str | None = None
    account_segment_code2: str | None = None
    account_segment_code3: str | None = None
    account_segment_code4: str | None = None
    account_segment_code5: str | None = None
    account_segment_code6: str | None = None
    account_segment_code7: str | None = None
    account_segment_code8: str | None = None
    account_segment_code9: str | None = None
    account_segment_code10: str | None = None

    @property
    def code(self) -> str:
        """The number without the separators that people write."""
        return self.unformatted_account.strip()

    @property
    def active(self) -> bool:
        """Tell whether it may be posted to."""
        return is_active(self.status)

    def segment(self, number: int) -> str:
        """Give the code in a segment; empty where the account's structure has no such segment."""
        return (getattr(self, f"account_segment_code{number}") or "").strip()


def bare(account: str) -> str:
    """Take the separators out of an account: its segments hold letters and digits only."""
    return "".join(c for c in account if c.isalnum())


def accounts_query(where: str = "", top: int = 0) -> Query[AccountRow]:
    """Accounts."""
    return Query("GL/GLAccounts", AccountRow, lambda row: row.code, where, top)


def accounts(api: WebApi, segment: int | None) -> Masters[AccountRow, Account] | NaturalAccounts:
    """Read the accounts; they carry no change stamp, so all of them every time (`docs/vendors/sage_300.md`)."""
    if segment is not None:
        return NaturalAccounts(api, natural_of(segment))
    return declared(api, lambda _: accounts_query(), account, key_field="UnformattedAccount")


def cost_centers(api: WebApi, segment: int | None) -> Masters[dict[str, object], CostCenter] | EmptySource:
    """Read the codes of one segment. They are few and carry no stamp, so they are read whole."""

    def convert(row: dict[str, object]) -> CostCenter | None:
        number, code = text(row, "SegmentNumber"), text(row, "SegmentCodeKey")
        if number is None or code is None:
            raise ValueError("The segment code has no SegmentNumber or no SegmentCodeKey.")
        if plain("".join(c for c in number if c.isdigit()) or number) != str(segment):
            return None
        return CostCenter(key=code, code=code, name=text(row, "Description") or code)

    def key(row: dict[str, object]) -> str:
        return f"{text(row, 'SegmentNumber')}~{text(row, 'SegmentCodeKey')}"

    return EmptySource() if segment is None else declared(api, lambda _: Query("GL/GLSegmentCodes", None, key), convert)


def account(row: AccountRow) -> Account:
    """Convert an account, whole."""
    if not row.code:
        raise ValueError("The account has no UnformattedAccount.")
    return Account(key=row.code, code=row.code, name=said(row.description) or row.code, active=row.active)


def of_natural(segment: int, codes: Iterable[str]) -> KeyFilter[AccountRow]:
    """Want the accounts of some natural accounts, which stand in `segment`."""
    return KeyFilter(accounts_query, f"AccountSegmentCode{segment}", codes, lambda row: (row.segment(segment),))


def natural_of(segment: int) -> int:
    """Tell the segment of the natural account: the first that is not the cost center."""
    return 2 if segment == 1 else 1


class NaturalAccounts:
    """The source of natural accounts: each once, however many accounts of the ledger have it.

    All are read before one is given, since any account may be of any natural account.
    """

    def __init__(self, api: WebApi, natural: int) -> None:
        self._api, self._natural = api, natural

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Account]]:  # noqa: ARG002 - no stamp
        """Read all of them. The name is that of the shortest number, which is the most general."""
        yield self._gathered(self._api.pages(accounts_query()))

    def reread(self, keys: Sequence[str]) -> Iterator[Page[Account]]:
        """Read the accounts of these natural accounts."""
        page = self._gathered(self._api.keyed.batches(of_natural(self._natural, keys)))
        yield Page([record for record in page.records if record.key in set(keys)], page.broken)

    def _gathered(self, batches: Iterable[Batch[AccountRow]]) -> Page[Account]:
        best: dict[str, AccountRow] = {}
        active: set[str] = set()
        broken: list[Broken] = []
        for batch in batches:
            broken += batch.broken
            for row in batch.rows:
                code = row.segment(self._natural) or row.code
                if not code:
                    continue
                if code not in best or (len(row.code), row.code) < (len(best[code].code), best[code].code):
                    best[code] = row
                if row.active:
                    active.add(code)
        records = [
            Account(key=code, code=code, name=said(row.description) or code, active=code in active)
            for code, row in sorted(best.items())
        ]
        return Page(records, broken)


class Ledger:
    """Takes accounts apart and joins them again, by the accounts that the ledger has; remembers what it read."""

    def __init__(self, api: WebApi, segment: int | None) -> None:
        self._api, self._segment = api, segment
        self._natural = natural_of(segment) if segment is not None else 1
        self._by_code: dict[str, AccountRow] = {}
        self._by_natural: dict[str, list[AccountRow]] = {}

    @property
    def split(self) -> bool:
        """Tell whether accounts are taken apart at all."""
        return self._segment is not None

    def parts(self, wanted: Iterable[str]) -> dict[str, tuple[str, str | None]]:
        """Give account and cost center as the platform knows them, for whole accounts in any spelling."""
        codes = {one: bare(one) for one in wanted}
        if self._segment is None:
            return {one: (code, None) for one, code in codes.items()}
        self._fetch(set(codes.values()))
        return {one: self._apart(code) for one, code in codes.items()}

    def _apart(self, code: str) -> tuple[str, str | None]:
        row = self._by_code.get(code)
        if row is None or self._segment is None:
            return code, None
        return row.segment(self._natural) or code, row.segment(self._segment) or None

    def _fetch(self, codes: set[str]) -> None:
        """Read the accounts that are not known yet. One that is not there is asked for again the next time."""
        missing = sorted(codes - self._by_code.keys())
        wanted = KeyFilter(accounts_query, "UnformattedAccount", missing, lambda row: (row.code,))
        calls = len(list(narrowed(wanted.field, map(self._api.text, missing))))
        total = next(self._api.pages(accounts_query(top=1))).count if calls > FEW else None
        whole = total is not None and total / FULL < calls
        for row in self._api.rows(accounts_query()) if whole else self._api.keyed.rows(wanted):
            self._by_code[row.code] = row

    def join(self, account: str, cost_center: str | None) -> str:
        """Give the ledger's account for a natural account and a cost center. Raises `Held` where there is none."""
        if self._segment is None:
            return self._spelt(bare(account))
        try:
            return self._joined(account, cost_center, self._segment)
        except Held:
            self._by_natural.pop(account, None)  # a person fixes it, and then it is there
            raise

    def _joined(self, account: str, cost_center: str | None, segment: int) -> str:
        rows = self._with_natural(account)
        if not rows:
            whole = self._whole(bare(account))
            if whole is not None:
                return whole.code  # somebody mapped it to an account of the ledger
            raise Held(
                f"account:{account}",
                f"Sage 300 has no account {account}. Open it there, or map the code to another one.",
            )
        fitting = [row for row in rows if same(row.segment(segment), cost_center)]
        if not fitting and cost_center is None and len(rows) == 1:
            fitting = rows
        if len(fitting) == 1:
            return fitting[0].code
        raise self._unclear(account, cost_center, fitting or rows, none=not fitting)

    def _spelt(self, code: str) -> str:
        """Give an account as the ledger spells it, which keeps capitals; one in capitals is not looked up."""
        row = self._whole(code) if code != code.upper() else None
        return row.code if row is not None else code

    def _whole(self, code: str) -> AccountRow | None:
        self._fetch({code, code.upper()})
        return self._by_code.get(code) or self._by_code.get(code.upper())

    def _with_natural(self, account: str) -> list[AccountRow]:
        if account not in self._by_natural:
            wanted = of_natural(self._natural, dict.fromkeys((account, account.upper())))
            rows = [row for row in self._api.keyed.rows(wanted) if same(row.segment(self._natural), account)]
            self._by_natural[account] = [row for row in rows if row.active] or rows
        return self._by_natural[account]

    def _unclear(self, account: str, cost_center: str | None, rows: list[AccountRow], *, none: bool) -> Held:
        some = ", ".join(sorted(row.code for row in rows)[:5])
        if none and cost_center is not None:
            return Held(
                f"account:{account}",
                f"Sage 300 has no account {account} with cost center {cost_center}, only {some}. Open it there, or "
                "correct the coding.",
            )
        if none:
            return Held(
                f"cost_center:{account}",
                f"Account {account} has a cost center in Sage 300 ({some}), and the invoice names none. Code "
                "it and transfer it again.",
            )
        return Held(
            f"account:{account}",
            f"Account {account} with cost center {cost_center or 'none'} is several accounts in Sage 300 ({some}). "
            "Map the account to one of them.",
        )
