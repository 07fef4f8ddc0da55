"""What Sage X3's refusals look like: diagnoses under any status, GraphQL's errors, and a fault of its gateway.

A good status is no success (`docs/vendors/sage_x3.md`): `$diagnoses` with severity error come with 200 and 201 too.
"""

from __future__ import annotations

import re
from typing import Any

from ml_connector.errors import ConnectorError, Misconfigured, Transient
from ml_connector.systems.http import Reply, listed
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.faults import LONGEST_CODE, WORDS, Fault
from ml_connector.systems.kit.graphql import messages
from ml_connector.systems.sage_x3.entities import Entity

VENDOR = "Sage X3"
GONE = "721"
"""The number of X3's message that a record does not exist."""
SAID = (200, 201, 400, 403, 404, 405, 409, 412, 422, 500)
"""Statuses under which X3 may speak for itself."""
_NUMBER = re.compile(r"\s*(\d{1,6})\s*:")
_LOCKED = re.compile(r"\b(lock|being modified|in use by)", re.IGNORECASE)


class NotPublished(Misconfigured):
    """GraphQL has no such node at all: its schema says so, whatever the rights of the user."""


def diagnoses_in(body: Any) -> list[str]:
    """List the errors of a payload, of a record or of a whole answer."""
    told = listed(body.get("$diagnoses")) if isinstance(body, dict) else []
    return [
        str(one.get("$message") or one.get("message") or "no text")
        for one in told
        if isinstance(one, dict) and str(one.get("$severity") or one.get("severity")).lower() in {"error", "fatal"}
    ]


def fault_in(reply: Reply) -> Fault | None:
    """Find a refusal in an answer of any status; None in a good one."""
    if reply.body.lstrip()[:1] == b"<":
        return Fault(reply.status, "", reply.text(200), worded=False, page=True)
    try:
        body = reply.json() if reply.body.strip() else None
    except ValueError:
        body = None
    code, said = "", diagnoses_in(body)
    if isinstance(body, dict) and not said:
        said = messages(body)
        if str(body.get("$severity")).lower() == "error":
            said, code = [str(body.get("$message") or body.get("$dataCode") or "no text")], str(body.get("$dataCode"))
    if said:
        text = reply.clean(" · ".join(dict.fromkeys(" ".join(one.split()) for one in said)))[:WORDS]
        number = _NUMBER.match(said[0])
        return Fault(reply.status, (number[1] if number else code)[:LONGEST_CODE], text)
    if reply.status < 300:
        return None
    return Fault(reply.status, "", reply.text(200), worded=False)


def of_gateway(fault: Fault) -> bool:
    """Tell a fault of the server in front, or of none of our doing: it passes."""
    return fault.code == "InternalServerError" or not fault.worded


def unread(entity: Entity, fault: Fault, asked: str) -> ConnectorError:
    """Say what a refused reading means: the set-up, or passing trouble. `asked` names the class and representation."""
    if fault.anybodys:
        return unproven(VENDOR, asked, fault)
    if of_gateway(fault) or _LOCKED.search(fault.text):
        return Transient(f"{VENDOR} did not give {asked}: {fault}. It is asked again later.")
    if fault.status == 403:
        return Misconfigured(
            f"{VENDOR} does not let this user read {asked}: {fault}. Give the user's profile the right to read the "
            f"{entity.title}."
        )
    return Misconfigured(
        f"{VENDOR} does not give {asked}: {fault}. Check {entity.setting('class')} and "
        f"{entity.setting('representation')}: the representation must belong to the class and be published in the "
        "folder."
    )
