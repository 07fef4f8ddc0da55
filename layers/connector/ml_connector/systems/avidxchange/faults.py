"""What AvidXchange's answers say: the gateway's faults, the vendor's own, and one result for each item under a 200.

No documentation gives their shape; these are those that working clients and the gateway's product have shown
(`docs/vendors/avidxchange.md`). Whatever is none of them is held or asked again, never taken for a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from ml_connector.errors import ConnectorError, Held, Misconfigured, OutcomeUnknown, Throttled
from ml_connector.flow import Prepared
from ml_connector.systems.http import Reply
from ml_connector.systems.kit import wso2
from ml_connector.systems.kit.absence import ABSENT_STATUS
from ml_connector.systems.kit.faults import LONGEST_CODE, WORDS, Dialect, Fault, fixes, patterns, spoken_of
from ml_connector.systems.kit.results import fields_blamed, named, sentences

VENDOR = "AvidXchange"
ABSENT = re.compile(r"not found|no such|does not exist|unknown|cannot be found", re.IGNORECASE)
BY_FIELD = {
    "glcode": "account",
    "codes": "account",
    "enterprisecodes": "account",
    "vendorexternalcode": "supplier",
    "vendorexternalsystemid": "supplier",
    "currency": "currency",
    "companyexternalcode": "company",
}
BY_WORDS = patterns(
    ("duplicate", r"duplicate|already (?:exists|been (?:submitted|used|received)|on file)|not unique"),
    ("changed", r"idempoten.{0,80}(?:different|mismatch|another|payload)"),
    ("account", r"\bgl[ _]?(?:code|account)s?\b|accounting code|enterprise code|account number"),
    ("supplier", r"\bvendor\b|\bsupplier\b"),
    ("currency", r"\bcurrency\b"),
)
OF_THE_INVOICE = re.compile(
    r"\b(?:amount|total|lines?|date|number)\b.{0,60}\b(?:sum|match|exceed|required|invalid|missing|long)", re.IGNORECASE
)
"""What is wrong with a value of the invoice itself."""


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────


def fault_in(reply: Reply) -> Fault | None:
    """Read what an answer refuses, also under a good status; None where it refuses nothing."""
    if reply.body.lstrip()[:1] == b"<":
        return _in_markup(reply)
    try:
        body = reply.json() if reply.body.strip() else {}
    except ValueError:
        return Fault(reply.status, "", reply.text(200), worded=False)
    told = named(body)
    if reply.status < 300 and not told.keys() & {"fault", "exception", "errors", "error"}:
        return None
    words = list(sentences(body))
    if reply.status < 300 and (not words or told.keys() & {"results", "items", "id"}):  # an invoice has its own errors
        return None
    gateway = wso2.code_in(body)
    text = reply.clean("; ".join(dict.fromkeys(words)))[:WORDS] or reply.text(200)
    code = gateway or str(told.get("code") or "")
    worded = bool(words) and not gateway and (reply.status not in ABSENT_STATUS or _is_its_own(reply, told, text))
    return Fault(reply.status, code[:LONGEST_CODE], text, worded=worded, fields=tuple(fields_blamed(body)))


def _is_its_own(reply: Reply, told: Mapping[str, Any], text: str) -> bool:
    """Tell whether a word on absence is AvidXchange's: by its form, or by naming what was asked for.

    Any gateway says `{"message": "Not Found"}`.
    """
    name = unquote(urlsplit(reply.url).path.rpartition("/")[2])
    return bool(told.keys() & {"errors", "exception"}) or (any(map(str.isdigit, name)) and name in text)


def _in_markup(reply: Reply) -> Fault | None:
    told = wso2.in_markup(reply.body)
    text = reply.clean(f"{told.get('message', '')} {told.get('description', '')}".strip()) or reply.text(200)
    return Fault(reply.status, told.get("code", ""), text[:WORDS], worded=False, page=True)


def judge(now: Callable[[], datetime], reply: Reply) -> None:
    """Raise for an answer that says nothing of what was asked: too many requests, or no right to ask."""
    if reply.status < 400:
        return
    fault = fault_in(reply)
    code = fault.code if fault else ""
    if wso2.is_throttled(reply.status, code) or reply.status == 503:
        raise Throttled(f"{VENDOR} asks for fewer requests: {fault}.", wso2.pause_asked(reply, now()))
    if reply.status == 403:
        raise Misconfigured(
            f"{VENDOR} does not let this account call {reply.url.partition('?')[0]}: {fault}. Have the subscription or "
            "the right granted, or take the path out of 'profile.paths'."
        )


# ── what is done about a refused invoice ────────────────────────────────────────────────────────────────────────


def _kind(fault: Fault, _: Prepared) -> str | None:
    return spoken_of(fault, BY_FIELD, BY_WORDS, VENDOR)


def _elsewhere(fault: Fault, prepared: Prepared) -> ConnectorError | None:
    """Find what no correction of the invoice would fix, and what must not be sent again."""
    if fault.anybodys or not fault.worded:
        return OutcomeUnknown(f"Something else than {VENDOR} answered to invoice {prepared.reference}: {fault}.")
    if _kind(fault, prepared) == "changed":
        return Held(
            f"conflict:{prepared.key}",
            f"{VENDOR} has our key for invoice {prepared.reference} of vendor {prepared.partner} with another content: "
            f"{fault}. No other key is made. Look for the invoice there, and correct it there or in Sage X3.",
        )
    return None


def _fix(kind: str, _: Fault, __: Prepared) -> str | None:
    said = {
        "account": f"Enter the GL code in {VENDOR}, or map the account to one that is there.",
        "supplier": f"Enter the vendor in {VENDOR}, or correct its code.",
        "currency": f"Have the currency opened in {VENDOR}, or map it.",
    }
    return {**fixes(VENDOR), **said}.get(kind)


DIALECT: Dialect[Fault] = Dialect(VENDOR, _kind, _elsewhere, _fix)
