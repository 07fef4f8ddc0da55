"""Push notifications: which are due, their bytes and their signature (`docs/vendors/basware.md`)."""

from __future__ import annotations

import hmac
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from ..kit.codec import encode
from .codec import Record, stamp
from .model import Document, Notification, RequestRecord

if TYPE_CHECKING:
    from .world import World

SIGNATURE_HEADER = "x-bwapi-signature-256"
TRIES = 3


def sign(body: bytes, token: str, form: str = "hex") -> str:
    """Return HMAC-SHA256 of `body` as `hex`, `sha256=` (prefixed hex) or `base64` (all inferred)."""
    digest = hmac.new(token.encode("utf-8"), body, sha256).digest()
    if form == "base64":
        return b64encode(digest).decode()
    return ("sha256=" if form == "sha256=" else "") + digest.hex()


def build(world: World, subscription: Record, task_type: str, sub_type: str, document_id: str) -> Notification:
    """Return a signed notification and enter its task."""
    task_id, now = world.new_id(), stamp(world.now())
    payload = {
        "taskId": task_id,
        "taskStatus": "New",
        "taskType": task_type,
        "taskSubType": sub_type,
        "documentId": document_id,
        "expirationTime": now,
    }
    history = [{"action": "New", "timeStamp": now, "messages": ["Task Created"]}]
    task = {**payload, "lastUpdated": now, "isSimulatedTask": False, "taskHistory": history}
    body = encode(payload)
    signature = sign(body, subscription["webhookAuthenticationToken"], world.signature_format)
    headers = {"Content-Type": "application/json; charset=utf-8", SIGNATURE_HEADER: signature}
    return Notification(subscription["notificationWebhookURL"], body, headers, task)


def document_waiting(world: World, document: Document) -> None:
    """Tell the subscribers that an invoice has reached a Waiting state."""
    if document.status.startswith("Waiting"):
        _publish(world, "AccountingDocuments", document.status, str(document.record["invoiceId"]))


def waits_for_export(world: World, task_type: str, code: str) -> None:
    """Tell subscribers that an order or a requisition waits for export."""
    _publish(world, task_type, "WaitingForExport", code)


def request_settled(world: World, record: RequestRecord) -> None:
    """Tell the subscribers of RequestStatus that a verdict has come: Error or Success."""
    _publish(world, "RequestStatus", record.status, record.request_id)


def _publish(world: World, task_type: str, sub_type: str, document_id: str) -> None:
    default = "Error" if task_type == "RequestStatus" else "All"
    for subscription in world.subscriptions:
        wanted = subscription.get("taskSubType") or default
        if subscription["taskType"] == task_type and wanted in ("All", sub_type):
            notification = build(world, subscription, task_type, sub_type, document_id)
            world.tasks[notification.task["taskId"]] = notification.task
            world.outbox.append(notification)


def delivered(world: World, notification: Notification, status: int) -> None:
    """Record the outcome of one attempt: done on 200, given up after three tries (inferred)."""
    notification.attempts += 1
    notification.status = status
    task, now = notification.task, stamp(world.now())
    outcome = "Completed" if status == 200 else "Failed" if notification.attempts >= TRIES else "New"
    task["taskStatus"], task["lastUpdated"] = outcome, now
    task["taskHistory"].append({"action": outcome, "timeStamp": now, "messages": [f"HTTP {status}"]})


def pump(world: World) -> int:
    """Deliver what waits in the outbox through `world.deliver`, one attempt each; return how many were tried."""
    with world.lock:
        world.settle()
        waiting = [n for n in world.outbox if n.status != 200 and n.attempts < TRIES]
    for notification in waiting:
        status = world.deliver(notification)
        with world.lock:
            delivered(world, notification, status)
    return len(waiting)
