"""How the target system judges imported records (`docs/vendors/basware.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from . import list_columns, order_lines, requisitions
from .codec import Record
from .entities import Entity
from .model import Item, Verdict
from .world import World

SUCCESS: Verdict = ("Success", None)
UNCHANGED = "Record skipped due to no changes from previous version"
WRONG_COMPANY = "Record skipped due to wrong or missing CompanyCode"
EXPIRES_WITHIN = timedelta(seconds=1)

_ORDER_KEY = ("orderNumber", "sourceSystem", "companyCode", "organizationElementCode")
_WITHOUT_COMPANY = ("matchingOrderLines", "purchaseRequisitions")
_WITHOUT_OWN_CODE = ("lists", *_WITHOUT_COMPANY)


def meaning(node: Any) -> Any:
    """Return `node` without nulls, at any depth: an absent field and a null mean the same (inferred)."""
    if isinstance(node, dict):
        return {name: meaning(value) for name, value in node.items() if value is not None}
    return [meaning(value) for value in node] if isinstance(node, list) else node


def company_codes(record: Record) -> set[str]:
    """Return the companies a record names, in the header or in its list; of a requisition its unit (inferred)."""
    code = record.get("companyCode") or record.get("organizationUnitCode")
    own = {code} if code else set()
    return own | {company["companyCode"] for company in record.get("companies") or []}


@dataclass
class Import:
    """The import of one accepted request; `judge` is called for each of its items once the verdict is due.

    The look-up tables are built at the first use and hold while the request is judged, since nothing else is
    imported meanwhile.
    """

    world: World
    entity: Entity
    key: str
    request_id: str
    accepted: datetime

    def judge(self, item: Item) -> Verdict:
        """Return the verdict on one record and import it unless it is wrong, old or unchanged."""
        row = self.world.entities.get(self.key, {}).get(item.code)
        if row and row.request_id != self.request_id and row.updated - self.accepted <= EXPIRES_WITHIN:
            return "RecordExpired", "Record skipped because a newer version was posted"
        if item.code in self.present and not self._once and meaning(self.present[item.code]) == meaning(item.content):
            # (inferred) the sentence comes with the item; the vendor shows it for NotProcessed alone.
            return "NotProcessed", UNCHANGED
        if message := self._problem(item):
            return "Error", message
        if self._once:
            return self._create(item)
        self._keep(item)
        return self._warning(item.content) or SUCCESS

    @property
    def _once(self) -> bool:
        """Tell whether its records are created, and never changed."""
        return self.entity.path == "purchaseRequisitions"

    def _create(self, item: Item) -> Verdict:
        kept, emptied = requisitions.as_imported(item.content, self._suppliers)
        self.present[item.code] = kept
        # (inferred) that it is said as a warning; the vendor says that the field is emptied
        return (
            ("Warning", f"Supplier {', '.join(emptied)} was not found; the field was emptied") if emptied else SUCCESS
        )

    @cached_property
    def present(self) -> dict[str, Record]:
        """The target system's records of this entity."""
        return self.world.imported.setdefault(self.key, {})

    @cached_property
    def _by_group(self) -> dict[Any, set[str]]:
        """External codes by what makes two records meet: the own code, or for lines their order."""
        found: dict[Any, set[str]] = {}
        for code, record in self.present.items():
            found.setdefault(self._group(record), set()).add(code)
        return found

    @cached_property
    def _suppliers(self) -> set[str]:
        return {record["vendorCode"] for record in self.world.imported.get("vendors", {}).values()}

    @cached_property
    def _terms(self) -> set[str]:
        return {record["paymentTermCode"] for record in self.world.imported.get("paymentTerms", {}).values()}

    def _group(self, record: Record) -> Any:
        if self.entity.path == "matchingOrders":
            return tuple(record[name] for name in _ORDER_KEY)
        return record["orderExternalCode" if self.entity.path == "matchingOrderLines" else self.entity.code]

    def _others(self, item: Item) -> dict[str, Record]:
        """Return the imported records of the item's group, without the item itself."""
        group = self._group(item.content)
        codes = self._by_group.get(group, set()) - {item.code}
        # A record may have left the group since the table was built.
        return {code: self.present[code] for code in codes if self._group(self.present[code]) == group}

    def _keep(self, item: Item) -> None:
        self.present[item.code] = item.content
        self._by_group.setdefault(self._group(item.content), set()).add(item.code)

    def _problem(self, item: Item) -> str | None:
        return (
            self._company_problem(item.content)
            or self._code_problem(item)
            or self._parent_problem(item.content)
            or self._rule_problem(item)
        )

    def _warning(self, record: Record) -> Verdict | None:
        """Return the Warning of a vendor whose payment term is not there; it is imported all the same."""
        term = (record.get("paymentTerms") or {}).get("paymentTermCode") if self.entity.path == "vendors" else None
        return ("Warning", f"Payment term {term} was not found") if term and term not in self._terms else None

    def _company_problem(self, record: Record) -> str | None:
        free = self.entity.path in _WITHOUT_COMPANY or (self.entity.path == "lists" and not record.get("companies"))
        codes = company_codes(record)
        return None if free or (codes and codes <= self.world.companies) else WRONG_COMPANY

    def _code_problem(self, item: Item) -> str | None:
        """A record's own code is unique in a company; an order's key has four parts."""
        if self.entity.path in _WITHOUT_OWN_CODE:
            return None
        for other, record in sorted(self._others(item).items()):
            if company_codes(record) & company_codes(item.content):
                return f"{self.entity.code} {item.content[self.entity.code]} is already used by {other}"
        return None

    def _parent_problem(self, record: Record) -> str | None:
        if self.entity.path == "matchingOrders" and record["supplierCode"] not in self._suppliers:
            return f"Supplier {record['supplierCode']} was not found"
        if self.entity.path == "matchingOrderLines":
            order = record["orderExternalCode"]
            return None if order in self.world.imported.get("matchingOrders", {}) else f"Order {order} was not found"
        return None

    def _rule_problem(self, item: Item) -> str | None:
        record = item.content
        if self.entity.path == "matchingOrderLines":
            return order_lines.problem(record, list(self._others(item).values()))
        if self.entity.path == "lists":
            return list_columns.problem(self.key.removeprefix("lists/"), record)
        if self._once:
            return requisitions.problem(record, self.present, self.world.companies)
        return _term_problem(record) if self.entity.path == "paymentTerms" else None


def _term_problem(record: Record) -> str | None:
    for name in ("dueDateEom", "cashDueDateEom"):
        if (record.get(name) or 0) > 12:
            return f"{name} must be between 0 and 12"
    if record.get("cashDueDateCalc") == 2 and not record.get("paymentTermDiscountRules"):
        return "cashDueDateCalc 2 needs paymentTermDiscountRules"
    return None
