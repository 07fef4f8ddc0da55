"""Journal entries of the general ledger: what X3 demands of one, and what it makes of it (dossier 2, 7, E, G)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from .errors import Wrong
from .tables import Record
from .world import World

NO, YES = 1, 2
OPEN, CLOSED = 1, 2
TEMPORARY, FINAL = 1, 2
DIRECT, IMPORTED = 1, 3
PLAIN, REVERSAL, REVERSED = 1, 2, 3
CENT = Decimal("0.01")
MOST_LINES = 9_999
LINES, SHARES = "GACCENTRYD", "GACCENTRYA"


def create(world: World, document: Record, origin: int = DIRECT) -> Record:
    """Check a document (header with its lines in `GACCENTRYD`, theirs in `GACCENTRYA`), and book it; gives the header.

    Raises `Wrong` with the first thing that is wrong; then nothing is booked.
    """
    head = _header(world, document, origin)
    lines = _lines(world, head, document.get(LINES) or [])
    _balanced(lines)
    return book(world, head, lines)


def _header(world: World, document: Record, origin: int) -> Record:
    head = {name: value for name, value in document.items() if name != LINES}
    kind, site = head.get("TYP", ""), head.get("FCY", "") or world.site
    _known(kind, world.entry_types, "Entry type")
    _known(site, world.sites, "Site")
    company = world.sites[site]
    if head.get("CPY") not in (None, "", company):
        raise Wrong(f"Site {site} does not belong to company {head['CPY']}")
    journal = head.get("JOU") or "OD"
    _known(journal, world.journals, "Journal")
    currency = head.get("CUR") or world.currency
    _known(currency, world.rates, "Currency")
    number = head.get("NUM", "")
    if number and world.get("GACCENTRY", kind, number):
        raise Wrong(f"{kind} {number} : Record already exists")
    day = _period(world, head.get("ACCDAT") or world.today())
    _unique(world, head, document)
    defaults = {"ENTDAT": day, "RATDAT": day, "CAT": 1, "TYPRAT": 1, "FLGPAZ": world.pay_approval, "DACDIA": "STD"}
    given = {name: value for name, value in head.items() if value not in ("", None, 0)}
    fixed = {"FCY": site, "CPY": company, "JOU": journal, "CUR": currency, "ACCDAT": day, "ORIGIN": origin}
    fixed |= {"STA": world.entry_types[kind], "RVS": head.get("RVS") or PLAIN, "FIY": day.year, "PER": day.month}
    if given.get("FLGPAZ", 1) not in range(1, 5):
        raise Wrong("FLGPAZ : Incorrect value")
    return defaults | {"RATMLT": world.rates[currency], "ORIMOD": 1} | given | fixed


def _known(code: str, known: Any, what: str) -> None:
    if code not in known:
        raise Wrong(f"{what} {code or '(blank)'} : Record does not exist")


def _period(world: World, day: date) -> date:
    if day.year > world.today().year + 1 or day.year < world.today().year - 3:
        raise Wrong(f"{day} : No fiscal year")
    moved = day
    while f"{moved:%Y-%m}" in world.closed_periods:
        if world.closed_period == "refuse":
            raise Wrong(f"{day} : Period {day:%m/%Y} is closed")
        moved = (moved.replace(day=1) + timedelta(days=32)).replace(day=1)
    return moved


def _unique(world: World, head: Record, document: Record) -> None:
    """Refuse a source document that a partner has used already, where the folder is set up so."""
    number = head.get("BPRVCR", "")
    if not world.strict_source_document or not number or head.get("RVS", PLAIN) != PLAIN:
        return
    partners = {line.get("BPR") for line in document.get(LINES) or []} - {"", None}
    for row in world.rows("GACCENTRY"):
        same = row["BPRVCR"] == number and row["RVS"] == PLAIN
        if same and partners & {line["BPR"] for line in world.lines(LINES, "GACCENTRY", row)}:
            raise Wrong(f"Source document {number} already exists for this BP")


def _lines(world: World, head: Record, given: list[Record]) -> list[Record]:
    if len(given) < 2 or len(given) > MOST_LINES:
        raise Wrong(f"An entry has 2 to {MOST_LINES} lines, not {len(given)}")
    first = next(iter(world.ledgers))
    entered = [_line(world, head, line, line.get("LEDTYP") or first) for line in given]
    done = {line["LEDTYP"] for line in entered}
    followed = [
        copy
        for ledger, chart in world.ledgers.items()
        if ledger not in done
        for line in entered
        if line["LEDTYP"] == first
        for copy in [line | {"LEDTYP": ledger, "COA": chart}]
        if world.get("GACCOUNT", chart, line["ACC"])
    ]
    found = entered + followed
    counts: dict[int, int] = defaultdict(int)
    for line in found:
        counts[line["LEDTYP"]] += 1
        line["LIN"] = counts[line["LEDTYP"]]
    return found


def _line(world: World, head: Record, given: Record, ledger: int) -> Record:
    _known(ledger, world.ledgers, "Ledger type")  # type: ignore[arg-type]
    chart = world.ledgers[ledger]
    if given.get("COA") not in (None, "", chart):
        raise Wrong(f"Chart of accounts {given['COA']} is not that of the ledger")
    account = world.get("GACCOUNT", chart, given.get("ACC", ""))
    if account is None:
        raise Wrong(f"Account {chart} {given.get('ACC', '')} : Record does not exist")
    if account["ENAFLG"] != YES:
        raise Wrong(f"Account {account['ACC']} is not active")
    site = given.get("FCYLIN") or head["FCY"]
    if world.sites.get(site) != head["CPY"]:
        raise Wrong(f"Site {site} does not belong to company {head['CPY']}")
    if given.get("CUR") not in (None, "", head["CUR"]):
        raise Wrong("The currency of a line is that of the entry")
    amount, sign = Decimal(given.get("AMTCUR", 0)), given.get("SNS", 0)
    if sign not in (1, -1):
        raise Wrong("SNS : 1 or -1 expected")
    _money(amount, head["CUR"])
    if given.get("TAX"):
        _known(given["TAX"], world.tax_rates, "Tax")
    partner = _partner(world, account, given)
    line = {name: value for name, value in given.items() if name not in (SHARES, "LIN")}
    line |= {"LEDTYP": ledger, "COA": chart, "FCYLIN": site, "CPY": head["CPY"], "CUR": head["CUR"], "SNS": sign}
    line |= {"AMTCUR": amount, "AMTLED": round(amount * Decimal(head["RATMLT"]), 2), "SAC": account["SAC"]}
    line |= {"BPR": partner, "ACCDAT": head["ACCDAT"], SHARES: _shares(world, account, amount, given)}
    return line


def _money(amount: Decimal, currency: str) -> None:
    if amount < 0:
        raise Wrong(f"AMTCUR {amount} : an amount is not below zero, its sign is in SNS")
    if amount != amount.quantize(CENT):
        raise Wrong(f"AMTCUR {amount} : too many decimals for {currency}")


def _partner(world: World, account: Record, given: Record) -> str:
    partner = str(given.get("BPR") or "")
    if given.get("SAC") not in (None, "", account["SAC"]):
        raise Wrong(f"Control account {given['SAC']} is not that of account {account['ACC']}")
    if not account["SAC"]:
        if partner:
            raise Wrong(f"Account {account['ACC']} is no control account: no BP can be entered")
        return ""
    if not partner:
        raise Wrong(f"Account {account['ACC']} is a control account: BP mandatory")
    supplier = world.get("BPSUPPLIER", partner)
    if supplier is None:
        raise Wrong(f"BP {partner} : Record does not exist")
    if supplier["ENAFLG"] != YES:
        raise Wrong(f"BP {partner} is not active")
    return partner


def _shares(world: World, account: Record, amount: Decimal, given: Record) -> list[Record]:
    """Check the dimensions of a line: for each type that is used, the shares add up to the line."""
    found, sums = [], defaultdict(Decimal)  # type: ignore[var-annotated]
    for number, share in enumerate(given.get(SHARES) or [], 1):
        pairs = [(kind, code) for kind, code in zip(share.get("DIE", []), share.get("CCE", []), strict=False) if code]
        value = Decimal(share.get("AMTCUR", amount))
        for kind, code in pairs:
            center = world.get("CACCE", kind, code)
            if center is None:
                raise Wrong(f"Dimension {kind} {code} : Record does not exist")
            if center["ENAFLG"] != YES:
                raise Wrong(f"Dimension {kind} {code} is not active")
            sums[kind] += value
        found.append({"ANALIN": number, "DIE": [k for k, _ in pairs], "CCE": [c for _, c in pairs], "AMTCUR": value})
    for kind in world.mandatory.get(account["ACC"], []):
        if kind not in sums:
            raise Wrong(f"Account {account['ACC']} : dimension {kind} is mandatory")
    for kind, total in sums.items():
        if total != amount:
            raise Wrong(f"Distribution of {kind} is {total}, and the line {amount}")
    return found


def _balanced(lines: list[Record]) -> None:
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[line["LEDTYP"]] += line["SNS"] * line["AMTCUR"]
    for ledger, total in sums.items():
        if total:
            raise Wrong(f"Entry not balanced in ledger {ledger}: {total}")


def book(world: World, head: Record, lines: list[Record]) -> Record:
    """Write a checked entry with its number, its lines and its open items; gives the header."""
    head["NUM"] = head.get("NUM") or world.counter(head["TYP"])
    row = world.put("GACCENTRY", head)
    key = {"TYP": row["TYP"], "NUM": row["NUM"]}
    for line in lines:
        shares = line.pop(SHARES, [])
        made = world.put(LINES, line | key | {"ACCNUM": world.number("accnum", 81001)})
        for share in shares:
            world.put(SHARES, share | key | {"LIN": made["LIN"], "LEDTYP": made["LEDTYP"]})
        if made["BPR"] and made["LEDTYP"] == next(iter(world.ledgers)) and row["TYP"] != "PAYMT":
            _open_item(world, row, made)
    return row


def _open_item(world: World, head: Record, line: Record) -> None:
    world.put(
        "GACCDUDATE",
        {
            **{name: head[name] for name in ("TYP", "NUM", "CPY", "FCY", "CUR", "FLGPAZ")},
            **{name: line[name] for name in ("ACCNUM", "SAC", "BPR", "SNS", "AMTCUR")},
            "DUDLIG": 1,
            "BPRTYP": 2,
            "DUDDAT": head["DUDDAT"] or head["ACCDAT"],
            "AMTLOC": line["AMTLED"],
            "FLGCLE": OPEN,
        },
    )


def change(world: World, row: Record, values: Record) -> Record:
    """Change a header; of a final entry only texts and references."""
    free = {"DESVCR", "REF", "REFINT", "FLGPAZ", "FLGFUP"} | (
        {"BPRVCR", "DUDDAT"} if row["STA"] == TEMPORARY else set()
    )
    for name, value in values.items():
        if name == LINES or (name not in free and value != row[name]):
            raise Wrong(f"{name} cannot be changed in this entry")
    return world.change("GACCENTRY", row, {name: value for name, value in values.items() if name in free})


def delete(world: World, row: Record) -> None:
    """Delete a temporary entry with its open items; a final one stays."""
    if row["STA"] != TEMPORARY:
        raise Wrong(f"{row['TYP']} {row['NUM']} is final and cannot be deleted")
    for item in open_items(world, row):
        if item["PAYCUR"] or item["TMPCUR"]:
            raise Wrong("A payment is allocated to this entry")
        world.drop("GACCDUDATE", item)
    world.drop("GACCENTRY", row)


def open_items(world: World, row: Record) -> list[Record]:
    """The open items of an entry."""
    return [item for item in world.rows("GACCDUDATE") if (item["TYP"], item["NUM"]) == (row["TYP"], row["NUM"])]
