"""What Sage X3's refusals mean; how they look is `kit/sdata`'s."""

from __future__ import annotations

import re

from ml_connector.errors import ConnectorError, Misconfigured, Transient
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.sage_x3.entities import Entity

VENDOR = "Sage X3"
_LOCKED = re.compile(r"\b(lock|being modified|in use by)", re.IGNORECASE)


class NotPublished(Misconfigured):
    """GraphQL has no such node at all: its schema says so, whatever the rights of the user."""


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
