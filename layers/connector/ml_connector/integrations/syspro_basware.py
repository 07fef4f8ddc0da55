"""SYSPRO and Basware."""

from ml_connector.flow import Flow, Integration
from ml_connector.records import Account, CostCenter, Invoice, PurchaseOrder, Supplier, SupplierEnrichment

ERP, AP = "syspro", "basware"
MASTERS = ("suppliers", "accounts", "cost_centers")
CODED = ("supplier", "account", "cost_center")
"""Mapped by people where no master record was delivered."""

SYSPRO_BASWARE = Integration(
    name="syspro-basware",
    erp=ERP,
    platform=AP,
    flows=(
        Flow(
            "supplier_enrichment",
            SupplierEnrichment,
            AP,
            ERP,
            "master",
            "masters",
            after=("suppliers",),
            codes=("term",),
            enriches="suppliers",
        ),
        Flow(
            "suppliers", Supplier, ERP, AP, "master", "masters", maps="supplier", codes=("term", "company", "currency")
        ),
        Flow("accounts", Account, ERP, AP, "master", "masters", maps="account", codes=("company",)),
        Flow("cost_centers", CostCenter, ERP, AP, "master", "masters", maps="cost_center", codes=("company",)),
        Flow(
            "purchase_orders", PurchaseOrder, ERP, AP, "master", "orders",
            after=MASTERS, codes=("tax", "term", "company", "currency", *CODED), follows=True, notices=True,
        ),
        Flow("invoices", Invoice, AP, ERP, "document", "documents", after=MASTERS, money=True),
    ),
)  # fmt: skip
