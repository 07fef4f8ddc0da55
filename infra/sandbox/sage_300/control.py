"""Control routes of the sandbox, for tests in another process; none needs credentials.

GET    /_sandbox/state                     counts, batches, posted documents, posting errors, calls, refused logins
POST   /_sandbox/faults, DELETE            see `kit.control`
POST   /_sandbox/records/{resource}        upserts one record by its key and moves its date of change
POST   /_sandbox/receipts                  {"PurchaseOrder": sequence key, ["Lines": [{"LineNumber", "Quantity"}]]}
POST   /_sandbox/returns                   {"Receipt": sequence key, "Lines": [{"ItemNumber", "Quantity"}]}
POST   /_sandbox/orders/{key}/complete     completes an order by hand
POST   /_sandbox/batches/{number}/post     posts a batch from the desktop; …/delete deletes one that is not posted
POST   /_sandbox/users                     {"user", "password", ["modules"]} makes a user or changes its password
POST   /_sandbox/switches                  {name: value} of the plain switches of `World`
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit import control
from . import back_office
from .codec import shown
from .errors import Refusal
from .fields import RESOURCES, Record
from .world import World

_SETS = frozenset({"closed_periods", "optional_fields", "locked_batches", "not_offered", "unfiltered"})
_SWITCHES = {
    "internal_host",
    "page_size",
    "most_at_once",
    "annotations",
    "next_link",
    "date_literal",
    "filter_ge",
    "date_tail",
    "windows_login",
    "ready_to_post",
    "duplicates",
    "locked_period",
    "failed_entries",
    "error_names",
    "filter_or",
    "metadata",
    "created_status",
    "process_status",
}


def state(world: World) -> dict[str, Any]:
    """What a test wants to compare: see the route list above."""
    names = ("APInvoiceBatches", "APPostedDocuments", "APPostingErrorMessages")
    return {
        "counts": {name: len(rows) for name, rows in world.tables.items()},
        **{name: [_shown(world, name, row) for row in world.rows(name)] for name in names},
        "calls": dict(world.calls),
        "login_failures": world.users.refused,
        "faults": control.faults_seen(world),
    }


def _shown(world: World, name: str, record: Record) -> Record:
    return shown(RESOURCES[name].type, record, world.date_tail)


def _state(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    return state(world)


def _record(world: World, body: Any, args: dict[str, Any]) -> Any:
    return _shown(world, args["name"], back_office.change(world, args["name"], body))


def _receive(world: World, body: Any, _args: dict[str, Any]) -> Any:
    lines = body.get("Lines")
    wanted = None if lines is None else {line["LineNumber"]: Decimal(line["Quantity"]) for line in lines}
    return _shown(world, "POGetReceipts", back_office.receive(world, body["PurchaseOrder"], wanted))


def _give_back(world: World, body: Any, _args: dict[str, Any]) -> Any:
    wanted = {line["ItemNumber"]: Decimal(line["Quantity"]) for line in body["Lines"]}
    return _shown(world, "POReturns", back_office.give_back(world, body["Receipt"], wanted))


def _complete(world: World, _body: Any, args: dict[str, Any]) -> Any:
    return _shown(world, "POPurchaseOrders", back_office.complete(world, args["key"]))


def _batch(world: World, _body: Any, args: dict[str, Any]) -> Any:
    act = back_office.post if args["verb"] == "post" else back_office.delete_batch
    return _shown(world, "APInvoiceBatches", act(world, args["number"]))


def _user(world: World, body: Any, _args: dict[str, Any]) -> Any:
    modules = body.get("modules")
    world.users.add(body["user"], body["password"], None if modules is None else set(modules))
    return {}


_ROUTES = control.routes(
    [
        ("GET", "state", _state),
        ("POST", "records/<name>", _record),
        ("POST", "receipts", _receive),
        ("POST", "returns", _give_back),
        ("POST", "orders/<int:key>/complete", _complete),
        ("POST", "batches/<int:number>/<any(post,delete):verb>", _batch),
        ("POST", "users", _user),
        ("POST", "switches", control.switching(_SWITCHES, _SETS)),
    ]
)


def answer(world: World, request: Request, body: bytes) -> Response:
    """Answer one control call; what goes wrong is 400 with its text."""
    return control.answer(_ROUTES, world, request, body, Refusal)
