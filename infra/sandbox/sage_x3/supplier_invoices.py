"""Supplier invoices that people key in: those of a BP (BPSINVLIG) and those of purchasing (PINVOICED) (dossier C)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from . import entries, payments
from .entries import CENT, NO
from .errors import Wrong
from .tables import Record
from .world import World

VAT_ACCOUNT = "445660"
PENDING, POSTED = 1, 3
"""STA of an invoice; 3 is what a client has seen, 1 is inferred."""
_MODULES = {"BIS": 4, "PIH": 6}
"""ORIMOD of each kind (inferred)."""


@dataclass(frozen=True)
class Line:
    """A line: net amount and account; a purchase invoice names its order, and its account only in the journal."""

    account: str
    net: Decimal
    tax: str = ""
    center: str = ""
    text: str = ""
    order: str = ""
    order_line: int = 0
    quantity: Decimal = Decimal(1)
    item: str = ""


def enter(
    world: World,
    supplier: str,
    source: str,
    lines: Sequence[Line],
    *,
    kind: str = "BIS",
    number: str = "",
    dated: date | None = None,
    credit: bool = False,
    posted: bool = True,
) -> Record:
    """Key in an invoice, or a credit memo, and post it; gives its header. `source` is the supplier's own number."""
    with world.lock:
        party = world.find("BPSUPPLIER", supplier)
        day = dated or world.today()
        taxes = [(line.net * world.tax_rates.get(line.tax, Decimal(0)) / 100).quantize(CENT) for line in lines]
        net, tax = sum((line.net for line in lines), Decimal(0)), sum(taxes, Decimal(0))
        head: Record = {"NUM": number or world.counter(kind), "PIVTYP": "PIINV", "INVTYP": 2 if credit else 1}
        head |= {"BPR": supplier, "CPY": world.company, "FCY": world.site, "ACCDAT": day, "BPRDAT": day}
        head |= {"BPRVCR": source, "CUR": party["CUR"], "CURTYP": 1, "RATDAT": day, "RATMLT": world.rates[party["CUR"]]}
        head |= {"BPRPAY": party["BPRPAY"] or supplier, "STRDUDDAT": day, "PTE": party["PTE"], "VAC": party["VACBPR"]}
        head |= {"BPRSAC": "401", "AMTNOT": net, "AMTTAX": tax, "AMTATI": net + tax, "PAZ": world.pay_approval}
        row = world.put("PINVOICE", head | {"STA": PENDING, "ORIMOD": _MODULES[kind]})
        for position, (line, share) in enumerate(zip(lines, taxes, strict=True), 1):
            (_coded if kind == "BIS" else _bought)(world, row, position, line, share)
        return post(world, row["NUM"], lines) if posted else row


def _coded(world: World, head: Record, position: int, line: Line, tax: Decimal) -> None:
    charts = list(world.ledgers.values())
    common = {"NUM": head["NUM"], "LIG": position * 1000}
    world.put(
        "BPSINVLIG",
        {
            **common,
            "FCYLIN": head["FCY"],
            "COA": charts,
            "ACC": [line.account] * len(charts),
            "DES": line.text,
            "AMTNOTLIN": line.net,
            "AMTVAT": tax,
            "AMTATILIN": line.net + tax,
            "VAT": line.tax,
            "QTY": line.quantity,
        },
    )
    if line.center:
        share = {"ANALIG": 1, "DIE": ["CCT"], "CCE": [line.center], "AMT": line.net, "QTY": line.quantity}
        world.put("BPSINVLIGA", common | share)


def _bought(world: World, head: Record, position: int, line: Line, tax: Decimal) -> None:
    values: Record = {"NUM": head["NUM"], "PIDLIN": position * 1000, "PIVTYP": head["PIVTYP"], "BPR": head["BPR"]}
    values |= {"POHNUM": line.order, "POPLIN": line.order_line, "NUMORI": line.order, "LINORI": line.order_line}
    values |= {"ITMREF": line.item, "ITMDES1": line.text, "QTYUOM": line.quantity, "UOM": "UN", "CPY": head["CPY"]}
    price = (line.net / line.quantity).quantize(Decimal("0.0001"))
    values |= {"NETPRI": price, "GROPRI": price, "AMTNOTLIN": line.net, "AMTATILIN": line.net + tax, "VAT": line.tax}
    world.put("PINVOICED", values | {"TYPORI": 2 if line.order else 1})


def post(world: World, number: str, lines: Sequence[Line]) -> Record:
    """Post an invoice: an entry with its number, whose line of the supplier is the open item; gives the header."""
    row = world.find("PINVOICE", number)
    if row["STA"] == POSTED:
        raise Wrong(f"Invoice {number} is posted already")
    sign = -1 if row["INVTYP"] == 2 else 1
    made: list[Record] = [
        {
            "SNS": sign,
            "ACC": line.account,
            "AMTCUR": line.net,
            "DES": line.text,
            **({entries.SHARES: [{"DIE": ["CCT"], "CCE": [line.center], "AMTCUR": line.net}]} if line.center else {}),
        }
        for line in lines
    ]
    if row["AMTTAX"]:
        made.append({"SNS": sign, "ACC": VAT_ACCOUNT, "AMTCUR": row["AMTTAX"]})
    made.append({"SNS": -sign, "ACC": payments.PAYABLE, "BPR": row["BPR"], "AMTCUR": row["AMTATI"]})
    due = row["STRDUDDAT"] + timedelta(days=world.terms.get(row["PTE"], 0))
    head = {"TYP": "PIINV", "NUM": number, "JOU": "ACH", "FCY": row["FCY"], "CUR": row["CUR"], "ACCDAT": row["ACCDAT"]}
    head |= {"BPRVCR": row["BPRVCR"], "BPRDATVCR": row["BPRDAT"], "DUDDAT": due, "FLGPAZ": row["PAZ"] or NO}
    entries.create(world, head | {entries.LINES: made})
    return world.change("PINVOICE", row, {"STA": POSTED})
