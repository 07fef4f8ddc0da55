"""Sage X3 and Basware."""

from ml_connector.flow import Flow, Integration
from ml_connector.records import Account, Alignment, CostCenter, Invoice, PurchaseOrder, Supplier

ERP, AP = "sage_x3", "basware"
MASTERS = ("suppliers", "accounts", "dimensions")
CODED = ("supplier", "account", "cost_center")
"""Mapped by people where no master record was delivered."""

SAGE_X3_BASWARE = Integration(
    name="sage_x3-basware",
    erp=ERP,
    platform=AP,
    defaults={AP: {"purchase_order_target": "purchase_requisitions"}},
    flows=(
        Flow(
            "suppliers", Supplier, ERP, AP, "master", "masters", maps="supplier", codes=("term", "company", "currency")
        ),
        Flow("accounts", Account, ERP, AP, "master", "masters", maps="account", codes=("company",)),
        Flow(
            "dimensions", CostCenter, ERP, AP, "master", "masters",
            maps="cost_center", codes=("company",), guarded=True,
        ),
        Flow(
            "purchase_orders", PurchaseOrder, ERP, AP, "master", "orders",
            after=MASTERS, codes=("tax", "term", "company", "currency", *CODED), follows=True, notices=True,
        ),
        Flow("invoices", Invoice, AP, ERP, "document", "documents", after=MASTERS, money=True),
        Flow("alignment", Alignment, ERP, AP, "master", "daily", after=MASTERS, aligns=MASTERS),
    ),
)  # fmt: skip
