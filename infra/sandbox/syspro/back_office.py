"""What people at the customer do inside SYSPRO, without e.net: orders, receipts, invoices, payments, periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from . import ap_posting, gl_posting, periods
from .ap_posting import KNOWN, book, restate
from .errors import ItemRefused, Refusal
from .ledger import Entry, cents, journal
from .markup import Node
from .tables import TABLES, Record
from .world import World

OPEN, COMPLETE, CANCELLED = "1", "9", "*"


# ── records ─────────────────────────────────────────────────────────────────────────────────────────────────────


def change(world: World, name: str, values: Record) -> Record:
    """Make or change a row of any table as a user does; its rowversion moves."""
    return world.upsert(name, values)


def remove(world: World, name: str, *key: object) -> None:
    """Delete a row for good, without a trace."""
    with world.lock:
        row = world.find(name, *key)
        tables = world.accounts() if name == "GenMaster" else world.tables[name]
        del tables[TABLES[name].key_of(row)]


def respell_currency(world: World, old: str, new: str) -> None:
    """Give a currency another code, such as "$", everywhere."""
    with world.lock:
        world.local_currency = new if world.local_currency == old else world.local_currency
        world.rates = {new if code == old else code: rate for code, rate in world.rates.items()}
        for table, column in (
            ("ApSupplier", "Currency"),
            ("PorMasterHdr", "Currency"),
            ("ApInvoice", "Currency"),
            ("GrnDetails", "PostCurrency"),
        ):
            for row in world.rows(table):
                if row[column] == old:
                    row[column] = new
                    world.stamp(row)


# ── purchasing ──────────────────────────────────────────────────────────────────────────────────────────────────


def order(world: World, supplier: str, lines: Sequence[Record], *, number: str = "", dated: str = "") -> Record:
    """Enter an order; each line names columns of PorMasterDetail, such as MStockCode, MOrderQty, MPrice, MGlCode.

    MPrice is given in the supplier's currency; it is kept in local currency, and as given in MForeignPrice.
    """
    with world.lock:
        party = world.find("ApSupplier", supplier)
        day = dated or world.today().isoformat()
        key = number or f"{world.number('order', 100001):015d}"
        currency = party["Currency"] or world.local_currency
        header = world.put(
            "PorMasterHdr",
            {
                "PurchaseOrder": key,
                "NextDetailLine": len(lines) + 1,
                "OrderStatus": OPEN,
                "ActiveFlag": "Y",
                "CancelledFlag": "N",
                "Supplier": party["Supplier"],
                "OrderEntryDate": day,
                "OrderDueDate": day,
                "OrderType": "L",
                "Warehouse": "01",
                "Currency": currency,
                "MulDiv": "M",
                "ExchangeRate": world.rates.get(currency, Decimal(1)),
                "TermsCode": party["TermsCode"],
                "Buyer": "BUY",
            },
        )
        for position, line in enumerate(lines, 1):
            plain: Record = {"LineType": "1", "MWarehouse": "01", "MOrderUom": "EA", "MPriceUom": "EA"}
            row = plain | {"MLatestDueDate": day, "MOrigDueDate": day} | line
            row["MForeignPrice"] = line.get("MPrice", Decimal(0))
            row["MPrice"] = round(row["MForeignPrice"] * header["ExchangeRate"], 5)
            world.put("PorMasterDetail", row | {"PurchaseOrder": key, "Line": position})
        return header


def lines_of(world: World, number: str) -> list[Record]:
    """The lines of an order, by line."""
    rows = [row for row in world.rows("PorMasterDetail") if row["PurchaseOrder"] == number]
    return sorted(rows, key=lambda row: row["Line"])


def receive(world: World, number: str, quantities: Mapping[int, Decimal] | None = None) -> list[Record]:
    """Receive goods of an order: line to quantity (negative: given back), default all that is outstanding.

    Gives the goods received notes, one for each line of the receipt, or the rows of the receipt history.
    """
    with world.lock:
        header = world.find("PorMasterHdr", number)
        rows = {row["Line"]: row for row in lines_of(world, header["PurchaseOrder"]) if row["LineType"] != "6"}
        wanted = (
            quantities
            if quantities is not None
            else {line: row["MOrderQty"] - row["MReceivedQty"] for line, row in rows.items()}
        )
        grn, entry = f"P{world.number('grn', 13151):08d}", world.number("grn-journal", 501)
        made = []
        for position, (line, quantity) in enumerate(((n, q) for n, q in wanted.items() if q), 1):
            row, day = rows[line], world.today().isoformat()
            row["MReceivedQty"] += quantity
            row |= {"MLastReceiptDat": day, "MCompleteFlag": "Y" if row["MReceivedQty"] >= row["MOrderQty"] else ""}
            world.stamp(row)
            made.append(_note(world, header, row, quantity, grn, entry, position))
        if world.receipts_complete_orders and all(row["MCompleteFlag"] == "Y" for row in rows.values()):
            complete(world, number)
        return made


def _note(world: World, header: Record, row: Record, quantity: Decimal, grn: str, number: int, line: int) -> Record:
    today = world.today()
    if not world.grn_system:
        return world.put(
            "PorHistReceipt",
            {
                "PurchaseOrder": header["PurchaseOrder"],
                "PurchaseOrderLin": row["Line"],
                "Number": world.number("receipt"),
                "DateReceived": today.isoformat(),
                "QtyReceived": quantity,
                "PriceReceived": row["MPrice"],
                "Reference": grn,
            },
        )
    return world.put(
        "GrnDetails",
        {
            "Supplier": header["Supplier"],
            "Grn": grn,
            "GrnSource": "G",
            "Journal": number,
            "JournalEntry": line,
            "DebitRecGlCode": row["MGlCode"],
            "OrigGrnValue": cents(quantity * row["MForeignPrice"]),
            "PurchaseOrder": header["PurchaseOrder"],
            "PurchaseOrderLin": row["Line"],
            "StockCode": row["MStockCode"],
            "StockDescription": row["MStockDes"],
            "Warehouse": row["MWarehouse"],
            "QtyReceived": quantity,
            "OrigReceiptDate": today.isoformat(),
            "PostCurrency": header["Currency"],
            "ConvRate": header["ExchangeRate"],
            "MulDiv": "M",
            "GrnYear": today.year,
            "GrnMonth": today.month,
        },
    )


def complete(world: World, number: str) -> Record:
    """Complete an order by hand."""
    return _close(world, number, {"OrderStatus": COMPLETE, "DatePoCompleted": world.today().isoformat()})


def cancel_order(world: World, number: str, status: str = CANCELLED) -> Record:
    """Cancel an order; one source has `/` for its status."""
    return _close(world, number, {"OrderStatus": status, "CancelledFlag": "Y"})


def _close(world: World, number: str, values: Record) -> Record:
    with world.lock:
        header = world.find("PorMasterHdr", number)
        header |= values | {"ActiveFlag": "N"}
        return world.stamp(header)


# ── payables ────────────────────────────────────────────────────────────────────────────────────────────────────


def enter_invoice(
    world: World,
    supplier: str,
    number: str,
    lines: Sequence[tuple[str, Decimal]],
    *,
    tax: Decimal = Decimal(0),
    tax_code: str = "",
    dated: str = "",
    reference: str = "",
    code: str = "I",
    period: str = "C",
) -> Record:
    """Key a document in by hand: ledger code and net amount of each line, in the supplier's currency.

    Raises `Refusal` where SYSPRO would not let the user.
    """
    texts = {
        "Supplier": supplier,
        "TransactionCode": code,
        "Invoice": number,
        "TransactionReference": reference,
        "TransactionValue": str(sum((value for _, value in lines), tax)),
        "InvoiceDate": dated,
        "TaxCode": tax_code,
        "TaxValue": str(tax),
        "ReestablishInvoice": "N" if code == "I" else "Y",
    }
    item = _node("Item", texts)
    for ledger_code, value in lines:
        item.children.append(_node("LedgerDistribution", {"LedgerCode": ledger_code, "LedgerValue": str(value)}))
    options = {name: default for name, (default, _) in KNOWN.items()}
    options |= {"LedgerDistributionCurrency": "F", "PermissibleTaxVariance": "999999", "PostingPeriod": period}
    with world.lock:
        untick, world.untick_grn = world.untick_grn, True  # a user unticks the matching where he may
        try:
            return book(world, ap_posting.check(world, item, options))
        except ItemRefused as error:
            raise Refusal(error.complaint.text) from None
        finally:
            world.untick_grn = untick


def _node(name: str, texts: Mapping[str, str]) -> Node:
    return Node(name, children=[Node(child, text) for child, text in texts.items()])


def enter_journal(world: World, lines: Sequence[tuple[str, Decimal]], reference: str = "", text: str = "") -> int:
    """Key in a journal by hand in the current period: ledger code and signed amount; gives its number."""
    day = world.today().isoformat()
    with world.lock:
        entries = [Entry(code, value, reference, text, day) for code, value in lines]
        return journal(world, world.current_period, gl_posting.SOURCE, entries)


def cancel_invoice(world: World, supplier: str, number: str) -> Record:
    """Take an invoice back as a clerk does: its reversal leaves nothing of it, and its number stays used."""
    with world.lock:
        row = world.find("ApInvoice", supplier, number)
        left = row["MthInvBal1"]
        if not left or left != row["OrigInvValue"]:
            raise Refusal(f"Invoice '{number}' has been paid or changed")
        _entry(world, row, "A", -left, "Reversed")
        entries = [one for one in world.rows("GenJournalDetail") if one["Journal"] == row["Journal"]]
        back = [
            Entry(one["GlCode"], -one["EntryValue"], "Reversed", one["SubModTransDesc"], world.today().isoformat())
            for one in entries
        ]
        journal(world, world.current_period, "AP", back)
        return row


def purge_invoice(world: World, supplier: str, number: str) -> None:
    """Let the month end purge an invoice that nothing is left of: from then on its number is free again."""
    with world.lock:
        row = world.find("ApInvoice", supplier, number)
        if row["MthInvBal1"]:
            raise Refusal(f"Invoice '{number}' is still open")
        del world.tables["ApInvoice"][TABLES["ApInvoice"].key_of(row)]


def pay(world: World, supplier: str, number: str, amount: Decimal | None = None, reference: str = "") -> Record:
    """Pay an invoice, wholly or in part."""
    with world.lock:
        row = world.find("ApInvoice", supplier, number)
        paid = row["MthInvBal1"] if amount is None else amount
        row["PaymentNumber"] = world.number("payment", 7001)
        return _entry(world, row, "P", -paid, reference or f"{row['PaymentNumber']}")


def _entry(world: World, row: Record, kind: str, value: Decimal, reference: str) -> Record:
    year, month = periods.split(world.current_period)
    entry = world.put(
        "ApInvoicePay",
        {
            "Supplier": row["Supplier"],
            "Invoice": row["Invoice"],
            "Number": world.number("ap-entry"),
            "TrnType": kind,
            "JournalDate": world.today().isoformat(),
            "PaymentReference": reference,
            "TrnValue": value,
            "PostValue": cents(value * row["ExchangeRate"]),
            "TrnYear": year,
            "TrnMonth": month,
        },
    )
    row["MthInvBal1"] += value
    restate(row)
    world.stamp(row)
    return entry


# ── the company ─────────────────────────────────────────────────────────────────────────────────────────────────


def close_period(world: World, month: str) -> None:
    """Close a month, such as "2026-03", for every posting."""
    world.closed_periods.add(month)


def reopen_period(world: World, month: str) -> None:
    """Open a month again."""
    world.closed_periods.discard(month)


def month_end(world: World) -> str:
    """End the current month of the payables: the next one is current from now on; gives it."""
    world.ap_period = periods.back(world.current_period, -1)
    return world.ap_period


def move_ledger(world: World, company: str) -> None:
    """Keep all accounts in the database of another company of the server, which becomes the ledger company."""
    with world.lock:
        others = world.others.setdefault(company, {name: {} for name in TABLES})
        others["GenMaster"], world.tables["GenMaster"] = world.accounts(), {}
        world.ledger_company = company
        world.sessions.companies.setdefault(company, "")


def log_on(world: World, operator: str, company: str = "") -> str:
    """Let a person log in at a screen as an operator: evicts a session of e.net; needs a seat of the license."""
    with world.lock:
        known = world.sessions
        company = company or world.company
        password = known.operators.setdefault(operator.upper(), "")
        return known.logon(operator, password, company, known.companies.get(company, ""), person=True)
