"""What a refused invoice is refused for, in Sage's words: by `error.code`, then by what its text names (`kit/faults`).

Texts come in the user's language, so our own codes quoted in them count before words (`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ml_connector.errors import ConnectorError, Misconfigured, OutcomeUnknown, Transient
from ml_connector.flow import Prepared
from ml_connector.systems.kit.faults import Dialect, kinds_named, patterns
from ml_connector.systems.kit.refusals import is_fault_of_the_document, setup_trouble
from ml_connector.systems.sage_300.replies import DUPLICATE, NO_RIGHT, Fault

_PATTERNS = patterns(
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
_OTHER_DATE = re.compile(
    r"\b(?:Due|Document|Discount|AsOf|Batch)Date\b|(?:due|document|invoice|discount) date|échéance|vencimiento"
    r"|Fälligkeit",
    re.IGNORECASE,
)
_POSTING_DATE = re.compile(r"PostingDate|posting date", re.IGNORECASE)
"""Only the posting date belongs to a fiscal period."""
VENDOR = "Sage 300"
MENDS = {
    "period": "Open the fiscal period of {month}, or correct the accounting date.",
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
    quoted = kinds_named(text, lookup)
    both = [kind for kind in spoken if kind in quoted]
    if both or spoken:
        return (both or spoken)[0]
    return quoted.pop() if len(quoted) == 1 else None


def _elsewhere(fault: Fault, _: Prepared) -> ConnectorError | None:
    """Find the causes that no correction of the invoice would mend."""
    if fault.locked:
        return Transient(f"Somebody works on the batch or record in Sage 300: {fault}. It is tried again later.")
    if fault.code == NO_RIGHT or fault.absent:
        return Misconfigured(
            f"Sage 300 does not let this user enter AP invoice batches: {fault}. Give one of its security groups in "
            "the module AP the right 'Sage 300 Web API' and the right to invoice batches."
        )
    if not fault.worded or fault.anybodys:
        return OutcomeUnknown(f"Something in front of Sage 300 answered for it: {fault}.")
    return None


DIALECT = Dialect(VENDOR, kind_of, _elsewhere, lambda kind, *_: MENDS.get(kind), "batch")
