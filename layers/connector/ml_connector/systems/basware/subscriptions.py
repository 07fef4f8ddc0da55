"""Push notifications: that Basware knows where to send them (`docs/vendors/basware.md`).

The token that signs them is a secret: Basware shows it in its answers, and it is neither logged nor told.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from ml_connector.errors import Misconfigured, Rejected
from ml_connector.systems.basware import rights
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.basware.settings import Settings

PATH = "/v1/subscriptions"
INVOICES = ("AccountingDocuments", "WaitingForTransfer")
ORDERS = ("ExportedPurchaseOrders", "WaitingForExport")
REQUISITIONS = ("ExportedPurchaseRequisitions", "WaitingForExport")
_READ_BY = {ORDERS: "exportedPurchaseOrders.read", REQUISITIONS: "exportedPurchaseRequisitions.read"}


def missing(client: Basware, settings: Settings) -> list[str]:
    """Name the notifications that do not come yet, each with the reason; without `webhook_url` none is wanted."""
    return [f"{task}/{kind}: {why}" for task, kind, why in _gaps(client, settings)]


def ensure(client: Basware, settings: Settings, announce: Callable[[], None] = lambda: None) -> list[str]:
    """Subscribe to what is missing or goes elsewhere; names what was done.

    Basware calls the address with a `ConnectionTest` before it agrees, while our request is under way: `announce` is
    called before it. Raises `Rejected` where the test fails, `Misconfigured` where the client may not subscribe.
    """
    gaps = _gaps(client, settings)
    if not gaps or not settings.webhook_url or not settings.webhook_secret:
        return []
    token = settings.webhook_secret.get_secret_value()
    body = [
        {
            "taskType": task,
            "taskSubType": kind,
            "subscriptionType": "Webhook",
            "notificationWebhookURL": settings.webhook_url,
            "webhookAuthenticationToken": token,
        }
        for task, kind, _ in gaps
    ]
    announce()
    answer = client.post(PATH, body, safe=True)
    if not answer.ok:
        raise Rejected(
            f"Basware did not take the subscription ({answer.status}): {answer.words().replace(token, '***')} Check "
            f"that {settings.webhook_url} can be reached from the internet and answers 200."
        )
    return [f"{task}/{kind}: subscribed" for task, kind, _ in gaps]


def _gaps(client: Basware, settings: Settings) -> list[tuple[str, str, str]]:
    if not settings.webhook_url or not settings.webhook_secret:
        return []
    if lacking := client.lacking() & rights.SUBSCRIPTIONS:
        raise Misconfigured(rights.lack(lacking))
    present = [row for page in client.list(PATH, "subscriptions") for row in page if isinstance(row, dict)]
    found = []
    for task, kind in _wanted(client, settings):
        rows = [row for row in present if row.get("taskType") == task and _covers(row, task, kind)]
        here = [row for row in rows if str(row.get("notificationWebhookURL")).rstrip("/") == settings.webhook_url]
        if not rows:
            found.append((task, kind, "not subscribed"))
        elif not here:
            found.append((task, kind, "goes to another address"))
        elif not any(_same_token(row, settings.webhook_secret.get_secret_value()) for row in here):
            found.append((task, kind, "is signed with another secret"))
    return found


def _wanted(client: Basware, settings: Settings) -> list[tuple[str, str]]:
    """Name what is subscribed to: of orders and requisitions what could be read, since nobody would use the rest."""
    if "order_notices" not in client.context.flows():
        return [INVOICES]
    lacking, made = client.lacking(), [ORDERS, *([REQUISITIONS] if settings.requisitions else [])]
    return [INVOICES, *(one for one in made if _READ_BY[one] not in lacking)]


def _covers(row: Mapping[str, Any], task: str, kind: str) -> bool:
    """Tell whether a subscription brings the sub-type; null means `Error` for request statuses, else `All`."""
    given = row.get("taskSubType") or ("Error" if task == "RequestStatus" else "All")
    return given in {kind, "All"}


def _same_token(row: Mapping[str, Any], secret: str) -> bool:
    """Compare the token; one that is not shown, or masked, cannot be compared and counts as ours."""
    shown = row.get("webhookAuthenticationToken")
    if not isinstance(shown, str) or not shown or set(shown) <= set("*x•"):
        return True
    return hmac.compare_digest(shown.encode(), secret.encode())
