"""What Sage X3's refusals mean; how they look is `kit/sdata`'s."""

from __future__ import annotations

import re

from ml_connector.errors import ConnectorError, Misconfigured, Transient
from ml_connector.flow import Prepared
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.faults import Dialect, Fault, fixes, patterns, spoken_of
from ml_connector.systems.sage_x3.entities import Entity

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
        return Transient(f"{VENDOR} did not give {asked}: {fault}. It is asked again later.")
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


def _elsewhere(fault: Fault, _: Prepared) -> ConnectorError | None:
    """Find causes that no correction of an invoice would fix: a lock, a right, a gateway, a class that takes none."""
    if of_gateway(fault):
        return unproven(VENDOR, "a new entry", fault, safe=False)
    if _LOCKED.search(fault.text):
        return Transient(f"{VENDOR} did not take an entry at this time: {fault}. It is tried again by itself.")
    if fault.status == 403:
        return Misconfigured(
            f"{VENDOR} does not let this user enter journal entries: {fault}. Give the user's profile the right to."
        )
    if fault.status >= 300 and _CLOSED.search(fault.text):
        return Misconfigured(
            f"{VENDOR} does not let journal entries be created this way: {fault}. Name a class and representation "
            "with a $create facet in 'classes.journal', or set 'write_via' to soap."
        )
    return None


_CLOSED = re.compile(
    r"representation|facet|\bclass\b|read.?only|unknown property|not allowed|unexpected", re.IGNORECASE
)
DIALECT: Dialect[Fault] = Dialect(
    VENDOR,
    lambda fault, _: spoken_of(fault, {}, _SPOKEN, VENDOR),
    _elsewhere,
    lambda kind, *_: _FIXES.get(kind),
    "entry",
)
