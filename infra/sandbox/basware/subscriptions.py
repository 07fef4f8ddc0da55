"""Subscriptions and tasks of the notification API (`docs/vendors/basware.md`)."""

from __future__ import annotations

from werkzeug.wrappers import Response

from . import notify, paging
from .call import Call, answer
from .codec import Record, parse_stamp, stamp
from .errors import Invalid, PushInvalid, Refused
from .model import Notification
from .schema import problems

TASK_TYPES = (
    "AccountingDocuments",
    "ExportedPurchaseRequisitions",
    "ExportedPurchaseOrders",
    "RequestStatus",
    "ExportedContracts",
    "ExportedContractSpends",
)
SUB_TYPES = (
    "WaitingForPrebook",
    "WaitingForTransfer",
    "WaitingForPrebookCancelation",
    "WaitingToBeRemoved",
    "WaitingToBeReturned",
    "WaitingToBeCompleted",
    "WaitingForExport",
    "Error",
    "Success",
    "All",
)
_NOT_FOUND = {"detail": "Not Found"}
_KEY = ("taskType", "taskSubType", "notificationWebhookURL")


def post(call: Call) -> Response:
    """Test each address with a ConnectionTest, which must be answered 200, then subscribe.

    The world's lock is released during the test, since the receiver may call back.
    """
    with call.world.lock:
        batch = _batch(call)
        tests = [_test(call, wanted) for wanted in batch]
    for test in tests:
        if (status := call.world.deliver(test)) != 200:
            raise PushInvalid([f"the ConnectionTest to the webhook address was answered {status}, not 200"])
    with call.world.lock:
        return answer([_enter(call, wanted) for wanted in batch])


def _test(call: Call, wanted: Record) -> Notification:
    """Make the ConnectionTest; whether the vendor signs it is not known, so the world says."""
    test = notify.build(call.world, wanted, "ConnectionTest", "All", call.world.new_id())
    if not call.world.signed_tests:
        del test.headers[notify.SIGNATURE_HEADER]
    return test


def _batch(call: Call) -> list[Record]:
    try:
        batch = call.json()
    except Invalid as error:
        raise PushInvalid([error.reason]) from error
    if not isinstance(batch, list) or not batch:
        raise PushInvalid(["the body must be an array of subscriptions"])
    found = [problem for wanted in batch for problem in problems("Subscription-Input", wanted) or _values(wanted)]
    if found:
        raise PushInvalid(found)
    return batch


def _values(wanted: Record) -> list[str]:
    """Check the values that the schema leaves open (inferred: the vendor lists them in prose)."""
    found = [] if wanted["taskType"] in TASK_TYPES else [f"taskType {wanted['taskType']} is not supported"]
    if wanted.get("taskSubType", "All") not in SUB_TYPES:
        found.append(f"taskSubType {wanted['taskSubType']} is not supported")
    return found if wanted["subscriptionType"] == "Webhook" else [*found, "subscriptionType must be Webhook"]


def _enter(call: Call, wanted: Record) -> Record:
    """Keep a subscription; the same type and address again replaces it (inferred)."""
    kept = {**wanted, "lastUpdated": stamp(call.world.now())}
    same = [other for other in call.world.subscriptions if all(other.get(k) == kept.get(k) for k in _KEY)]
    call.world.subscriptions[:] = [other for other in call.world.subscriptions if other not in same] + [kept]
    return kept


def get_list(call: Call) -> Response:
    """Return the subscriptions that match, 404 when there are none."""
    found = [kept for kept in call.world.subscriptions if _matches(call, kept, ("taskType", "taskSubType"))]
    if not found:
        raise Refused(404, "no subscription", _NOT_FOUND)
    return answer({"subscriptions": found})


def delete(call: Call) -> Response:
    """Remove the subscriptions updated after a time; all three parameters are required, All matches any."""
    for name in ("lastUpdated", "taskType", "taskSubType"):
        if not call.query(name):
            raise Refused(422, f"{name} is required", {"message": "UnprocessableEntity"})
    names = [name for name in ("taskType", "taskSubType") if call.query(name) != "All"]
    gone = [kept for kept in call.world.subscriptions if _matches(call, kept, names)]
    call.world.subscriptions[:] = [kept for kept in call.world.subscriptions if kept not in gone]
    return answer({"status": "Deleted successfully", "numberOfRecordsDeleted": len(gone)})


def get_task(call: Call, task_id: str) -> Response:
    """Return one task in the wrapper."""
    if task_id not in call.world.tasks:
        raise Refused(404, f"no task {task_id}", _NOT_FOUND)
    return answer({"taskStatus": [call.world.tasks[task_id]]})


def get_tasks(call: Call) -> Response:
    """Return one page of tasks."""
    names = ("taskType", "taskStatus", "documentId")
    entries = [paging.Entry(task["taskId"], task) for task in call.world.tasks.values() if _matches(call, task, names)]
    page = paging.cut(call, entries, 500, 500)
    response = answer({"taskStatus": page.records})
    response.headers.update(page.headers())
    return response


def _matches(call: Call, record: Record, names: tuple[str, ...] | list[str]) -> bool:
    since = call.query_stamp("lastUpdated")
    return (since is None or parse_stamp(record["lastUpdated"]) > since) and all(
        call.query(name) in (None, record.get(name)) for name in names
    )
