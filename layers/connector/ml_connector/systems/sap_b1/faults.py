"""What the Service Layer says when it refuses: both error envelopes, dead sessions, what an invoice is refused for.

Texts come in the language of the Service Layer's user, so the names of fields and the codes quoted in them decide
first, words second (`docs/vendors/sap_b1.md`). What follows from a refusal says `kit/faults`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from ml_connector.errors import ConnectorError, Misconfigured, OutcomeUnknown, Transient
from ml_connector.flow import Prepared
from ml_connector.systems.http import Reply
from ml_connector.systems.kit import faults, odata
from ml_connector.systems.kit.absence import NO_SUCH_STATUS
from ml_connector.systems.kit.faults import Dialect, kinds_named, patterns
from ml_connector.systems.kit.odata import quoted
from ml_connector.systems.kit.refusals import (
    fields_in,
    is_fault_of_the_document,
    is_locked,
    names_code,
    setup_trouble,
    used_codes,
)

SESSION_EXPIRED = "301"
GENERIC_FAILURE = "-5002"
NO_RECORDS = "-2028"
_SESSION_WORDS = re.compile(
    r"\bsession|sitzung|sesi[oó]n|sess[aã]o|sessione|sessie|sesj|munkamenet|relace|oturum|сеанс|сесси"
    r"|会话|會話|工作階段|セッション|세션",
    re.IGNORECASE,
)
_EXPIRY_WORDS = re.compile(r"time[d -]*out|expired|not logged|log ?in again", re.IGNORECASE)
_DAY = re.compile(r"\bday'(\d{4}-\d\d-\d\d)'")


@dataclass(frozen=True, slots=True)
class Fault(faults.Fault):
    """A refusal in the server's words. `code` is text in both dialects."""

    @property
    def session_is_dead(self) -> bool:
        """Tell whether the server refused the session and not the request.

        Code 301 is documented; -5002 is a failure of any kind, so there the words decide
        (`docs/vendors/sap_b1.md`): repeating a refused posting would be wrong.
        """
        return self.code == SESSION_EXPIRED or (self.code == GENERIC_FAILURE and bool(_SESSION_WORDS.search(self.text)))

    @property
    def may_be_session(self) -> bool:
        """Tell whether a read is worth one more try with a new session: vaguer words will do, it changes nothing."""
        vague = self.code == GENERIC_FAILURE and bool(_EXPIRY_WORDS.search(self.text))
        return vague or self.session_is_dead

    @property
    def no_records(self) -> bool:
        """Tell whether the Service Layer says itself that there is no such record."""
        return self.worded and self.code == NO_RECORDS

    @property
    def no_such_path(self) -> bool:
        """Tell whether this server says itself that it does not know the entity set at all."""
        return self.worded and self.status in {400, 404} and "resource path" in self.text.lower()

    @property
    def anybodys(self) -> bool:
        """Tell whether a gateway in front may have said that something is not there."""
        return self.status in NO_SUCH_STATUS and not (self.no_records or self.no_such_path)


def fault_in(reply: Reply) -> Fault | None:
    """Find an error in an answer of any status; None in a good one (`docs/vendors/sap_b1.md`)."""
    return odata.fault_in(reply, Fault, own=lambda code: whole_number(code) is not None)


def literal_key(key: str | int) -> str:
    """Write a key in parentheses: text quoted, numbers bare (`docs/vendors/sap_b1.md`)."""
    return f"({key})" if isinstance(key, int) else f"({quote(quoted(key), safe='')})"


def day_literal(day: date) -> str:
    """Mark a date in `$filter`; how it is spelled is decided when the request is made (`spell_days`)."""
    return f"day'{day.isoformat()}'"


def spell_days(where: str, *, bare: bool) -> str:
    """Spell the marked dates quoted (v1) or bare (v2)."""
    return _DAY.sub(r"\1" if bare else r"'\1'", where)


def has_days(where: str) -> bool:
    """Tell whether a filter names a date."""
    return _DAY.search(where) is not None


def whole_number(text: str) -> int | None:
    """Read a number such as those of documents; None where this is none."""
    return int(text) if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else None


def location_key(reply: Reply) -> str | None:
    """Read the key out of a Location header such as `/b1s/v1/PurchaseInvoices(812)`."""
    found = re.search(r"\((?:\w+=)?'?([^()']+)'?\)\s*$", reply.headers.get("location", ""))
    return found.group(1) if found else None


