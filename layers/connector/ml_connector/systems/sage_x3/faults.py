"""What Sage X3's refusals mean; how they look is `kit/sdata`'s."""

from __future__ import annotations

import re

from ml_connector.errors import ConnectorError, Misconfigured, Transient
from ml_connector.flow import Prepared
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.faults import Dialect, Fault, fixes, patterns, spoken_of
from ml_connector.systems.sage_x3.entities import JOURNAL, Entity

VENDOR = "Sage X3"
_LOCKED = re.compile(r"\b(lock|being modified|in use by)", re.IGNORECASE)
_SET_UP = re.compile(r"repr[eé]sentation|class|facet|propert|entit", re.IGNORECASE)
"""What a refusal speaks of where the set-up is to blame; any other one of a reading passes, or shows by staying."""


class NotPublished(Misconfigured):
    """GraphQL has no such node at all: its schema says so, whatever the rights of the user."""


def of_gateway(fault: Fault) -> bool:
    """Tell a fault of the server in front, or of none of our doing: it passes."""
    return fault.code == "InternalServerError" or not fault.worded


def unread(entity: Entity, fault: Fault, asked: str) -> ConnectorError:
    """Say what a refused reading means: the set-up, or passing trouble. `asked` names the class and representation."""
    if fault.anybodys:
        return unproven(VENDOR, asked, fault)
    if fault.worded and fault.status == 403:
        return Misconfigured(
            f"{VENDOR} does not let this user read {asked}: {fault}. Give the user's profile the right to read the "
            f"{entity.title}."
        )
    if of_gateway(fault) or not _SET_UP.search(fault.text):
        check = " Check 'folder' and 'endpoint', whose case counts." if fault.worded and fault.status == 404 else ""
        return Transient(f"{VENDOR} did not give {asked}: {fault}.{check} It is asked again later.")
    return Misconfigured(
        f"{VENDOR} does not give {asked}: {fault}. Check {entity.setting('class')} and "
        f"{entity.setting('representation')}: the representation must belong to the class and be published in the "
        "folder."
    )


# ── refusals of invoices ────────────────────────────────────────────────────────────────────────────────────────

_SPOKEN = patterns(
    (
        "duplicate",
        r"document .{0,60}already (?:exists|used)|record already exists|already exists for this bp|existe déjà",
    ),
    (
        "period",
        r"period .{0,40}(?:closed|not open)|no fiscal (?:year|period)|closed (?:period|fiscal)"
        r"|période .{0,40}(?:close|clôtur|ferm)|exercice .{0,40}(?:close|clôtur|ferm)",
    ),
    ("cost_center", r"\b(?:analytical )?dimension\b|\bsection\b|distribution of"),
    ("tax", r"\btax(?:e)?\b"),
    (
        "account",
        r"\b(?:account|compte)\b.{0,60}(?:not exist|inexistant|not active|not found|invalid|forbidden|interdit)",
    ),
    ("supplier", r"\bbp\b.{0,60}(?:not exist|not active|inexistant)|\bsupplier\b|\bfournisseur\b|\btiers\b"),
    ("currency", r"\b(?:currency|exchange rate|devise)\b"),
)
"""What X3's texts speak of, in English and French."""
_FIXES = fixes(VENDOR) | {"currency": f"Enter the rate of the currency in {VENDOR}, or map the currency."}


CLOSED = re.compile(r"representation|facet|\bclass\b|read.?only|unknown property|not allowed|unexpected", re.IGNORECASE)
_ANYTHING = re.compile(r"not allowed|unexpected", re.IGNORECASE)
"""Those words of `CLOSED` that X3 also has for a code of the document."""


def passing(fault: Fault, what: str) -> ConnectorError | None:
    """Find what passes by itself, of a write: a gateway that answered instead, and a lock."""
    if of_gateway(fault):
        return unproven(VENDOR, what, fault, safe=False)
    if _LOCKED.search(fault.text):
        return Transient(f"{VENDOR} did not take {what} at this time: {fault}. It is tried again by itself.")
    return None


def dialect(what: str, many: str, entity: Entity) -> Dialect[Fault]:
    """Make the dialect of refusals of what an invoice or a payment becomes, `what`."""

    def judged(fault: Fault) -> str | None:
        return spoken_of(fault, {}, _SPOKEN, VENDOR)

    def elsewhere(fault: Fault, _: Prepared) -> ConnectorError | None:
        """Find causes that no correction of a document would fix, also a right, and a class that takes none."""
        if (error := passing(fault, f"a new {what}")) is not None:
            return error
        if fault.status == 403:
            return Misconfigured(
                f"{VENDOR} does not let this user enter {many}: {fault}. Give the user's profile the right to."
            )
        words = "" if fault.status < 300 else _ANYTHING.sub("", fault.text) if judged(fault) else fault.text
        if CLOSED.search(words):
            return Misconfigured(
                f"{VENDOR} does not let {many} be created this way: {fault}. Name a class and representation "
                f"with a $create facet in 'classes.{entity.name}', or set 'write_via' to soap."
            )
        return None

    return Dialect(
        VENDOR,
        lambda fault, _: judged(fault),
        elsewhere,
        lambda kind, *_: _FIXES.get(kind),
        what,
    )


DIALECT = dialect("entry", "journal entries", JOURNAL)
