"""What to do about a refused invoice: by `error.code`, then by what its text names.

Texts come in the user's language, so our own codes quoted in them count before words (`docs/vendors/sage_300.md`).
Known faults of the document are refusals of it; troubles of the set-up are not; what nobody knows is held for a person
(`systems.kit.refusals`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ml_connector.errors import ConnectorError, Held, Misconfigured, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Prepared
from ml_connector.systems.kit.refusals import (
    culprit,
    is_fault_of_the_document,
    named,
    names_code,
    not_understood,
    setup_trouble,
    used_codes,
)
from ml_connector.systems.sage_300.replies import DUPLICATE, NO_RIGHT, Fault

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("duplicate", r"already (?:exists|been (?:used|entered))|duplicate|existe déjà|ya existe|existiert bereits"),
        (
            "period",
            r"fiscal (?:period|year|calendar)|period .{0,60}(?:closed|locked|not open)|(?:closed|locked) .{0,40}period"
            r"|PostingDate|posting date|période|periodo|período|Periode",
        ),
        ("term", r"\bterms?\b|TermsCode|payment term|modalité|términos|Zahlungsbedingung"),
        ("tax", r"\btax(?:es)?\b|TaxGroup|TaxClass|TaxAmount|\btaxe|impuesto|Steuer"),
        ("currency", r"CurrencyCode|\bcurrency\b|exchange rate|rate type|\bdevise|moneda|Währung"),
        ("account", r"GLAccount|G/L account|(?<!vendor )\baccounts?\b(?! set)|\bcompte\b|\bcuenta\b|Sachkonto"),
        ("supplier", r"VendorNumber|\bvendor\b|account set|fournisseur|proveedor|Lieferant"),
    )
)
_OTHER_DATE = re.compile(
    r"\b(?:Due|Document|Discount|AsOf|Batch)Date\b|(?:due|document|invoice|discount) date|échéance|vencimiento"
    r"|Fälligkeit",
    re.IGNORECASE,
)
_POSTING_DATE = re.compile(r"PostingDate|posting date", re.IGNORECASE)
"""Only the posting date belongs to a fiscal period."""
VENDOR = "Sage 300"
_MENDS = {
    "supplier": "Enter or activate the vendor in Sage 300, or map the supplier to another one.",
    "currency": "Enter the currency or its exchange rate in Sage 300, or map it.",
    "tax": "Map the tax code with `ml-connector mappings set TENANT tax CODE TARGET`, TARGET being a tax group such as "
    "BCTAX, or group and class such as BCTAX/2.",
    "term": "Map the payment term with `ml-connector mappings set TENANT term CODE TARGET`.",
    "account": "Open or activate the account in Sage 300, or map the code to another one.",
}


def kind_of(fault: Fault, prepared: Prepared) -> str | None:
    """Tell what a refusal is about; None where it does not show."""
    if fault.code == DUPLICATE:
        return "duplicate"
    return kind_of_text(fault.text, prepared.lookup)


def kind_of_text(text: str, lookup: Mapping[str, str]) -> str | None:
    """Tell what a text is about: the kind that it both speaks of and quotes a code of, else the first it speaks of."""
    if is_fault_of_the_document(text):
        return None
    spoken = [kind for kind, pattern in _PATTERNS if pattern.search(text)]
    if "period" in spoken and _OTHER_DATE.search(text) and not _POSTING_DATE.search(text):
        return None
    if spoken and spoken[0] in {"duplicate", "period"}:
        return spoken[0]
    if setup_trouble(VENDOR, "", text, text):
        return None
    quoted = {kind for kind, theirs, _ in used_codes(lookup) if theirs and names_code(text, theirs)}
    both = [kind for kind in spoken if kind in quoted]
    if both or spoken:
        return (both or spoken)[0]
    return quoted.pop() if len(quoted) == 1 else None


def judge(fault: Fault, prepared: Prepared) -> ConnectorError:
    """Make the error that says what to do."""
    said = f"Sage 300 refused {named(prepared)}: {fault}."
    if fault.locked:
        return Transient(f"Somebody works on the batch or record in Sage 300: {fault}. It is tried again later.")
    if fault.code == NO_RIGHT or fault.absent:
        return Misconfigured(
            f"Sage 300 does not let this user enter AP invoice batches: {fault}. Give one of its security groups in "
            "the module AP the right 'Sage 300 Web API' and the right to invoice batches."
        )
    if not fault.worded or fault.anybodys:
        return OutcomeUnknown(f"Something in front of Sage 300 answered for it: {fault}.")
    month = prepared.lookup.get("month") or month_of(prepared.body)  # its own one, whichever were tried after it
    held = about(kind_of(fault, prepared), said, fault.text, prepared.lookup, month)
    trouble = held or setup_trouble(VENDOR, named(prepared), fault, fault.text)
    if trouble is not None:
        return trouble
    if is_fault_of_the_document(fault.text):
        return Rejected(said)
    return not_understood(VENDOR, prepared, fault)


def about(kind: str | None, said: str, text: str, lookup: Mapping[str, str], month: str) -> Held | None:
    """Hold on the code that a refusal is about; None where it is about none."""
    if kind == "period":
        return Held(f"period:{month}", f"{said} Open the fiscal period of {month}, or correct the accounting date.")
    if kind in _MENDS and (code := culprit(kind, text, lookup)):
        return Held(f"{kind}:{code}", f"{said} {_MENDS[kind]}")
    return None


def month_of(body: Mapping[str, Any]) -> str:
    """Give the month that a body is posted to."""
    invoices = body.get("Invoices") or [{}]
    return str(invoices[0].get("PostingDate") or "")[:7]
