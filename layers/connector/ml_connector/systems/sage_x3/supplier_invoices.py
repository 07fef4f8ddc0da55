"""Supplier invoices that are posted in X3. By GraphQL, accounts come from the journal entries, and no order is told."""

from __future__ import annotations

from datetime import date
from functools import partial

from ml_connector.systems.kit.open_items import ItemColumns, OpenItems
from ml_connector.systems.kit.posted_coding import LineColumns, PostedCoding, unknown
from ml_connector.systems.kit.posted_invoices import HeadColumns, PostedInvoices
from ml_connector.systems.kit.values import text
from ml_connector.systems.sage_x3.entities import JOURNAL, OPEN_ITEM, SUPPLIER_INVOICE, Reader, Record, menu
from ml_connector.systems.sage_x3.faults import VENDOR
from ml_connector.systems.sage_x3.masters import Folder
from ml_connector.systems.sage_x3.posting import COLUMNS, Lookups
from ml_connector.systems.sage_x3.settings import Settings

POSTED, CREDITS, ORDER = 3, {2, 4}, 2
"""Of STA, INVTYP and TYPORI."""
ITEMS = ItemColumns("NUM", "BPR", "CUR", "CPY", "DUDDAT", "AMTCUR", "PAYCUR", "TMPCUR", "FLGCLE", "2")
HEAD = HeadColumns(
    number="BPRVCR", partner="BPR", partners=("BPR", "BPRPAY"), currency="CUR", company="CPY", dated="BPRDAT",
    accounted="ACCDAT", gross="AMTATI", net="AMTNOT", tax="AMTTAX", term="PTE", text="DES", posted=("STA", POSTED),
    credit=lambda row: menu(row, "INVTYP") in CREDITS,
)  # fmt: skip


def ordered(line: Record) -> tuple[str | None, str | None]:
    """Name the order of a line, and its line: what it comes from is an order only where it says so."""
    if (order := text(line, "POHNUM")) is not None:
        return order, text(line, "POPLIN")
    return (text(line, "NUMORI"), text(line, "LINORI")) if menu(line, "TYPORI") in {None, ORDER} else (None, None)


LINES = (
    LineColumns(
        "BPSINVLIG", "LIG", "AMTNOTLIN", "AMTATILIN", "VAT", "DES", "QTY", account="ACC", charts="COA",
        shares="BPSINVLIGA", share_net="AMT",
    ),
    LineColumns(
        "PINVOICED", "PIDLIN", "AMTNOTLIN", "AMTATILIN", "VAT", "ITMDES1", "QTYUOM", price="NETPRI", order=ordered
    ),
)  # fmt: skip


def invoices(
    reader: Reader, folder: Folder, lookups: Lookups, settings: Settings, start: date | None = None
) -> PostedInvoices:
    """Make the source. `start`: at first only what is dated since then is taken."""
    journal, tax = folder.entity(JOURNAL), settings.journal.tax_account if settings.journal else None
    return PostedInvoices(
        reader,
        folder.entity(SUPPLIER_INVOICE),
        OpenItems(reader, folder.entity(OPEN_ITEM), ITEMS, VENDOR),
        HEAD,
        PostedCoding(reader, journal, COLUMNS, LINES, folder.chart, VENDOR, "DES", tax),
        partial(unknown, ledger=lookups.ledger, missing=lookups.missing, vendor=VENDOR),
        vendor=VENDOR,
        company=settings.company_code,
        start=start,
    )
