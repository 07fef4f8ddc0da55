"""SAP Business One and Basware."""

from ml_connector.flow import Flow, Integration
from ml_connector.records import Account, CostCenter, Invoice, Payment, PurchaseOrder, Supplier

ERP, AP = "sap_b1", "basware"
MASTERS = ("vendors", "accounts", "cost_centers")
CODED = ("supplier", "account", "cost_center")
"""Mapped by people where no master record was delivered."""

SAP_B1_BASWARE = Integration(
    name="sap_b1-basware",
    erp=ERP,
    platform=AP,
    flows=(
        Flow("vendors", Supplier, ERP, AP, "master", "masters", maps="supplier", codes=("term", "company", "currency")),
        Flow("accounts", Account, ERP, AP, "master", "masters", maps="account", codes=("company",)),
        Flow("cost_centers", CostCenter, ERP, AP, "master", "masters", maps="cost_center", codes=("company",)),
        Flow(
            "purchase_orders",
            PurchaseOrder,
            ERP,
            AP,
            "master",
            "orders",
            after=MASTERS,
            codes=("tax", "term", "company", "currency", *CODED),
            follows=True,
        ),
        Flow("invoices", Invoice, AP, ERP, "document", "documents", after=MASTERS, money=True),
        Flow("payments", Payment, ERP, AP, "document", "documents", links="invoices", money=True),
    ),
)
