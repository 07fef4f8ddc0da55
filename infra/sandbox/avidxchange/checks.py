"""What an invoice must look like to be taken: known fields, the right kinds, sums that agree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import Refusal
from .model import GL_GROUP, Line, Record
from .world import World

_HEAD = {
    "externalId",
    "vendorExternalCode",
    "invoiceNumber",
    "invoiceDate",
    "dueDate",
    "amount",
    "currency",
    "purchaseOrderNumber",
    "companyExternalCode",
    "description",
    "lines",
    "attachments",
}
_REQUIRED = ("vendorExternalCode", "invoiceNumber", "invoiceDate", "amount", "currency", "lines")
_TEXTS = ("externalId", "vendorExternalCode", "invoiceNumber", "purchaseOrderNumber", "companyExternalCode")
_LINE = {"lineNumber", "description", "amount", "glCode", "codes", "item"}
_CODE, _ITEM = {"group", "value"}, {"productCode", "quantity", "uom", "pricePer"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass
class Draft:
    """An invoice that was checked, with the fields of `Invoice` that the sender decides."""

    vendor: str
    number: str
    dated: date
    amount: Decimal
    lines: list[Line]
    external_id: str = ""
    due: date | None = None
    currency: str = "USD"
    order: str = ""
    company: str = ""
    description: str = field(default="")

    def pairs(self) -> list[tuple[str, str]]:
        """Every code on a line, with its group."""
        return [
            pair for line in self.lines for pair in (*([(GL_GROUP, line.gl_code)] if line.gl_code else []), *line.codes)
        ]


def checked(world: World, row: Record) -> Draft:
    """The invoice of a body; raises `Refusal` for the first thing that is wrong with it."""
    kind = {"type"} if world.credit_notes == "type" else set()
    _known(row, _HEAD | world.more_fields | kind, "")
    for name in _REQUIRED:
        if row.get(name) in (None, "", []):
            raise Refusal(422, "REQUIRED", f"{name} is required", name)
    for name in (*_TEXTS, "description"):
        _text(row, name)
    for name, longest in world.lengths.items():
        if len(str(row.get(name) or "")) > longest:
            raise Refusal(422, "TOO_LONG", f"{name} must not have more than {longest} characters", name)
    amount = _amount(world, row["amount"], "amount")
    _kind(world, row, amount)
    lines = [_line(world, line, f"lines[{n}]") for n, line in enumerate(_list(row["lines"], "lines"))]
    total = sum((line.amount for line in lines), Decimal(0))
    if world.lines_add_up and total != amount:
        raise Refusal(422, "TOTAL_MISMATCH", f"The lines make {total}, and the amount is {amount}", "amount")
    return Draft(
        vendor=row["vendorExternalCode"],
        number=row["invoiceNumber"],
        dated=_day(row["invoiceDate"], "invoiceDate"),
        amount=amount,
        lines=lines,
        external_id=row.get("externalId") or "",
        due=_day(row["dueDate"], "dueDate") if row.get("dueDate") else None,
        currency=_currency(world, row["currency"]),
        order=_order(world, row.get("purchaseOrderNumber") or ""),
        company=_company(world, row.get("companyExternalCode") or ""),
        description=row.get("description") or "",
    )


def _known(row: Any, names: Iterable[str], where: str) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise Refusal(400, "INVALID", f"{where} must be an object", where)
    unknown = sorted(row.keys() - set(names))
    if unknown:
        raise Refusal(400, "UNKNOWN_FIELD", f"Unknown field '{unknown[0]}'", f"{where}.{unknown[0]}".strip("."))
    return row


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise Refusal(400, "INVALID", f"{where} must be a list", where)
    return value


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise Refusal(400, "INVALID", f"{name} must be a string", name)
    return value or ""


def _amount(world: World, value: Any, name: str, decimals: int = 2) -> Decimal:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not (number or isinstance(value, str)) or world.amounts_in == ("string" if number else "number"):
        raise Refusal(400, "INVALID_AMOUNT", f"{name} must be a {world.amounts_in.replace('either', 'number')}", name)
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise Refusal(400, "INVALID_AMOUNT", f"{name} is no amount: '{value}'", name) from None
    if not found.is_finite() or found != round(found, decimals):
        raise Refusal(422, "INVALID_AMOUNT", f"{name} has more than {decimals} decimals: {value}", name)
    return found


def _kind(world: World, row: Record, amount: Decimal) -> None:
    """Refuse a credit note that this server does not take in that way."""
    if amount < 0 and world.credit_notes != "negative":
        raise Refusal(422, "NEGATIVE_AMOUNT", "amount must not be negative", "amount")
    if "type" in row and world.credit_notes == "type" and row["type"] not in ("Invoice", "CreditMemo"):
        raise Refusal(422, "INVALID", "type must be Invoice or CreditMemo", "type")


def _line(world: World, row: Any, where: str) -> Line:
    _known(row, _LINE, where)
    if "amount" not in row:
        raise Refusal(422, "REQUIRED", f"{where}.amount is required", f"{where}.amount")
    codes = [_known(code, _CODE, f"{where}.codes") for code in _list(row.get("codes") or [], f"{where}.codes")]
    if any(not _text(code, name) for code in codes for name in _CODE):
        raise Refusal(422, "REQUIRED", f"{where}.codes needs group and value", f"{where}.codes")
    pairs = [(code["group"], code["value"]) for code in codes]
    code = _text(row, "glCode")
    if not code and GL_GROUP not in {group for group, _ in pairs}:
        raise Refusal(422, "REQUIRED", f"{where}.glCode is required", f"{where}.glCode")
    item = row.get("item")
    if item is not None:
        _known(item, _ITEM, f"{where}.item")
        for name in ("quantity", "pricePer"):
            if item.get(name) is not None:
                _amount(world, item[name], f"{where}.item.{name}", 6)
    return Line(_amount(world, row["amount"], f"{where}.amount"), code, _text(row, "description"), pairs, item)


def _day(value: Any, name: str) -> date:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise Refusal(400, "INVALID_DATE", f"{name} must be a day such as 2026-01-31, not '{value}'", name)


def _currency(world: World, value: Any) -> str:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise Refusal(400, "INVALID", f"currency must be three upper-case letters, not '{value}'", "currency")
    if world.currencies and value not in world.currencies:
        raise Refusal(422, "INVALID_CURRENCY", f"The currency {value} is not enabled", "currency")
    return value


def _order(world: World, number: str) -> str:
    if world.orders_must_exist and number and number not in world.orders:
        raise Refusal(422, "INVALID_ORDER", f"Purchase order '{number}' does not exist", "purchaseOrderNumber")
    return number


def _company(world: World, text: str) -> str:
    if not text:
        return ""
    company = world.company(text)
    if company is None:
        raise Refusal(422, "INVALID_COMPANY", f"Company '{text}' does not exist", "companyExternalCode")
    return company.id
