"""What the Service Layer's answers say: both error envelopes, dead sessions, keys and literals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from ml_connector.systems.http import Reply, listed
from ml_connector.systems.kit import faults
from ml_connector.systems.kit.absence import NO_SUCH_STATUS, odata_error
from ml_connector.systems.kit.faults import LONGEST_CODE, WORDS

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
        """Tell whether the Service Layer says itself that there is no such record (contracts/sap_b1.md §3)."""
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
    if reply.status < 300 and b'error"' not in reply.body[:64]:
        return None
    try:
        body = reply.json()
    except ValueError:
        body = None
    error = (body.get("error") or body.get("odata.error")) if isinstance(body, dict) else None
    if error is None:
        return None if reply.status < 300 else Fault(reply.status, "", reply.text(), worded=False)
    if not isinstance(error, dict):
        return Fault(reply.status, "", reply.clean(str(error))[:WORDS], worded=False)
    said = odata_error(body, reply.status)
    return Fault(
        reply.status,
        reply.clean(str(error.get("code") or ""))[:LONGEST_CODE],
        reply.clean(_words(error))[:WORDS],
        worded=said is not None and whole_number(said[0]) is not None,
    )


def _words(error: dict[str, Any]) -> str:
    message = error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    details = [d.get("message") for d in listed(error.get("details")) if isinstance(d, dict)]
    return " · ".join(dict.fromkeys(str(part) for part in (message, *details) if part))


def quoted(text: str) -> str:
    """Write a string literal of `$filter`: single quotes, embedded ones doubled."""
    return "'" + text.replace("'", "''") + "'"


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
