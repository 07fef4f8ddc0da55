"""Payments: entered, then posted step by step; a clerk posts and voids them (dossier D)."""

from __future__ import annotations

from decimal import Decimal

from . import entries
from .entries import CENT, CLOSED, NO, OPEN, YES
from .errors import Wrong
from .tables import Record
from .world import World

ENTERED, POSTED, VOIDED = 1, 9, 10
"""STA of a payment; the numbers between are steps of bank files that this folder leaves out (inferred)."""
LINES, ITEMS = "PAYMENTD", "GACCDUDATE"
PAYABLE, BANK = "401100", "512000"


def create(world: World, document: Record) -> Record:
    """Enter a payment: TMPCUR of its open items grows, and nothing is booked; raises `Wrong`."""
    head = {name: value for name, value in document.items() if name != LINES}
    kind, bank, supplier = head.get("PAYTYP", ""), head.get("BAN", ""), head.get("BPR", "")
    for code, known, what in (
        (kind, world.payment_types, "Payment type"),
        (bank, world.banks, "Bank"),
        (supplier, world.tables["BPSUPPLIER"], "BP"),
    ):
        if (code not in known) if what != "BP" else (world.get("BPSUPPLIER", code) is None):
            raise Wrong(f"{what} {code or '(blank)'} : Record does not exist")
    if head.get("NUM"):
        raise Wrong("NUM : numbers are given by the counter")
    site = head.get("FCY") or world.site
    if site not in world.sites or head.get("CPY") not in (None, "", world.sites[site]):
        raise Wrong(f"Site {site} : Record does not exist in this company")
    currency, amount = head.get("CUR") or world.currency, Decimal(head.get("AMTCUR", 0))
    if amount <= 0 or amount != amount.quantize(CENT):
        raise Wrong(f"AMTCUR {amount} : Incorrect amount")
    lines = [_line(world, line, world.sites[site], supplier, currency) for line in document.get(LINES) or []]
    if lines and sum((line["AMTLIN"] for line, _ in lines), Decimal(0)) != amount:
        raise Wrong("The lines do not add up to the payment")
    return _book(world, head | {"FCY": site, "CPY": world.sites[site], "CUR": currency, "AMTCUR": amount}, lines)


def _line(world: World, line: Record, company: str, supplier: str, currency: str) -> tuple[Record, Record]:
    """Check one line; gives it with the open item that it pays."""
    found = [
        item
        for item in world.rows(ITEMS)
        if item["NUM"] == line.get("VCRNUM")
        and line.get("VCRTYP") in (None, "", item["TYP"])
        and line.get("DUDNUM") in (None, 0, item["ACCNUM"])
    ]
    if len(found) != 1:
        raise Wrong(f"Entry {line.get('VCRNUM') or '(blank)'} : {'several' if found else 'no'} open items")
    item, amount = found[0], Decimal(line.get("AMTLIN", 0))
    if item["CPY"] != company or item["BPR"] != supplier or item["CUR"] != currency:
        raise Wrong(f"Entry {item['NUM']} is of another company, BP or currency")
    if amount <= 0 or amount > item["AMTCUR"] - item["PAYCUR"] - item["TMPCUR"]:
        raise Wrong(f"Entry {item['NUM']} : {amount} is more than is open")
    link = {"VCRTYP": item["TYP"], "DUDNUM": item["ACCNUM"], "DUDLIG": item["DUDLIG"], "CURLIN": item["CUR"]}
    return line | link | {"AMTLIN": amount, "BPRLIN": item["BPR"]}, item


def _book(world: World, head: Record, lines: list[tuple[Record, Record]]) -> Record:
    given = {name: value for name, value in head.items() if value not in ("", None, 0)}
    fixed = {"NUM": world.counter("PAY"), "ACCDAT": head.get("ACCDAT") or world.today(), "STA": ENTERED}
    row = world.put("PAYMENTH", {"APPFLG": NO} | given | fixed)
    for number, (line, item) in enumerate(lines, 1):
        values = {name: value for name, value in line.items() if name not in ("$uuid", "NUM")}
        world.put(LINES, values | {"NUM": row["NUM"], "LIN": number})
        world.change(ITEMS, item, {"TMPCUR": item["TMPCUR"] + line["AMTLIN"]})
    return row


def imported(world: World, document: Record) -> Record:
    """Enter a payment of a file: its approval is 1 yes, 2 no; some types take none that is not approved."""
    approved = document.pop("APPFLG", 0) == 1
    kind = document.get("PAYTYP", "")
    if kind in world.payment_types and not world.payment_types[kind] and not approved:
        raise Wrong(f"Payment type {kind} needs no approval: a payment that is not approved is not imported")
    needs = world.payment_types.get(kind, False)
    return create(world, document | {"APPFLG": NO if needs else YES})


def post(world: World, number: str) -> Record:
    """Post a payment, as a clerk does by its steps: the entry is made, TMPCUR becomes PAYCUR; gives the payment."""
    row = world.find("PAYMENTH", number)
    if row["STA"] != ENTERED:
        raise Wrong(f"Payment {number} is not entered")
    common = {"SNS": 1, "ACC": PAYABLE, "BPR": row["BPR"], "AMTCUR": row["AMTCUR"]}
    lines = [common, {"SNS": -1, "ACC": BANK, "AMTCUR": row["AMTCUR"]}]
    head = {"TYP": "PAYMT", "JOU": "BAN", "FCY": row["FCY"], "CUR": row["CUR"], "REF": number, entries.LINES: lines}
    entries.create(world, head)
    for line, item in _paid(world, row):
        paid = item["PAYCUR"] + line["AMTLIN"]
        values = {"PAYCUR": paid, "TMPCUR": item["TMPCUR"] - line["AMTLIN"], "PAYDAT": world.today()}
        values |= {"FLGCLE": CLOSED if paid >= item["AMTCUR"] else OPEN}
        world.change(ITEMS, item, values)
    return world.change("PAYMENTH", row, {"STA": POSTED, "APPFLG": YES})


def void(world: World, number: str) -> Record:
    """Void a payment, before it is posted or after: its open items are open again; gives the payment."""
    row = world.find("PAYMENTH", number)
    if row["STA"] == VOIDED:
        raise Wrong(f"Payment {number} is void already")
    column = "PAYCUR" if row["STA"] == POSTED else "TMPCUR"
    for line, item in _paid(world, row):
        world.change(ITEMS, item, {column: item[column] - line["AMTLIN"], "FLGCLE": OPEN})
    for entry in [one for one in world.rows("GACCENTRY") if one["TYP"] == "PAYMT" and one["REF"] == number]:
        world.change("GACCENTRY", entry, {"RVS": entries.REVERSED})
        lines = [
            {"SNS": -one["SNS"], "ACC": one["ACC"], "BPR": one["BPR"], "AMTCUR": one["AMTCUR"]}
            for one in world.lines(entries.LINES, "GACCENTRY", entry)
            if one["LEDTYP"] == next(iter(world.ledgers))
        ]
        head = {"TYP": "PAYMT", "JOU": "BAN", "FCY": row["FCY"], "CUR": row["CUR"], "REF": number}
        entries.create(world, head | {"RVS": entries.REVERSAL, entries.LINES: lines})
    return world.change("PAYMENTH", row, {"STA": VOIDED})


def _paid(world: World, row: Record) -> list[tuple[Record, Record]]:
    lines = world.lines(LINES, "PAYMENTH", row)
    return [(line, world.find(ITEMS, line["DUDNUM"], line["DUDLIG"])) for line in lines]
