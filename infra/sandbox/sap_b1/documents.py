"""Posting purchase documents: build and check, then number, draw from the bases, keep (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from . import amounts, bases, codes, headers
from .coerce import coerce
from .errors import bad_request, rule_broken
from .fields import TYPES, Field, Record, words
from .world import World

FIRST_ENTRY = {
    "PurchaseInvoices": 800,
    "PurchaseCreditNotes": 300,
    "Drafts": 1500,
    "PurchaseDeliveryNotes": 40001,
    "PurchaseOrders": 30001,
}
OBJECT_CODES = {"oPurchaseInvoices": "PurchaseInvoices", "oPurchaseCreditNotes": "PurchaseCreditNotes"}
# Computed by the server; a value that is sent is ignored without a word (`docs/vendors/sap_b1.md`).
READ_ONLY = words(
    "DocEntry DocNum CardName DocTime VatSum VatSumFc VatSumSys DocTotalSys BaseAmount BaseAmountFC "
    "PaidToDate PaidToDateFC PaidToDateSys "
    "DocumentStatus InventoryStatus Cancelled CancelStatus AuthorizationStatus CreationDate "
    "UpdateDate UpdateTime UserSign TransNum BPLName FinancialPeriod CancelDate ClosingDate "
    "WTAmount WTAmountFC WTApplied DocumentInstallments"
)
# What a sender may say of the total; the rest of it is computed.
STATED = ("DocTotal", "DocTotalFc", "Rounding", "RoundingDiffAmount", "RoundingDiffAmountFC")
READ_ONLY_LINE = words(
    "DocEntry LineNum VisualOrder LineStatus RemainingOpenQuantity OpenAmount OpenAmountFC TaxTotal "
    "NetTaxAmount NetTaxAmountFC TaxPercentagePerRow GrossTotal GrossTotalFC"
)


def line_fields(world: World) -> dict[str, Field]:
    """The properties of a document line with the company's user fields."""
    return TYPES["DocumentLine"] | {n: Field(n, "s") for n in world.user_fields.get("DocumentLines", [])}


def read_body(world: World, set_name: str, body: Any) -> Record:
    """The writable part of a document body, checked against the type."""
    record = coerce("Document", body, world.fields(set_name), line_fields(world))
    lines = [
        {name: value for name, value in line.items() if name not in READ_ONLY_LINE}
        for line in record.get("DocumentLines") or []
    ]
    return {name: value for name, value in record.items() if name not in READ_ONLY} | {"DocumentLines": lines}


def build(world: World, set_name: str, body: Any, label: str = "") -> Record:
    """A complete, checked document that is not yet kept; `label` is the set it may be drawn as (drafts)."""
    target = label or set_name
    document = read_body(world, set_name, body)
    wanted = {name: document.pop(name, None) for name in STATED}
    document["DocType"] = document.get("DocType") or "dDocument_Items"
    supplier = headers.supplier_of(world, document.get("CardCode"), headers.TABLES[target])
    document["CardName"] = supplier["CardName"]
    headers.fill_dates(world, document, supplier)
    rate = headers.fill_currency(world, document, supplier)
    terms = amounts.terms_of(world, document["DocCurrency"], rate, supplier)
    headers.check_branch(world, document)
    headers.check_reference(world, target, document)
    if document.get("DiscountPercent") or document.get("TotalDiscount"):
        raise bad_request("The sandbox does not simulate a discount on the whole document")
    if not document["DocumentLines"]:
        raise rule_broken("Document has no lines [DocumentLines]")
    _build_lines(world, target, document, terms)
    amounts.total_up(document, terms, codes.reversed_groups(world))
    amounts.round_off(document, wanted, terms)
    amounts.withhold(document, world.withholding.get(document["CardCode"], amounts.ZERO), terms)
    return document | _fresh(document)


def _fresh(document: Record) -> Record:
    return {
        "PaidToDate": amounts.ZERO,
        "PaidToDateFC": amounts.ZERO,
        "DocumentStatus": "bost_Open",
        "Cancelled": "tNO",
        "CancelStatus": "csNo",
        "Confirmed": "tYES",
        "AuthorizationStatus": "dasWithout",
        "DocumentInstallments": [
            {
                "InstallmentId": 1,
                "DueDate": document["DocDueDate"],
                "Percentage": Decimal(100),
                "Total": document["DocTotal"],
                "TotalFC": document["DocTotalFc"],
                "PaymentOrdered": "tNO",
            }
        ],
    }


def _build_lines(world: World, target: str, document: Record, terms: amounts.Terms) -> None:
    drawn: dict[bases.Key, Decimal] = defaultdict(Decimal)
    for row, line in enumerate(document["DocumentLines"]):
        base_line: Record = {}
        if bases.has_base(line):
            base = bases.base_document(world, target, line, row)
            bases.check_base(document, base, row)
            base_line = bases.line_of(base, line.get("BaseLine"), row)
        if document["DocType"] == "dDocument_Service":
            _service_line(line, base_line, terms)
        else:
            _item_line(world, target, line, base_line, drawn, row)
        _code_line(world, document, line, base_line, row)
        _price(world, document, line, row, terms)
        line |= {"LineNum": row, "VisualOrder": row, "LineStatus": "bost_Open"}
        line |= {"Currency": document["DocCurrency"], "RemainingOpenQuantity": line.get("Quantity")}


