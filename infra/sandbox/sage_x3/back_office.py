"""What people at the customer do inside X3: masters, orders, receipts, invoices, entries, payments, periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from . import entries, payments
from .entries import CENT, CLOSED, NO, YES
from .errors import Wrong
from .tables import TABLES, Record
from .world import World

PART, ALL = 2, 3
PENDING, LINE_CLOSED = 1, 3


# ── records ─────────────────────────────────────────────────────────────────────────────────────────────────────


def change(world: World, name: str, values: Record) -> Record:
    """Make or change a row of a table as a user does; its moment of change moves."""
    with world.lock:
        known = world.get(name, *(values[part] for part in TABLES[name].key))
        return world.put(name, values) if known is None else world.change(name, known, values)


def remove(world: World, name: str, *key: Any) -> None:
    """Delete a row for good, without a trace."""
    with world.lock:
        world.drop(name, world.find(name, *key))


# ── purchasing ──────────────────────────────────────────────────────────────────────────────────────────────────


def order(
    world: World,
    supplier: str,
    lines: Sequence[Record],
    *,
    number: str = "",
    dated: date | None = None,
    center: str = "",
    project: str = "",
) -> Record:
    """Enter an order; each line names QTYUOM and NETPRI, and columns of its price row such as ITMREF, ITMDES1, VAT.

    POPLIN steps 1000, 2000; `center` and `project` are the dimensions of the order.
    """
    with world.lock:
        party, day = world.find("BPSUPPLIER", supplier), dated or world.today()
        key = number or world.counter("POFR")
        amounts = [(line["QTYUOM"] * line["NETPRI"]).quantize(CENT) for line in lines]
        taxes = [_tax(world, line.get("VAT", ""), net) for line, net in zip(lines, amounts, strict=True)]
        net, tax = sum(amounts, Decimal(0)), sum(taxes, Decimal(0))
        head: Record = {"POHNUM": key, "POHTYP": 1, "CPY": world.company, "ORDDAT": day, "BPSNUM": supplier}
        head |= dict.fromkeys(("POHFCY", "RCPFCY", "INVFCY"), world.site)
        head |= {"BPRNAM": party["BPSNAM"], "BPSINV": supplier, "CUR": party["CUR"], "CHGTYP": 1, "PTE": party["PTE"]}
        head |= {"VACBPR": party["VACBPR"], "BUY": "BUY", "LINNBR": len(lines), "TOTORD": net, "TTVORD": net + tax}
        head |= {"TOTLINAMT": net, "TOTTAXAMT": tax, "CLEFLG": NO, "RCPFLG": 1, "INVFLG": 1, "APPFLG": 3}
        row = world.put("PORDER", head | {"DIE": ["CCT", "PRJ"], "CCE": [center, project]})
        for position, (line, value) in enumerate(zip(lines, amounts, strict=True), 1):
            _order_line(world, row, position * 1000, line, value)
        return row


def _tax(world: World, code: str, net: Decimal) -> Decimal:
    return (net * world.tax_rates.get(code, Decimal(0)) / 100).quantize(CENT)


def _order_line(world: World, head: Record, number: int, line: Record, net: Decimal) -> None:
    key: Record = {"POHNUM": head["POHNUM"], "POPLIN": number, "ITMREF": line.get("ITMREF", "")}
    price: Record = {"POPSEQ": number, "GROPRI": line["NETPRI"], "PRHFCY": head["POHFCY"]}
    price |= {name: value for name, value in line.items() if name in TABLES["PORDERP"].columns}
    world.put("PORDERP", price | key)
    unit, value = line.get("UOM", "UN"), line["QTYUOM"]
    quantity: Record = {"POQSEQ": number, "QTYUOM": value, "QTYPUU": value, "UOM": unit, "PUU": unit, "LINAMT": net}
    quantity |= {"LINATIAMT": net + _tax(world, line.get("VAT", ""), net), "EXTRCPDAT": head["ORDDAT"]}
    quantity |= {"DEMRCPDAT": head["ORDDAT"], "LINSTA": PENDING, "LINCLEFLG": NO, "LININVFLG": 1, "LINPURTYP": 1}
    quantity |= {name: value for name, value in line.items() if name in TABLES["PORDERQ"].columns}
    world.put("PORDERQ", quantity | key)


def change_order(world: World, number: str, line: int, quantity: Decimal | None, price: Decimal | None) -> Record:
    """Change quantity or price of an order line; the totals and the moment of change of the order follow."""
    with world.lock:
        head = world.find("PORDER", number)
        rows = [row for row in world.lines("PORDERQ", "PORDER", head) if row["POPLIN"] == line]
        prices = [row for row in world.lines("PORDERP", "PORDER", head) if row["POPLIN"] == line]
        if not rows or not prices:
            raise Wrong(f"Order {number} has no line {line}")
        if price is not None:
            world.change("PORDERP", prices[0], {"NETPRI": price, "GROPRI": price})
        wanted = rows[0]["QTYUOM"] if quantity is None else quantity
        net = (wanted * prices[0]["NETPRI"]).quantize(CENT)
        gross = net + _tax(world, prices[0]["VAT"], net)
        world.change("PORDERQ", rows[0], {"QTYUOM": wanted, "QTYPUU": wanted, "LINAMT": net, "LINATIAMT": gross})
        lines = world.lines("PORDERQ", "PORDER", head)
        total, with_tax = (sum((one[name] for one in lines), Decimal(0)) for name in ("LINAMT", "LINATIAMT"))
        values = {"TOTORD": total, "TOTLINAMT": total, "TTVORD": with_tax, "TOTTAXAMT": with_tax - total}
        return world.change("PORDER", head, values | {"REVNUM": head["REVNUM"] + 1})


def receive(world: World, number: str, quantities: Mapping[int, Decimal] | None = None) -> Record:
    """Receive goods of an order: line to quantity, default all that is outstanding; gives the receipt's header."""
    with world.lock:
        head = world.find("PORDER", number)
        rows = {row["POPLIN"]: row for row in world.lines("PORDERQ", "PORDER", head)}
        wanted = quantities or {line: row["QTYPUU"] - row["RCPQTYPUU"] for line, row in rows.items()}
        key, day = world.counter("RECFR"), world.today()
        common: Record = {"PTHNUM": key, "PRHFCY": head["RCPFCY"], "CPY": head["CPY"], "BPSNUM": head["BPSNUM"]}
        common |= {"RCPDAT": day}
        receipt = world.put("PRECEIPT", common | {"CUR": head["CUR"], "LINNBR": len(wanted)})
        for position, (line, value) in enumerate(wanted.items(), 1):
            row = rows[line]
            price = next(one for one in world.lines("PORDERP", "PORDER", head) if one["POPLIN"] == line)
            copied = {name: row[name] for name in ("POHNUM", "POPLIN", "POQSEQ", "ITMREF", "UOM", "PUU")}
            copied |= {"ITMDES1": price["ITMDES1"], "NETPRI": price["NETPRI"], "STU": row["UOM"]}
            copied |= {"QTYUOM": value, "QTYPUU": value, "QTYSTU": value, "PTDLIN": position * 1000}
            world.put("PRECEIPTD", common | copied)
            world.change("PORDERQ", row, {"RCPQTYPUU": row["RCPQTYPUU"] + value})
        full = all(row["RCPQTYPUU"] >= row["QTYPUU"] for row in rows.values())
        world.change("PORDER", head, {"RCPFLG": ALL if full else PART})
        return receipt