CHANGED_MEANWHILE = "-2039"
_OF_CODE = {"-4006": "currency", "234103405": "order", "-2035": "duplicate"}
"""No exchange rate; a base document of another type; an entry that exists already."""
VENDOR = "SAP Business One"
_OF_FIELD: Mapping[str, str] = {
    name: kind
    for kind, names in {
        "duplicate": "NumAtCard",
        "period": "DocDate RefDate",
        "date": "DocDueDate DueDate TaxDate VatDate CreateDate CancelDate",
        "branch": "BPL_IDAssignedToInvoice BPLId BPL_ID BPLID",
        "order": "BaseEntry BaseLine BaseType BaseRef BaseDocEntry ItemCode WhsCode WarehouseCode",
        "supplier": "CardCode CardName",
        "currency": "DocCurrency DocCur DocRate Currency Rate",
        "tax": "VatGroup TaxCode VatPrcnt",
        "account": "AccountCode AcctCode Account",
        "cost_center": "CostingCode CostingCode2 CostingCode3 CostingCode4 CostingCode5 "
        "OcrCode OcrCode2 OcrCode3 OcrCode4 OcrCode5 ProfitCode",
        "term": "PaymentGroupCode GroupNum",
        "setup": "Series AttachmentEntry AtcEntry",
    }.items()
    for name in names.split()
}
"""What a field that a refusal quotes in brackets is about. Only the posting date belongs to a posting period."""
_OTHER_DATE = re.compile(
    r"\b(?:DocDueDate|TaxDate|DueDate)\b|\bdue date|document date|Fälligkeit|Belegdatum|échéance|vencimiento|scadenza",
    re.IGNORECASE,
)
_PARTNER = r"(?:business partner|\bBP\b|Geschäftspartner|partenaire|socio de negocio|partner commerciale)"
_CURRENCY = r"(?:currency|Währung|devise|moneda|valuta)"
_PARTNERS_CURRENCY = f"{_CURRENCY}.*{_PARTNER}|{_PARTNER}.*{_CURRENCY}"
"""A supplier of one currency takes no document in another; both words decide, and go before either alone."""
_PATTERNS = patterns(
    ("currency", _PARTNERS_CURRENCY),
    ("duplicate", r"NumAtCard|already exist|\(ODBC -2035\)|existiert bereits|existe déjà|ya existe|già esist"),
    (
        "period",
        r"\b(?:DocDate|RefDate)\b|permissible range|posting period|period (?:is )?(?:locked|closed)"
        r"|fiscal year|year-end|Geschäftsjahr|exercice|ejercicio|esercizio|Buchungsperiode|zulässigen Bereich"
        r"|période|periodo|período",
    ),
    ("branch", r"BPL_?ID|\bbranch\b|Filiale|Niederlassung|succursale|sucursal"),
    (
        "order",
        r"BaseEntry|BaseLine|BaseType|base document|document is already closed|open quantity|Basisbeleg"
        r"|document de base|documento base|documento di base",
    ),
    ("supplier", r"CardCode|business partner|BP code|Geschäftspartner|partenaire|socio de negocio"),
    ("currency", r"DocCurrency|exchange rate|\bcurrency\b|Wechselkurs|Währung|taux de change|tipo de cambio"),
    ("tax", r"VatGroup|TaxCode|tax (?:group|code|definition)|Steuer(?:kennzeichen|code|gruppe)|code de taxe"),
    ("account", r"AccountCode|AcctCode|G/L account|\baccount\b|Sachkonto|\bKonto\b|\bcompte\b|\bcuenta\b"),
    (
        "cost_center",
        r"CostingCode|OcrCode|ProfitCenter|distribution rule|cost cent(?:er|re)|profit cent(?:er|re)|Kostenstelle"
        r"|Verteilungsregel|centre de coûts|centro de coste",
    ),
)
_FIXES = {
    "period": "Open the posting period {month}, or correct the accounting date.",
    "supplier": "Check the supplier in SAP Business One (missing, frozen or not valid) or its mapping.",
    "currency": "Enter the currency or its exchange rate in SAP Business One.",
    "tax": "To fix: `ml-connector mappings set TENANT tax CODE TARGET`.",
    "account": "Unlock the account in SAP Business One, or map the code to another one.",
    "cost_center": "Activate the cost center in SAP Business One, or map the code to another one.",
    "term": "To fix: `ml-connector mappings set TENANT term CODE TARGET`.",
    "order": "Reopen the order in SAP Business One, or correct the invoice's order reference.",
    "branch": "Name the branch: 'branch_id' in the secret, or map the organization to the branch's number.",
}
_OTHER_CURRENCY = (
    "The supplier has another currency in SAP Business One than the invoice: change it there (or let the supplier have "
    "all currencies), or correct the currency of the invoice."
)
_LINE = re.compile(r"\[line: *(\d+)\]", re.IGNORECASE)


