"""How long a field may be (`docs/vendors/basware.md`, appendix A), and what is done with a longer one.

A code that is too long is refused: half a code is another code. A text is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from ml_connector.records import Account, CostCenter, PurchaseOrder, Record, Supplier, SupplierEnrichment
from ml_connector.systems.kit.entities import fitted

CODES: dict[str, dict[str, int]] = {
    "VendorEntity": {"externalCode": 36, "vendorCode": 25, "sourceSystem": 36},
    "VendorCompanyEntity": {"companyCode": 32},
    "VendorIdentifierEntity": {"id": 36, "schemeId": 32},
    "VendorAddressEntity": {"externalCode": 36, "countryId": 2},
    "VendorPaymentTermEntity": {"paymentTermCode": 25},
    "VendorPaymentMeanEntity": {"paymentMeansCode": 25, "currencyCode": 3},
    "FinancialInstitutionEntity": {"id": 20, "schemeId": 36, "countryId": 2},
    "FinancialAccountIdentifierEntity": {"id": 50, "schemeId": 36},
    "AccountEntity": {"externalCode": 36, "accountCode": 25},
    "AccountCompanyEntity": {"companyCode": 32},
    "CostCenterEntity": {"externalCode": 36, "costCenterCode": 25},
    "CostCenterCompanyEntity": {"companyCode": 32},
    "OrderEntity": {
        "externalCode": 36,
        "orderNumber": 100,
        "sourceSystem": 36,
        "companyCode": 25,
        "organizationElementCode": 25,
        "currencyCode": 3,
        "supplierCode": 25,
        "paymentTermCode": 25,
    },
    "OrderLineEntity": {
        "externalCode": 36,
        "orderExternalCode": 36,
        "lineNumber": 100,
        "currencyCode": 3,
        "taxCode": 25,
        "productCode": 250,
    },
    "OrderLineCodingEntity": {
        "externalCode": 36,
        "accountCode": 50,
        "costCenterCode": 200,
        **{f"dimCode{n}": 100 for n in range(1, 11)},
    },
    "GenericListEntity": {"externalCode": 36},
    "GenericListCompanyEntity": {"companyCode": 32},
    "GoodsReceiptEntity": {"externalCode": 36, "goodsReceiptNumber": 100, "referenceGRExternalCode": 36},
    "PurchaseRequisitionEntity": {"externalCode": 36, "extDocumentNumber": 100, "organizationUnitCode": 100},
    "RequisitionLine": {
        "externalCode": 36,
        "categoryCode": 100,
        "supplierCode": 32,
        "buyerProductCode": 250,
        "paymentTermCode": 255,
        "quantityUnitCode": 10,
        "currencyCode": 25,
        "taxCode": 32,
    },
    "RequisitionCodingRow": {
        "externalCode": 36,
        "accountCode": 25,
        "costCenterCode": 25,
        **{f"dimCode{n}": 25 for n in range(1, 11)},
    },
    "TransferResponseEntity": {"externalCode": 36, "sourceSystem": 32, "voucherNumber1": 25, "voucherNumber2": 25},
    "PaymentResponseEntity": {
        "externalCode": 36,
        "sourceSystem": 32,
        "paymentTermCode": 25,
        "paymentNumber": 250,
        "paymentDocument": 250,
        "paymentReversalDocument": 250,
    },
}

TEXTS: dict[str, dict[str, int]] = {
    "LanguageTranslationEntity": {"translation": 2000, "language": 10},
    "VendorEntity": {"name": 250, "description": 250},
    "VendorAddressEntity": {
        "name": 200,
        "addressLine1": 200,
        "streetName": 50,
        "cityName": 50,
        "postalZone": 50,
        "countrySubEntity": 50,
    },
    "VendorContactEntity": {"name": 200, "telephone": 50, "email": 200, "website": 200},
    "VendorPaymentTermEntity": {"description": 200},
    "FinancialInstitutionEntity": {"name": 250},
    "AccountEntity": {"text5": 250},
    "CostCenterEntity": {"text10": 250},
    "OrderEntity": {"description": 1000, "text10": 250},
    "OrderLineEntity": {"uom": 25, "productName": 250, "description": 1000, "text10": 250},
    "PurchaseRequisitionEntity": {"purpose": 2000},
    "RequisitionLine": {"supplierProductName": 250, "description": 2000},
    "TransferResponseEntity": {"responseMessage": 250},
    "PaymentResponseEntity": {"responseMessage": 250, "paymentMethod": 25, "checkNumber": 25, "paymentMessage": 100},
}


def entity(kind: str, **fields: Any) -> dict[str, Any]:
    """Make an entity of the fields that have a value; dates become date-times.

    Raises `Rejected` naming the field and its limit where a code is too long.
    """
    said = {name: stamp(value) if isinstance(value, date) else value for name, value in fields.items()}
    return fitted("Basware", kind, said, CODES.get(kind, {}), TEXTS.get(kind, {}))


def list_width(name: str) -> int:
    """Tell how many characters a text column of an accounting list holds; only its table in P2P knows."""
    return 50 if 11 <= int(name.rpartition("_")[2]) <= 20 else 250


def stamp(day: date) -> str:
    """Say a day as Basware's date-time without a zone: the zone is not known, so it is left empty."""
    return f"{day.isoformat()}T00:00:00"


VENDORS, ACCOUNTS, COST_CENTERS, ORDERS, LINES, REQUISITIONS = 200, 500, 500, 500, 100, 100


def one(_: Record) -> int:
    """Count a record as one."""
    return 1


def lines(order: PurchaseOrder) -> int:
    """Count an order by its lines, of which a call takes the fewest."""
    return max(1, len(order.lines))


CHUNKING: dict[type[Record], tuple[int, Callable[[Any], int]]] = {
    Supplier: (VENDORS, one),
    SupplierEnrichment: (1, one),
    Account: (ACCOUNTS, one),
    CostCenter: (COST_CENTERS, one),
    PurchaseOrder: (10 * LINES, lines),
}
"""For each record type the weight of a chunk, and what one record weighs."""