def _service_line(line: Record, base_line: Record, terms: amounts.Terms) -> None:
    if base_line and base_line["LineStatus"] != "bost_Open":
        raise rule_broken(bases.CLOSED)
    if base_line and amounts.net_of(line, terms) is None:
        line["LineTotal"], line["RowTotalFC"] = base_line["OpenAmount"], base_line["OpenAmountFC"]
    # A service line has no quantity of its own; what is sent counts as one (inferred).
    line["Quantity"] = Decimal(1)


def _item_line(
    world: World, target: str, line: Record, base_line: Record, drawn: dict[bases.Key, Decimal], row: int
) -> None:
    if base_line:
        bases.draw_quantity(line, base_line, drawn, row)
        line["ItemCode"] = base_line.get("ItemCode")
        if not line["Quantity"] and line.get("LineTotal") is None and line.get("RowTotalFC") is None:
            line["LineTotal"], line["RowTotalFC"] = base_line["OpenAmount"], base_line["OpenAmountFC"]
            return
        if all(line.get(name) is None for name in ("UnitPrice", "Price", "LineTotal", "RowTotalFC")):
            line["UnitPrice"] = base_line["UnitPrice"]
            line.setdefault("DiscountPercent", base_line.get("DiscountPercent"))
        return
    if target == "PurchaseOrders" and not line.get("ItemCode") and line.get("Quantity") == 0:
        return  # a sum among the goods, such as freight (inferred: a quantity may be 0)
    codes.check_item(world, line.get("ItemCode"), row)
    line["Quantity"] = line.get("Quantity") if line.get("Quantity") is not None else Decimal(1)
    if line["Quantity"] <= 0:
        raise rule_broken(f"Quantity must be positive [DocumentLines.Quantity][line: {row}]")


def _code_line(world: World, document: Record, line: Record, base_line: Record, row: int) -> None:
    for name in ("ItemDescription", "AccountCode", "VatGroup", "ProjectCode", *codes.COSTING_CODES.values()):
        if line.get(name) is None and base_line.get(name) is not None:
            line[name] = base_line[name]
    if line.get("AccountCode") or document["DocType"] == "dDocument_Service":
        codes.check_account(world, line.get("AccountCode"), row)
    codes.check_cost_centres(world, line, document["DocDate"], row)
    other = "TaxCode" if world.tax_field == "VatGroup" else "VatGroup"
    if line.get(other) and not base_line.get(other):
        raise rule_broken(f"{other} is not used in this localization; use {world.tax_field} [line: {row}]")


def _price(world: World, document: Record, line: Record, row: int, terms: amounts.Terms) -> None:
    net = amounts.net_of(line, terms)
    if net is None:
        raise rule_broken(f"Row total is missing [DocumentLines.LineTotal][line: {row}]")
    if abs(net) >= Decimal(10) ** 14:
        raise rule_broken("Value too long in property 'LineTotal'")
    # An omitted group is the supplier's own, so a sender that leaves it out gets another total.
    code = line.get(world.tax_field) or _default_tax(world, document)
    line[world.tax_field] = code
    amounts.price_line(line, net, codes.tax_percent(world, code, document["DocDate"], row), terms)


def _default_tax(world: World, document: Record) -> str | None:
    group = world.tables["BusinessPartners"][document["CardCode"]].get("VatGroup")
    return str(group) if group else None


def _doc_num(set_name: str, entry: int) -> int:
    """Never equal to DocEntry: a client that mixes the two up must fail."""
    return entry - 25000 if set_name == "PurchaseOrders" else entry + 50000


def keep(world: World, set_name: str, document: Record) -> Record:
    """Number a built document and put it into its set; draws nothing."""
    entry = world.number(set_name, FIRST_ENTRY.get(set_name, 1))
    document |= {"DocEntry": entry, "DocNum": _doc_num(set_name, entry)}
    if set_name != "Drafts":
        document["DocObjectCode"] = f"o{set_name}"
    for line in document["DocumentLines"]:
        line["DocEntry"] = entry
    world.stamp(document, "Document", created=True)
    return world.put(set_name, document)


def post(world: World, set_name: str, body: Any) -> Record | None:
    """Post an invoice or a credit note; None when it became a draft that waits for approval (inferred)."""
    document = build(world, set_name, body)
    if document["CardCode"] in world.approval_for:
        code = next(code for code, name in OBJECT_CODES.items() if name == set_name)
        keep(world, "Drafts", document | {"DocObjectCode": code, "AuthorizationStatus": "dasPending"})
        return None
    keep(world, set_name, document)
    bases.draw(world, document)
    return document


def post_draft(world: World, body: Any) -> Record:
    """Park a document; nothing is drawn and no period or supplier balance changes."""
    code = (body.get("DocObjectCode") if isinstance(body, dict) else None) or ""
    code = {"18": "oPurchaseInvoices", "19": "oPurchaseCreditNotes"}.get(str(code), code)
    if code not in OBJECT_CODES:
        raise rule_broken(f"Invalid document object '{code}' [DocObjectCode]")
    return keep(world, "Drafts", build(world, "Drafts", body, OBJECT_CODES[code]))
