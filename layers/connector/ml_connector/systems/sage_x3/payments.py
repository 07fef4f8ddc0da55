"""What comes back of supplier invoices: payments, entered on their open items, and how far each invoice has come.

A payment is a PAYMENTH with lines that name invoice and open item. X3 makes its journal entry when it is posted there;
until then it is entered, which the open item shows apart (`docs/vendors/sage_x3.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from ml_connector.connection import Check
from ml_connector.context import AdapterContext
from ml_connector.errors import ConnectorError, Held, Misconfigured, Transient
from ml_connector.systems.kit.connection import today, tried
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.invoice_statuses import InvoiceStatuses, Stop
from ml_connector.systems.kit.item_payments import ItemPayments, Order, PaymentColumns
from ml_connector.systems.kit.posted_invoices import PostedInvoices
from ml_connector.systems.kit.values import text
from ml_connector.systems.sage_x3 import entities as x3
from ml_connector.systems.sage_x3.entities import Reader, Writer, menu
from ml_connector.systems.sage_x3.faults import CLOSED, VENDOR, dialect, passing
from ml_connector.systems.sage_x3.masters import Folder
from ml_connector.systems.sage_x3.posting import Lookups
from ml_connector.systems.sage_x3.settings import Payment, Settings
from ml_connector.systems.sage_x3.soap import WORDED, Imports

VOIDED, DELAYED, AUTHORIZED = 10, 3, 4
"""STA of a payment that was voided (inferred), and FLGPAZ of open items: a payment run takes authorized ones only."""
REFERENCE_LIMIT, TEXT_LIMIT = 20, 30
PAYER = "AvidXchange"
MISSING = "the field 'payment' is missing, which says how payments are entered: add type and bank"
UNCODED = (
    "GraphQL shows neither lines nor order numbers of supplier invoices: GL accounts are taken from their journal "
    "entries, and no order number is submitted. Set 'api' to api1 for both"
)
COLUMNS = PaymentColumns(
    own="DES", limit=TEXT_LIMIT, partner="BPR", currency="CUR", amount="AMTCUR", dated="ACCDAT", reference="CHQNUM",
    lines="PAYMENTD", document="VCRNUM", applied="AMTLIN", stands=lambda row: menu(row, "STA") != VOIDED,
)  # fmt: skip


def compose(entry: Payment, site: str | None, approved: int, order: Order) -> Mapping[str, Any]:
    """Write a payment with its one line; numbers are given by X3's counter."""
    item, reference = order.item, order.payment.reference
    line = {
        "VCRTYP": text(item, "TYP"), "VCRNUM": order.document, "DUDNUM": item.get("ACCNUM"), "CURLIN": order.currency,
        "AMTLIN": order.payment.amount,
    }  # fmt: skip
    given = {
        "PAYTYP": entry.type, "BPR": order.partner, "BAN": entry.bank, "FCY": entry.site or site or text(item, "FCY"),
        "CUR": order.currency, "AMTCUR": order.payment.amount, "ACCDAT": order.posted_on,
        "CHQNUM": reference[:REFERENCE_LIMIT] if reference else None, "DES": order.own, "APPFLG": approved,
        "PAYMENTD": [{name: value for name, value in line.items() if value is not None}],
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def payments(
    reader: Reader, writer: Writer, folder: Folder, posted: PostedInvoices, settings: Settings, context: AdapterContext
) -> ItemPayments:
    """Make the target of payments. A file says that it is approved by 1, all else by 2, a yes."""
    if settings.payment is None:
        raise Misconfigured(MISSING)
    if isinstance(writer, Imports):
        writer.template(x3.PAYMENT)
    entity, approved = folder.entity(x3.PAYMENT), x3.NO if isinstance(writer, Imports) else x3.YES
    return ItemPayments(
        reader,
        writer,
        entity,
        COLUMNS,
        posted,
        partial(compose, settings.payment, settings.site, approved),
        dialect("payment", "payments", entity),
        context,
        title=VENDOR,
        payer=PAYER,
        today=partial(today, settings, context),
        words=WORDED,
        linked=context.options.start(context.integration, "payments") is not None,
    )


def statuses(
    editor: Writer, folder: Folder, posted: PostedInvoices, lookups: Lookups, settings: Settings
) -> InvoiceStatuses:
    """Make the target of statuses."""
    stop = Stop(folder.entity(x3.OPEN_ITEM), "FLGPAZ", AUTHORIZED, DELAYED) if settings.hold_in_x3 else None
    return InvoiceStatuses(
        editor,
        folder.entity(x3.SUPPLIER_INVOICE),
        posted,
        lookups.ledger,
        unchanged,
        field=settings.invoice_status_field,
        stop=stop,
        title=VENDOR,
        payer=PAYER,
    )


def unchanged(entity: x3.Entity, fault: Fault, asked: str) -> ConnectorError:
    """Say what it means that X3 refuses a change."""
    if (error := passing(fault, asked)) is not None:
        return error if isinstance(error, Transient) else Transient(str(error))
    if fault.status == 403 or CLOSED.search(fault.text) or "level" in fault.text:
        return Misconfigured(
            f"{VENDOR} lets nobody change the {asked}: {fault}. Name a class and representation with an $edit facet in "
            f"{entity.setting('representation')}, give the user the right (and level of payment approval), or remove "
            f"'{'hold_in_x3' if entity.name == x3.OPEN_ITEM.name else 'invoice_status_field'}'."
        )
    return Held(f"lookup:{asked.split()[2]}", f"{VENDOR} did not change the {asked}: {fault}. Correct it there.")


def checks(
    flows: Iterable[str], settings: Settings, folder: Folder, writer: Callable[[], Writer], editor: Callable[[], Writer]
) -> Iterator[Check]:
    """Find before anything is written what cannot be, for the flows that AvidXchange has; nothing is written."""

    def payable() -> str:
        if settings.payment is None:
            raise Misconfigured(MISSING)
        return writer().takes(folder.entity(x3.PAYMENT))

    def editable(entity: x3.Entity) -> str:
        return editor().takes(folder.entity(entity), "update")

    if "payments" in flows:
        yield tried("entering payments", payable)
    if "supplier_invoices" in flows and settings.api == "graphql":
        yield Check("coding of supplier invoices", True, UNCODED, warning=True)
    used = (("invoice_status_field", x3.SUPPLIER_INVOICE), ("hold_in_x3", x3.OPEN_ITEM))
    for name, entity in used if "invoice_status" in flows else ():
        if getattr(settings, name):
            yield tried(f"'{name}'", partial(editable, entity))