def close_order(world: World, number: str) -> Record:
    """Close an order by hand, whatever is still to come."""
    with world.lock:
        head = world.find("PORDER", number)
        for row in world.lines("PORDERQ", "PORDER", head):
            world.change("PORDERQ", row, {"LINCLEFLG": YES, "LINSTA": LINE_CLOSED})
        return world.change("PORDER", head, {"CLEFLG": YES})


# ── the general ledger ──────────────────────────────────────────────────────────────────────────────────────────


def enter(world: World, kind: str, lines: Sequence[Record], **head: Any) -> Record:
    """Key an entry in by hand: lines as ACC, SNS, AMTCUR, [BPR], [CCE: center]; `head` names columns of its header."""
    given = [_keyed(line) for line in lines]
    with world.lock:
        return entries.create(world, {"TYP": kind, "JOU": "ACH"} | head | {entries.LINES: given})


def _keyed(line: Record) -> Record:
    plain = {name: value for name, value in line.items() if name != "CCE"}
    if line.get("CCE"):
        plain[entries.SHARES] = [{"DIE": ["CCT"], "CCE": [line["CCE"]], "AMTCUR": line["AMTCUR"]}]
    return plain


def reverse(world: World, kind: str, number: str) -> Record:
    """Cancel an entry by its reversal, as X3 does with a final one: both stay, their open items close; gives it."""
    with world.lock:
        row = world.find("GACCENTRY", kind, number)
        if row["RVS"] != entries.PLAIN:
            raise Wrong(f"{kind} {number} is reversed, or a reversal")
        items = entries.open_items(world, row)
        if any(item["PAYCUR"] or item["TMPCUR"] for item in items):
            raise Wrong(f"{kind} {number} : a payment is allocated to this entry")
        lines = [_turned(world, one) for one in world.lines(entries.LINES, "GACCENTRY", row)]
        copied = {name: row[name] for name in world.reversal_copies} | {"JOU": row["JOU"], "FCY": row["FCY"]}
        copied |= {"CUR": row["CUR"], "DESVCR": f"Reversal {number}"[:30], "RVS": entries.REVERSAL}
        copied |= {"RVSORITYP": kind, "RVSORINUM": number}
        made = entries.create(world, copied | {"TYP": "RVSJE", entries.LINES: lines})
        world.change("GACCENTRY", row, {"RVS": entries.REVERSED, "RVSDAT": world.today()})
        for item in items + entries.open_items(world, made):
            world.change("GACCDUDATE", item, {"FLGCLE": CLOSED})
        return made


