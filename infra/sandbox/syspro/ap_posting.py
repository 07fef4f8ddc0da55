"""APSTIN: invoices, credit and debit notes and adjustments of suppliers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from . import grn, periods
from .ap_money import Amounts, amounts
from .errors import EXISTS, NOT_FOUND, PERIOD, Refusal, wrong
from .items import COMMON, Known, Outcome, Parameters, answer, day, items, letter, needed, parameters, run
from .ledger import Entry, cents, journal
from .markup import Node, element, stored
from .tables import Record
from .world import World

ROOT = "PostApInvoice"
TAX_ACCOUNT, PAYABLES = "1540", "2010"
NUMBER_LIMIT, REFERENCE_LIMIT = 20, 30
KNOWN: Known = COMMON | {
    "PostingPeriod": ("C", ""),
    "LedgerDistributionCurrency": ("L", "LF"),
    "AutomaticTaxCalculation": ("N", "NY"),
    "PermissibleTaxVariance": ("0", ""),
    "IgnoreAnalysis": ("Y", "YN"),
}


@dataclass
class Draft:
    """An item that may be posted."""

    supplier: Record
    code: str
    number: str
    existing: Record | None
    month: str
    dated: str
    due: str
    discount_day: str
    discount: Decimal
    branch: str
    reference: str
    money: Amounts
    matched: list[grn.Match]
    warnings: list[str]


def post(world: World, parameters_xml: str, document_xml: str) -> str:
    """Post a document, as its parameters say; gives the answer in lower case as the object does."""
    options = parameters(parameters_xml, ROOT, KNOWN)
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", options["PermissibleTaxVariance"], re.ASCII):
        raise Refusal(f"Parameter PermissibleTaxVariance cannot be '{options['PermissibleTaxVariance']}'")
    taken: set[tuple[str, str]] = set()
    found = run(world, items(document_xml, ROOT), options, lambda node: _outcome(world, node, options, taken))
    return answer(world, ROOT.lower(), options, found)


def _outcome(world: World, node: Node, options: Parameters, taken: set[tuple[str, str]]) -> Outcome:
    draft = check(world, node, options)
    key = (draft.supplier["Supplier"], world.fold(draft.number))
    if key in taken and draft.code == "I":
        raise _exists(draft.number, draft.supplier)
    taken.add(key)
    return Outcome(partial(_answered, world, draft), warnings=draft.warnings)


def _exists(number: str, supplier: Record) -> Exception:
    return wrong("Invoice", number, f"Invoice '{number}' already exists for supplier '{supplier['Supplier']}'", EXISTS)


def check(world: World, node: Node, options: Parameters) -> Draft:
    """Check one item; refuses it with the first thing that is wrong."""
    given = needed(node, "Supplier")
    supplier = world.get("ApSupplier", given)
    if supplier is None:
        raise wrong("Supplier", given, f"Supplier '{given}' not found", NOT_FOUND)
    code = letter(node, "TransactionCode", "IACDP", "")
    number, existing = _number(world, node, supplier, code)
    branch = node.get("Branch", supplier["Branch"])
    if branch and branch not in world.branches:
        raise wrong("Branch", branch, f"Branch '{branch}' not found", NOT_FOUND)
    month = _period(world, options)
    dated = day(node, "InvoiceDate") or world.today().isoformat()
    due_days, discount_days, percent = world.terms.get(supplier["TermsCode"], (30, 0, Decimal(0)))
    due, discount_day = day(node, "DueDate"), day(node, "DiscountDate")
    money = amounts(world, node, options, supplier)
    basis = letter(node, "DiscountBasis", "TPV", "T")
    matched = grn.matches(world, node, supplier["Supplier"], money.net)
    if not matched and code == "I" and supplier["GrnMatchReqd"] == "Y" and not world.untick_grn:
        text = f"GRN matching is required for supplier '{supplier['Supplier']}'"
        raise wrong("GrnGrn", "", text, inside=grn.INSIDE)
    return Draft(
        supplier=supplier,
        code=code,
        number=number,
        existing=existing,
        month=month,
        dated=dated,
        due=due or _later(dated, due_days),
        discount_day=discount_day or _later(dated, discount_days),
        discount=cents(money.discountable * percent / 100) if basis == "T" else Decimal(0),
        branch=branch,
        reference=stored(node.get("TransactionReference"))[:REFERENCE_LIMIT],
        money=money,
        matched=matched,
        warnings=_warnings(supplier),
    )


def _number(world: World, node: Node, supplier: Record, code: str) -> tuple[str, Record | None]:
    """The document's number, and the invoice that bears it; an invoice must be new, all others need one."""
    number = stored(needed(node, "Invoice"))
    if len(number) > NUMBER_LIMIT:
        raise wrong("Invoice", number, f"Invoice '{number}' is longer than {NUMBER_LIMIT} characters")
    existing = world.get("ApInvoice", supplier["Supplier"], number)
    if code == "I" and existing is not None:
        raise _exists(number, supplier)
    if code == "P":
        text = f"Registered invoice '{number}' not found for supplier '{supplier['Supplier']}'"
        raise wrong("Invoice", number, text, NOT_FOUND)
    again = letter(node, "ReestablishInvoice", "YN", "N") == "Y"
    if code != "I" and existing is None and not again:
        raise wrong("Invoice", number, f"Invoice '{number}' not found for supplier '{supplier['Supplier']}'", NOT_FOUND)
    return number, existing


