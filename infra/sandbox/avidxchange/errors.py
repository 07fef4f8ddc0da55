"""Refusals, in the words of the gateway, of the newer interface, of the older one, and of the login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from ..kit.codec import encode

INVALID, MISSING, EXPIRED, THROTTLED, FORBIDDEN = 900901, 900902, 900903, 900802, 900908


@dataclass
class Refusal(Exception):
    """The server's own refusal: a code, a sentence, and the field that is to blame."""

    status: int
    code: str
    message: str
    field: str = ""

    def entry(self) -> dict[str, Any]:
        """Give it as an entry of `errors`."""
        found = {"code": self.code, "message": self.message}
        return found | {"field": self.field} if self.field else found


@dataclass
class GatewayFault(Exception):
    """A refusal of the WSO2 gateway in front, with its code; `more` goes into its body."""

    status: int
    code: int
    message: str
    description: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class LoginRefused(Exception):
    """A refusal of one of the two logins, with the whole body."""

    status: int
    body: Mapping[str, Any]


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Give a JSON answer."""
    return Response(encode(body), status, headers, content_type="application/json")


def gateway_answer(fault: GatewayFault, style: str, accept: str) -> Response:
    """Word a fault of the gateway: `style` "wrapped" or "bare"; XML for who does not ask for JSON."""
    body = {"code": fault.code, "message": fault.message, "description": fault.description, **fault.more}
    if "json" not in accept.lower():
        inner = "".join(f"<ams:{name}>{escape(str(value))}</ams:{name}>" for name, value in body.items())
        xml = f'<ams:fault xmlns:ams="http://wso2.org/apimanager/security">{inner}</ams:fault>'
        return Response(xml, fault.status, dict(fault.headers), content_type="application/xml; charset=UTF-8")
    whole = {"fault": body} if style == "wrapped" else body | {"code": str(fault.code)}
    return answer(whole, fault.status, fault.headers)


def old_exception(status: int, reason: str, detail: str) -> Response:
    """Word a refusal as the older interface does."""
    return answer({"exception": {"reason": reason, "detail": detail}}, status)
