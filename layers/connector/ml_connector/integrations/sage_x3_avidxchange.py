"""Sage X3 and AvidXchange."""

from ml_connector.flow import Flow, Integration
from ml_connector.records import Account, InvoiceStatus, Payment, Supplier, SupplierInvoice

ERP, AP = "sage_x3", "avidxchange"
MASTERS = ("vendors", "accounts")
SUBMITTED = "supplier_invoices"

SAGE_X3_AVIDXCHANGE = Integration(
    name="sage_x3-avidxchange",
    erp=ERP,
    platform=AP,
    flows=(
        Flow("vendors", Supplier, ERP, AP, "master", "masters", maps="supplier", codes=("term", "currency")),
        Flow("accounts", Account, ERP, AP, "master", "masters", maps="account", codes=("account",)),
        Flow(SUBMITTED, SupplierInvoice, ERP, AP, "document", "documents", after=MASTERS, money=True, once=True),
        Flow("invoice_status", InvoiceStatus, AP, ERP, "document", "documents", concerns=SUBMITTED, asks=True),
        Flow("payments", Payment, AP, ERP, "document", "documents", concerns=SUBMITTED, money=True, once=True),
    ),
)
