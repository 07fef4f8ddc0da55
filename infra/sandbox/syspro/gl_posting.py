"""GENTJL: journals of the general ledger, in local currency; nothing guards against posting one twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from . import periods
from .errors import PERIOD, SUM, blank, wrong
from .items import (
    COMMON,
    Known,
    Outcome,
    Parameters,
    amount,
    complaint,
    day,
    items,
    letter,
    parameters,
    run,
    status,
)
from .ledger import Entry, account, analysis, journal
from .markup import Node, document, element
from .world import World

ROOT, LINE, SOURCE = "PostGlJournal", "JournalDetails", "GL"
KNOWN: Known = COMMON | {
    "ActionType": ("A", "AM"),
    "ValidatePasswords": ("Y", "YN"),
    "IgnoreAnalysis": ("Y", "YN"),
}


@dataclass
class Draft:
    """A journal that may be posted."""

    month: str
    dated: str
    entries: list[Entry]
    held: bool


def post(world: World, parameters_xml: str, document_xml: str) -> str:
    """Post journals, as their parameters say."""
    options = parameters(parameters_xml, ROOT, KNOWN)
    found = run(world, items(document_xml, ROOT), options, lambda node: _outcome(world, node, options))
    counts = {
        "JournalsProcessed": sum(one.applied for one in found),
        "PostingsProcessed": sum(one.applied for one in found),
        "PostingsInvalid": sum(bool(one.complaints) for one in found),
    }
    body = [
        element(
            "Item",
            one.answer,
            element("ItemNumber", text=f"{number:0{world.digits}d}"),
            [complaint(world, what) for what in one.complaints],
        )
        for number, one in enumerate(found, 1)
    ]
    clean = not any(one.complaints for one in found)
    return document(ROOT.lower(), world.version, body, status(world, counts, clean))


def _outcome(world: World, node: Node, options: Parameters) -> Outcome:
    draft = check(world, node, options)
    return Outcome(partial(_answered, world, draft))


def check(world: World, node: Node, options: Parameters) -> Draft:
    """Check one journal; refuses it with the first thing that is wrong."""
    if options["ActionType"] == "M":
        raise wrong("ActionType", "M", "Journals of this company cannot be maintained, only added")
    kind = letter(node, "JournalType", "NPUSLAIE", "N")
    if node.get("Currency") and kind != "L":
        raise wrong("Currency", node.get("Currency"), "A currency is allowed for journal type L only")
    dated = day(node, "JournalDate") or world.today().isoformat()
    month = _period(world, node)
    reference = node.get("JournalReference")
    lines = node.all(LINE)
    if not lines:
        raise blank("LedgerCode", LINE)
    entries = [_entry(world, line, options, reference, dated) for line in lines]
    total = sum(entry.value for entry in entries)
    if total:
        raise wrong("EntryAmount", str(total), f"Journal is out of balance by {total}", SUM, LINE)
    held = node.get("HoldJournal") == "Y" or letter(node, "PostJournal", "YN", "Y") == "N"
    return Draft(month, dated, entries, held)


def _period(world: World, node: Node) -> str:
    """The month of period and year; no future one, and none before the year that went before (or blank: current)."""
    current = world.current_period
    year = _number(node, "PostingYear", 1900, 2199) or int(current[:4])
    period = _number(node, "PostingPeriod", 1, 12) or int(current[5:])
    month = periods.month_of(date(year, period, 1))
    if month > current or year < int(current[:4]) - 1:
        raise wrong("PostingPeriod", month, f"Period {month} is in the future, or before the previous year", PERIOD)
    if month in world.closed_periods:
        raise wrong("PostingPeriod", month, f"Posting period {month} is not open for posting", PERIOD)
    return month


def _number(node: Node, name: str, least: int, most: int) -> int:
    text = node.get(name)
    if not text:
        return 0
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or not least <= int(text) <= most:
        raise wrong(name, text, f"'{text}' is not between {least} and {most}", PERIOD)
    return int(text)


def _entry(world: World, node: Node, options: Parameters, reference: str, dated: str) -> Entry:
    code = account(world, node, LINE, "LedgerCodePassword")
    value = amount(node, "EntryAmount", LINE)
    analysis(world, node, code, value, LINE, "AnalysisEntry", ignored=options["IgnoreAnalysis"] == "Y")
    own = node.get("Reference", reference)
    return Entry(code, value, own, node.get("Comment"), day(node, "Date", LINE) or dated)


def _answered(world: World, draft: Draft) -> str:
    """Book a journal; one that is held, or not to be posted, waits where no table of this company shows it."""
    number = world.number("gl-held", 90001) if draft.held else journal(world, draft.month, SOURCE, draft.entries)
    year, period = periods.split(draft.month)
    debits = sum((entry.value for entry in draft.entries if entry.value > 0), Decimal(0))
    key = {"GlYear": str(year), "GlPeriod": f"{period:02d}", "GlJournal": f"{number:>10}"}
    told = {
        "JournalDate": draft.dated,
        "NumOfEntries": f"{len(draft.entries):>6}",
        "DebitAmount": f"{debits:>18.2f}",
        "CreditAmount": f"{debits:>18.2f}",
        "Jnlstatus": "H" if draft.held else "P",
        "Authorised": "Y",
    }
    inner = element("Key", [element(name, text=text) for name, text in key.items()])
    return element("Transaction", inner, [element(name, text=text) for name, text in told.items()])