def kind_of(fault: Fault, prepared: Prepared) -> str | None:
    """Tell what a refusal is about; None where it does not show."""
    if fault.code in _OF_CODE:
        return _OF_CODE[fault.code]
    if is_fault_of_the_document(fault.text):
        return None
    if (fields := fields_in(fault.text)) and not _of_partners_currency(fault):
        return next((_OF_FIELD[name] for name in fields if name in _OF_FIELD), None)
    if setup_trouble(VENDOR, "", fault, fault.text):
        return "setup"
    return _kind_of_words(fault.text, prepared)


def _kind_of_words(text: str, prepared: Prepared) -> str | None:
    for kind, pattern in _PATTERNS:
        if pattern.search(text):
            return "date" if kind == "period" and _OTHER_DATE.search(text) else kind
    quoted = kinds_named(text, prepared.lookup, _quotes)
    return quoted.pop() if len(quoted) == 1 else None


def _fix(kind: str, fault: Fault, prepared: Prepared) -> str | None:
    if kind not in _FIXES:
        return None
    fix = _OTHER_CURRENCY if _of_partners_currency(fault) else _FIXES[kind]
    return f"{fix}{_or_rounding(kind, fault.text, prepared)}"


def _of_partners_currency(fault: Fault) -> bool:
    return re.search(_PARTNERS_CURRENCY, fault.text, re.IGNORECASE) is not None


def _elsewhere(fault: Fault, prepared: Prepared) -> ConnectorError | None:
    """Find the causes that no correction of the invoice would fix."""
    if fault.code == CHANGED_MEANWHILE or fault.status == 412 or (fault.worded and is_locked(fault.text)):
        return Transient(f"Somebody works on the record in SAP Business One: {fault}. It is tried again later.")
    if not fault.worded and fault.status not in {402, 403} and not 300 <= fault.status < 400:
        return OutcomeUnknown(f"Something in front of SAP Business One answered for it: {fault}.")
    if fault.no_such_path or fault.status in {402, 403, 405} or 300 <= fault.status < 400:
        return Misconfigured(
            f"SAP Business One does not let the Service Layer's user post {prepared.lookup['entity']}: {fault}. "
            "Check the user's authorizations and the address."
        )
    if any(name.startswith("U_") and name in fault.text for name in prepared.body):
        return Misconfigured(
            f"SAP Business One does not take our key in its user field: {fault}. Make it a text field of at least 36 "
            "characters, or take 'external_id_field' out of the secret."
        )
    kind = kind_of(fault, prepared)
    if kind in {"account", None} and (setting := _rounding(fault.text, kind, prepared)):
        return Misconfigured(
            f"SAP Business One refused the account {setting} that 'rounding_account' in the secret names: {fault}. It "
            "must be a posting account's Code that is neither locked nor a control account; unlock it, or name another."
        )
    return None


def _rounding(text: str, kind: str | None, prepared: Prepared) -> str | None:
    """Give the account of the rounding line where a refusal is about that one: it is named, or its line is.

    Lines are counted from 0 or from 1; the rounding line is the last, so a number that fits no other line is its.
    """
    account = prepared.lookup.get("rounding")
    if account is None or _coded(text, prepared):
        return None
    if _quotes(text, account) or (kind and names_code(text, account)):
        return account
    if kind is None:
        return None
    line, count = _LINE.search(text), len(prepared.body.get("DocumentLines", ()))
    return account if line and int(line[1]) == count else None


def _or_rounding(kind: str, text: str, prepared: Prepared) -> str:
    """Name the other account that a refusal may be about, where it names none."""
    account = prepared.lookup.get("rounding")
    if kind != "account" or account is None or _coded(text, prepared):
        return ""
    return f" SAP does not say which account it means; it may be {account}, the 'rounding_account' of the secret."


def _coded(text: str, prepared: Prepared) -> bool:
    """Tell whether a refusal names an account of a coded row."""
    return any(kind == "account" and names_code(text, theirs) for kind, theirs, _ in used_codes(prepared.lookup))


def _quotes(text: str, code: str) -> bool:
    return re.search(rf"['\"«»„“‚‘]{re.escape(code)}['\"«»”“’‘]", text) is not None


DIALECT = Dialect(VENDOR, kind_of, _elsewhere, _fix)
