"""The master data interfaces as a table (`docs/vendors/basware.md`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entity:
    """One interface: its path, schema, wrapper key, limits, and the field that holds the record's own code."""

    path: str
    schema: str
    wrapper: str
    entity_type: str
    code: str
    batch: int = 500
    page_default: int = 500
    page_max: int = 500
    patch: bool = True


ENTITIES = (
    Entity("vendors", "VendorEntity", "vendorEntities", "Vendor", "vendorCode", batch=200, page_default=100),
    Entity("accounts", "AccountEntity", "accounts", "Account", "accountCode"),
    Entity("costCenters", "CostCenterEntity", "costCenters", "CostCenter", "costCenterCode"),
    Entity("lists", "GenericListEntity", "listItems", "GenericList", "externalCode"),
    Entity("paymentTerms", "PaymentTermEntity", "paymentTerms", "PaymentTerm", "paymentTermCode"),
    Entity("taxCodes", "TaxCodeEntity", "taxCodes", "TaxCode", "taxCode"),
    Entity("matchingOrders", "OrderEntity", "matchingOrders", "MatchingOrder", "orderNumber"),
    Entity(
        "matchingOrderLines",
        "OrderLineEntity",
        "matchingOrderLines",
        "MatchingOrderLine",
        "lineNumber",
        batch=100,
        page_default=100,
        page_max=100,
    ),
    Entity(
        "purchaseRequisitions",
        "PurchaseRequisitionEntity",
        "purchaseRequisitions",
        "PurchaseRequisition",
        "extDocumentNumber",
        batch=100,
        page_default=100,
        page_max=100,
        patch=False,
    ),
)

LIST_KEYS = frozenset(
    [f"ACC_LIST_{n}" for n in range(1, 36)]
    + [f"CUST_RESOLVER_{n}" for n in range(1, 6)]
    + [f"INV_LIST_{n}" for n in range(1, 21)]
)
"""The generic lists that exist."""
