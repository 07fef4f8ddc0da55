"""Vendors, accounts, cost centers and items of lists as Basware has them: read to compare them with the ERP's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from ml_connector.errors import Rejected
from ml_connector.flow import Broken, Page
from ml_connector.records import Account, CostCenter, Record, Supplier
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.basware.enrichment import code_in, enrichment
from ml_connector.systems.basware.invoice_document import text
from ml_connector.systems.http import dumps, listed
from ml_connector.systems.kit.paging import content_of, only_asked_for

R = TypeVar("R", bound=Record)
Row = Mapping[str, Any]
Convert = Callable[[Basware, Row, str], R]


class Listed(Generic[R]):
    """The `MasterSource` of one type: all that the tenant's companies have, of one list or several."""

    def __init__(self, client: Basware, lists: Sequence[tuple[str, str, str, Convert[R]]]) -> None:
        """`lists`: address, name in the wrapper, the field of the code, and what makes the record of row and code."""
        self._client, self._lists = client, lists

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[R]]:  # noqa: ARG002 - always all of them
        """Read everything; a position is the number of a list and Basware's own token."""
        number, _, token = (position or "0|").partition("|")
        for n in range(int(number), len(self._lists)):
            path, name, field, convert = self._lists[n]
            for rows, follows in self._client.pages(path, name, {"pageSize": "500"}, token or None):
                behind = f"{n}|{follows}" if follows else f"{n + 1}|" if n + 1 < len(self._lists) else None
                yield self._page(rows, field, convert, behind)
            token = ""

    def reread(self, keys: Sequence[str]) -> Iterator[Page[R]]:
        """Look for these very records in the lists."""
        if not keys:
            return
        yield from only_asked_for(self.pages(None, None), keys)

    def _page(self, rows: Sequence[Any], field: str, convert: Convert[R], position: str | None) -> Page[R]:
        records, broken = [], []
        for row, code in ((row, code_in(row, field)) for row in rows):
            try:
                if not self._is_ours(row):
                    continue
                if code is None:
                    raise Rejected(f"Basware listed a record without {field}; look at it in P2P.")
                records.append(convert(self._client, row, code))
            except Rejected as error:
                broken.append(Broken(code or f"?{content_of([row])}", str(error), dumps(row)[:20_000]))
        return Page(records, broken, position)

    def _is_ours(self, row: Any) -> bool:
        if not isinstance(row, dict):
            raise Rejected("Basware listed something that is no record.")
        codes = [one.get("companyCode") for one in listed(row.get("companies")) if isinstance(one, dict)]
        return not codes or not set(self._client.settings.companies).isdisjoint(codes)


def suppliers(client: Basware) -> Listed[Supplier]:
    """Read the vendors."""
    return Listed(client, [("/v1/vendors", "vendorEntities", "vendorCode", _supplier)])


def accounts(client: Basware) -> Listed[Account]:
    """Read the accounts."""
    return Listed(client, [("/v1/accounts", "accounts", "accountCode", partial(_named, Account, "accountNames"))])


def cost_centers(client: Basware) -> Listed[CostCenter]:
    """Read the cost centers, and the items of each dimension's list."""
    named = partial(_named, CostCenter, "costCenterNames")
    lists = [("/v1/costCenters", "costCenters", "costCenterCode", named)]
    for dimension, name in client.settings.dimension_lists.items():
        lists.append((f"/v1/lists/{name}", "listItems", "text_1", partial(_item, dimension)))
    return Listed(client, lists)


def _supplier(_: Basware, row: Row, code: str) -> Supplier:
    shared, status = enrichment(row), row.get("processingStatus")
    active = not isinstance(status, dict) or status.get("active") is not False
    return Supplier(
        key=code,
        code=code,
        name=text(row, "name") or "",
        active=active,
        tax_id=shared.tax_id,
        vat_number=shared.vat_number,
    )


def _named(kind: Callable[..., R], names: str, client: Basware, row: Row, code: str) -> R:
    return kind(key=code, code=code, name=_name(row.get(names)), active=_active(client, row))


def _item(dimension: str, client: Basware, row: Row, code: str) -> CostCenter:
    name, active = text(row, "text_2") or "", _active(client, row)
    return CostCenter(key=f"{dimension}~{code}", code=code, name=name, active=active, dimension=dimension)


def _name(names: Any) -> str:
    found = [text(one, "translation") for one in listed(names) if isinstance(one, dict)]
    return next(filter(None, found), "")


def _active(client: Basware, row: Row) -> bool:
    """Tell whether it is active in one of the tenant's companies; one that names none counts as active."""
    ours = [
        one.get("active") is not False
        for one in listed(row.get("companies"))
        if isinstance(one, dict) and one.get("companyCode") in client.settings.companies
    ]
    return not ours or any(ours)
