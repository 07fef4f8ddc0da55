"""The OAuth2 scopes of the API (`docs/vendors/basware.md`)."""

from __future__ import annotations

_READ_WRITE_DELETE = (
    "accountingDocuments",
    "accounts",
    "advancedPermissions",
    "advancedValidations",
    "contracts",
    "costCenters",
    "errorFeedbacks",
    "exchangeRates",
    "exportedContracts",
    "exportedContractSpends",
    "exportedPurchaseOrders",
    "exportedPurchaseRequisitions",
    "lists",
    "matchingOrders",
    "matchingOrderLines",
    "paymentTerms",
    "projects",
    "purchaseOrders",
    "purchaseRequisitions",
    "purchaseGoodsReceipts",
    "subscriptions",
    "taxCodes",
    "users",
    "vendors",
)
_READ_WRITE = ("applicationGroups", "companies", "requestStatus")
_READ = ("tasks", "taskStatus")

SCOPES: frozenset[str] = frozenset(
    [f"{api}.{verb}" for api in _READ_WRITE_DELETE for verb in ("read", "write", "delete")]
    + [f"{api}.{verb}" for api in _READ_WRITE for verb in ("read", "write")]
    + [f"{api}.read" for api in _READ]
)
"""Every scope a client can ask for."""

_VERBS = {"GET": "read", "HEAD": "read", "POST": "write", "PATCH": "write", "DELETE": "delete"}


def needed(api: str, method: str) -> str | None:
    """Return the scope that `method` on `api` needs (None: any); acknowledge and responses are POSTs, hence write."""
    if not api:
        return None
    return f"{api}.{_VERBS[method]}"
