"""What the Web API says when it refuses: errors by their code, refused reads, and what an invoice is refused for.

Texts come in the user's language, so our own codes quoted in them count before words (`docs/vendors/sage_300.md`). What
follows from a refused invoice says `kit/faults`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ml_connector.errors import ConnectorError, Misconfigured, OutcomeUnknown, Transient
from ml_connector.flow import Prepared
from ml_connector.systems.http import Reply
from ml_connector.systems.kit import faults, odata
from ml_connector.systems.kit.absence import NO_SUCH_STATUS
from ml_connector.systems.kit.faults import WORDS, Dialect, kinds_named, patterns
from ml_connector.systems.kit.refusals import is_fault_of_the_document, setup_trouble

FLOODED = "TooManyRequests"
PASSING = frozenset({"InternalServerError", "SessionError", "DBLinkError"})
"""The server's own trouble, and nothing about the request (`docs/vendors/sage_300.md`)."""
REFUSED_LOGIN = "Unauthorized"
NO_RIGHT = "Forbidden"
NOT_THERE = frozenset({"RecordNotFound"})
NO_SUCH_PATH = frozenset({"ResourceNotFound", "MethodNotAllowed"})
NOT_UNDERSTOOD = frozenset({"InvalidParameters", "InvalidPayload", "InvalidEntityKey", "InvalidAction"})
DUPLICATE = "RecordDuplicate"
CODES = (
    PASSING
    | NOT_THERE
    | NO_SUCH_PATH
    | NOT_UNDERSTOOD
    | {FLOODED, REFUSED_LOGIN, NO_RIGHT, DUPLICATE, "RecordInvalid", "General"}
)
"""All codes of the Web API."""
_BY_STATUS = {401: REFUSED_LOGIN, 403: NO_RIGHT, 429: FLOODED}
_JUDGED = frozenset({400, 409, 422})
"""Statuses that speak of the request itself, whoever words them."""
_LOCK = re.compile(
    r"\block(?:ed|s)?\b|in use by|being (?:used|edited|processed|posted)|another user|currently (?:in use|open)"
    r"|gesperrt|verrouill|bloquead",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fault(faults.Fault):
    """A refusal in the server's words. `code` decides, not the status."""

    @property
    def flooded(self) -> bool:
        """Tell whether the server has too many requests at once."""
        return self.code == FLOODED

    @property
    def passing(self) -> bool:
        """Tell whether it is trouble that may be over soon."""
        return self.flooded or self.code in PASSING or (not self.code and self.status >= 500 and self.status != 501)

    @property
    def absent(self) -> bool:
        """Tell whether the Web API says itself that it does not offer what was asked for."""
        return self.worded and self.code in NO_SUCH_PATH

    @property
    def unserved(self) -> bool:
        """Tell whether the Web API says itself that it does not tell us what it has."""
        refused = self.code in NO_SUCH_PATH | NOT_THERE | NOT_UNDERSTOOD | {NO_RIGHT}
        return self.worded and (refused or self.status == 501)

    @property
    def gone(self) -> bool:
        """Tell whether the Web API says itself that there is no record of that key."""
        return self.worded and self.code in NOT_THERE

    @property
    def anybodys(self) -> bool:
        """Tell whether IIS or a gateway may have said that something is not there: only the Web API's codes count."""
        return self.status in NO_SUCH_STATUS and not (self.worded and self.code in CODES)

    @property
    def puzzled(self) -> bool:
        """Tell whether a question was not understood: a field or a word of its filter, or its selection."""
        return self.code in NOT_UNDERSTOOD or (self.code in {"", "General"} and self.status in {400, 501})

    @property
    def locked(self) -> bool:
        """Tell whether somebody has the record open on a screen: only the text says so."""
        return _LOCK.search(self.text) is not None and "period" not in self.text.lower()


def fault_in(reply: Reply) -> Fault | None:
    """Find an error in an answer of any status; None in a good one (`docs/vendors/sage_300.md`)."""
    fault = odata.fault_in(reply, Fault, codes=_BY_STATUS)
    if fault is None or fault.worded or fault.page or fault.code or reply.status not in _JUDGED:
        return fault
    said = _of_its_framework(reply)
    return Fault(reply.status, "", reply.clean(said)[:WORDS]) if said else fault


def _of_its_framework(reply: Reply) -> str:
    """Read what the server's framework says in place of the Web API, in a form of its own."""
    try:
        body = reply.json()
    except ValueError:
        return ""
    return str(body.get("Message") or body.get("message") or "") if isinstance(body, dict) else ""


class Refused(Misconfigured):
    """The server refuses to show something. `puzzled`: it does not know a word of the question."""

    puzzled = False


class NotOffered(Refused):
    """The server does not know the resource, or does not let it be read: an older release, or no such module.

    What a company can do without is left out (`WebApi.offered`); for anything else this is a wrong address.
    """


class Puzzled(Refused):
    """It is known already that the server does not take the question."""

    puzzled = True


def refused_read(resource: str, fault: Fault) -> Transient | Misconfigured:
    """Make the error of a refused read."""
    if fault.status < 300:
        return Transient(f"Sage 300 refused to show {resource}: {fault}. It is read again later.")
    if fault.code == NO_RIGHT:
        module = resource.partition("/")[0]
        return Misconfigured(
            f"Sage 300 does not let this user read {resource}: {fault}. Give one of its security groups in the module "
            f"{module} the right 'Sage 300 Web API' and the right to these records."
        )
    kind = NotOffered if fault.absent else Refused
    error = kind(
        f"Sage 300 refuses to show {resource}: {fault}. Check 'api_url' and 'company', whether the module is "
        "activated, and 'date_literal'."
    )
    error.puzzled = fault.puzzled
    return error


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
    "tax": "To fix: `ml-connector mappings set TENANT tax CODE TAX-GROUP`, with a tax group such as BCTAX, or group "
    "and class such as BCTAX/2.",
    "term": "To fix: `ml-connector mappings set TENANT term CODE TARGET`.",
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
    """Find the causes that no correction of the invoice would fix."""
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
