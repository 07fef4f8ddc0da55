"""The scopes that a client needs, and those without which the flows move all the same (`docs/vendors/basware.md`).

One token carries all scopes, and a server that refuses one of them refuses the token. So the rights that no flow needs,
to read the orders that notices tell of and to subscribe to notifications, are left out where they are not granted:
invoices and master data must not wait for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ml_connector.systems.basware.settings import Settings

_DOCUMENTS = ("accountingDocuments.read", "accountingDocuments.write")
_FLOWS: dict[str, tuple[str, ...]] = {
    "suppliers": ("vendors.read", "vendors.write"),
    "vendors": ("vendors.read", "vendors.write"),
    "accounts": ("accounts.read", "accounts.write"),
    "cost_centers": ("costCenters.read", "costCenters.write"),
    "dimensions": ("costCenters.read", "costCenters.write", "lists.read", "lists.write"),
    "purchase_orders": (
        "matchingOrders.read",
        "matchingOrders.write",
        "matchingOrderLines.read",
        "matchingOrderLines.write",
    ),
    "requisitions": ("purchaseRequisitions.read", "purchaseRequisitions.write"),
    "invoices": _DOCUMENTS,
    "payments": _DOCUMENTS,
    "alignment": ("vendors.read", "accounts.read", "costCenters.read", "lists.read"),
    "supplier_enrichment": ("vendors.read",),
    "order_notices": ("exportedPurchaseOrders.read",),
    "requisition_notices": ("exportedPurchaseOrders.read", "exportedPurchaseRequisitions.read"),
}
"""Which scopes a flow's calls need. Reading belongs to every one: where no verdict comes, the entity is read."""
_REQUESTED = {"purchase_orders": "requisitions", "order_notices": "requisition_notices"}
"""What stands for a flow above where orders become requisitions."""
_USUAL = ("vendors", "accounts", "cost_centers", "purchase_orders", "invoices")


def scopes_of(settings: Settings, flows: Iterable[str]) -> tuple[str, ...]:
    """List the scopes to ask for: those of the secret, else exactly what the active flows call.

    `flows` are names as in `invoices` or `sap_b1-basware/invoices`; without any, the usual ones count.
    """
    if settings.scopes:
        return tuple(dict.fromkeys(settings.scopes))
    return tuple(sorted(needed_by(settings, flows)))


def needed_by(settings: Settings, flows: Iterable[str]) -> dict[str, list[str]]:
    """List the scopes that the active flows call for, whatever the secret names: scope to the flows that need it.

    "webhook" stands for the subscriptions, "every flow" for the verdicts.
    """
    wanted: dict[str, list[str]] = {"requestStatus.read": ["every flow"]}
    heard = tuple(f for f in flows if f != "order_notices" or settings.webhook_secret)  # unheard without a secret
    for flow in heard or _USUAL:
        name = flow.rpartition("/")[2]
        scopes = _FLOWS.get(_REQUESTED.get(name, name) if settings.requisitions else name, ())
        if settings.dimension_lists and "costCenters.write" in scopes:
            scopes = tuple(dict.fromkeys((*scopes, "lists.read", "lists.write")))
        for scope in scopes:
            wanted.setdefault(scope, []).append(name)
    if settings.webhook_url:
        wanted |= {"subscriptions.read": ["webhook"], "subscriptions.write": ["webhook"]}
    return wanted


NOTICES = frozenset(_FLOWS["requisition_notices"])
SUBSCRIPTIONS = frozenset({"subscriptions.read", "subscriptions.write"})
OPTIONAL = NOTICES | SUBSCRIPTIONS


def fewer(scopes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Give what to ask for instead of scopes that were refused, most first: at most three, each with less in it."""
    seen = {scopes, ()}
    for spared in (NOTICES, SUBSCRIPTIONS, OPTIONAL):
        left = tuple(scope for scope in scopes if scope not in spared)
        if left not in seen:
            seen.add(left)
            yield left


def lack(scopes: Collection[str]) -> str:
    """Say what does not work without some of the optional scopes, and how to fix it."""
    said = [
        _lack(f"notices of exported {what}", [scope], "everything else goes on")
        for what, scope in zip(("orders", "requisitions"), _FLOWS["requisition_notices"], strict=True)
        if scope in scopes
    ]
    said += [_lack("subscriptions", sorted(SUBSCRIPTIONS & set(scopes)), "the scheduled poll finds every invoice")]
    return " ".join(filter(None, said))


def _lack(what: str, scopes: list[str], otherwise: str) -> str:
    if not scopes:
        return ""
    plural, them = ("s", "them") if len(scopes) > 1 else ("", "it")
    return (
        f"{what} need the scope{plural} {' and '.join(scopes)}, which this client does not have; {otherwise}. "
        f"Let Basware grant {them}."
    )