def _period(world: World, options: Parameters) -> str:
    letter_ = options["PostingPeriod"]
    month = periods.named(world.current_period, letter_)
    if month is None:
        raise wrong("PostingPeriod", letter_, "Posting period must be C, P or B", PERIOD)
    if month in world.closed_periods:
        raise wrong("PostingPeriod", letter_, f"Posting period {month} is not open for posting", PERIOD)
    return month


def _warnings(supplier: Record) -> list[str]:
    return [f"Supplier '{supplier['Supplier']}' is on hold"] if supplier["OnHold"] == "Y" else []


def _later(dated: str, days: int) -> str:
    return (date.fromisoformat(dated) + timedelta(days=days)).isoformat()


# ── booking ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _answered(world: World, draft: Draft) -> str:
    row = book(world, draft)
    year, month = periods.split(draft.month)
    told = {"Supplier": row["Supplier"], "Invoice": row["Invoice"]}
    if world.journal_in_answer:
        told |= {"Journal": f"{row['Journal']:>10}", "TrnYear": str(year), "TrnMonth": f"{month:02d}"}
    return element("Key", [element(name, text=text) for name, text in told.items()])


def book(world: World, draft: Draft) -> Record:
    """Book a draft: the liability, its journal, what it is matched to; gives the invoice's row."""
    sign = -1 if draft.code == "C" else 1
    number = _journal(world, draft, sign)
    value = sign * draft.money.gross
    existing = (
        draft.existing
        if draft.existing is not None
        else world.get("ApInvoice", draft.supplier["Supplier"], draft.number)
    )
    if existing is None:
        row = _new(world, draft, number, value, sign)
    else:
        row = existing
        _change(world, row, draft, value, number)
    grn.take(world, draft.matched, draft.number)
    draft.supplier["CurrentBalance"] += value
    world.stamp(draft.supplier)
    return row


def _new(world: World, draft: Draft, number: int, value: Decimal, sign: int) -> Record:
    year, month = periods.split(draft.month)
    back = [world.current_period, periods.back(world.current_period, 1), periods.back(world.current_period, 2)]
    age = back.index(draft.month)
    codes = [draft.money.tax_code, *(line.tax_code for line in draft.money.lines)]
    return world.put(
        "ApInvoice",
        {
            "Supplier": draft.supplier["Supplier"],
            "Invoice": draft.number,
            "JournalDate": world.today().isoformat(),
            "Journal": number,
            "Branch": draft.branch,
            "InvoiceDate": draft.dated,
            "DiscountDate": draft.discount_day,
            "DueDate": draft.due,
            "Reference": draft.reference,
            "OrigInvValue": value,
            "OrigDiscValue": sign * draft.discount,
            "MthInvBal1": value,
            "MthInvBal2": value if age >= 1 else Decimal(0),
            "MthInvBal3": value if age >= 2 else Decimal(0),
            "InvoiceStatus": "0",
            "InvoiceYear": year,
            "Currency": draft.supplier["Currency"] or world.local_currency,
            "InvoiceMonth": month,
            "ExchangeRate": draft.money.rate,
            "FirstTaxCode": next(filter(None, codes), ""),
            "CurrencyValue": value,
            "EntryNumber": 1,
        },
    )


def _change(world: World, row: Record, draft: Draft, value: Decimal, number: int) -> None:
    """Post a credit, debit or adjustment to an invoice that is there."""
    year, month = periods.split(draft.month)
    world.put(
        "ApInvoicePay",
        {
            "Supplier": row["Supplier"],
            "Invoice": row["Invoice"],
            "Number": world.number("ap-entry"),
            "TrnType": draft.code,
            "JournalDate": world.today().isoformat(),
            "PaymentReference": draft.reference,
            "TrnValue": value,
            "PostValue": cents(value * draft.money.rate),
            "TrnYear": year,
            "TrnMonth": month,
        },
    )
    row["MthInvBal1"] += value
    row["Journal"] = number
    restate(row)
    world.stamp(row)


def restate(row: Record) -> None:
    """Set the status of an invoice by what is left of it: open, part paid, paid."""
    left = row["MthInvBal1"]
    row["InvoiceStatus"] = "9" if not left else "0" if left == row["OrigInvValue"] else "1"


def _journal(world: World, draft: Draft, sign: int) -> int:
    today, text = world.today().isoformat(), f"{draft.supplier['Supplier']} {draft.number}"
    debits = [(line.code, line.local) for line in draft.money.lines]
    if draft.money.local_tax:
        debits.append((TAX_ACCOUNT, draft.money.local_tax))
    total = sum((value for _, value in debits), Decimal(0))
    entries = [Entry(code, sign * value, draft.reference, text, today) for code, value in [*debits, (PAYABLES, -total)]]
    return journal(world, draft.month, "AP", entries)