def _turned(world: World, line: Record) -> Record:
    shares = [
        {name: share[name] for name in ("DIE", "CCE", "AMTCUR")}
        for share in world.lines(entries.SHARES, entries.LINES, line)
    ]
    kept = {name: line[name] for name in ("LEDTYP", "ACC", "BPR", "AMTCUR", "DES")}
    return kept | {"SNS": -line["SNS"], entries.SHARES: shares}


def delete_entry(world: World, kind: str, number: str) -> None:
    """Delete a temporary entry: nothing stays of it."""
    with world.lock:
        entries.delete(world, world.find("GACCENTRY", kind, number))


def post_payment(world: World, number: str) -> Record:
    """Post an entered payment."""
    with world.lock:
        return payments.post(world, number)


def void_payment(world: World, number: str) -> Record:
    """Void a payment."""
    with world.lock:
        return payments.void(world, number)


def pay(world: World, number: str, amount: Decimal | None = None) -> Record:
    """Enter a payment of an entry by hand, of all that is open unless an amount is given."""
    with world.lock:
        item = next((one for one in world.rows("GACCDUDATE") if one["NUM"] == number), None)
        if item is None:
            raise Wrong(f"Entry {number} has no open items")
        value = item["AMTCUR"] - item["PAYCUR"] - item["TMPCUR"] if amount is None else amount
        line = {"VCRTYP": item["TYP"], "VCRNUM": number, "DUDNUM": item["ACCNUM"], "AMTLIN": value}
        head = {"PAYTYP": "VIRMT", "BPR": item["BPR"], "BAN": "BNK01", "FCY": item["FCY"], "CUR": item["CUR"]}
        return payments.create(world, head | {"AMTCUR": value, payments.LINES: [line]})


# ── the company ─────────────────────────────────────────────────────────────────────────────────────────────────


def add_chart(world: World, chart: str, ledger: int = 3) -> None:
    """Give the folder a second chart with the same accounts, for another ledger that follows the first one."""
    with world.lock:
        for row in world.rows("GACCOUNT"):
            world.put("GACCOUNT", row | {"COA": chart, "AUUID": ""})
        world.ledgers[ledger] = chart


def close_period(world: World, month: str) -> None:
    """Close a month, such as "2026-03", for every posting."""
    world.closed_periods.add(month)


def reopen_period(world: World, month: str) -> None:
    """Open a month again."""
    world.closed_periods.discard(month)
