"""Control routes of the sandbox, for tests in another process; none needs a session.

GET    /_sandbox/state                     counts, invoices, credit notes, drafts, payments, calls, logins
POST   /_sandbox/faults                    {"kind", ["path", "method", "times", "skip", "seconds", "headers"]}
DELETE /_sandbox/faults                    drops every rule
POST   /_sandbox/records/{entity}          upserts one record by its key and moves its UpdateDate and UpdateTime
POST   /_sandbox/payments                  {"DocEntry", ["Amount", "DocDate", "Reference", "InvoiceType"]}
POST   /_sandbox/payments/{DocEntry}/cancel
POST   /_sandbox/receipts                  {"PurchaseOrder": DocEntry, ["Lines": [{"LineNum", "Quantity"}]]}
POST   /_sandbox/returns                   {"PurchaseDeliveryNote": DocEntry, ["Lines": …]}
POST   /_sandbox/drafts/{DocEntry}/approve posts a waiting draft; …/reject refuses it
POST   /_sandbox/sessions/expire           ends every session
POST   /_sandbox/switches                  {name: value} of the plain switches of `World`
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from . import clerk, payments
from .dialect import decode, encode
from .errors import Refusal
from .faults import Fault
from .fields import DOCUMENT_SETS, Record, words
from .world import World

_SETS = frozenset({"closed_periods", "approval_for", "items"})
_SWITCHES = _SETS | {
    "dead_session_style",
    "next_link_style",
    "flat_errors_on_v1",
    "shuffle_ties",
    "tax_field",
    "block_duplicate_reference",
    "approval_reply",
    "stamp_base_documents",
    "user_fields",
}
_SUMMARY = words(
    "DocEntry DocNum CardCode NumAtCard DocType DocDate DocObjectCode DocCurrency DocTotal "
    "DocTotalFc VatSum DocumentStatus Cancelled CancelStatus AuthorizationStatus PaidToDate "
    "PaidToDateFC"
)
_LINE = words(
    "LineNum ItemCode ItemDescription Quantity UnitPrice LineTotal RowTotalFC VatGroup AccountCode "
    "CostingCode CostingCode2 BaseType BaseEntry BaseLine"
)
Answer = Callable[[World, Any, dict[str, Any]], Any]


def _document(record: Record) -> Record:
    own = {name: value for name, value in record.items() if name.startswith("U_")}
    lines = [{name: line.get(name) for name in _LINE} for line in record["DocumentLines"]]
    return {name: record.get(name) for name in _SUMMARY} | own | {"DocumentLines": lines}


def state(world: World) -> dict[str, Any]:
    """What a test wants to compare: see the route list above."""
    documents = {
        name: [_document(row) for row in world.rows(name)]
        for name in ("PurchaseInvoices", "PurchaseCreditNotes", "Drafts")
    }
    return {
        "counts": {name: len(world.rows(name)) for name in world.tables},
        **documents,
        "VendorPayments": world.rows("VendorPayments"),
        "calls": dict(world.calls),
        "logins": world.logins,
        "login_failures": world.login_failures,
        "sessions": len(world.sessions.open),
        "faults": {"hit": world.faults.hit, "waiting": len(world.faults.waiting)},
    }


def _state(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    return state(world)


def _add_fault(world: World, body: Any, _args: dict[str, Any]) -> Any:
    world.faults.rules.append(Fault(**(body | {"seconds": float(body.get("seconds", 0))})))
    return {"rules": len(world.faults.rules)}


def _drop_faults(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    world.faults.clear()
    return {"rules": 0}


def _record(world: World, body: Any, args: dict[str, Any]) -> Any:
    record = clerk.change(world, args["name"], body)
    return _document(record) if args["name"] in DOCUMENT_SETS else record


def _pay(world: World, body: Any, _args: dict[str, Any]) -> Any:
    amount = Decimal(body["Amount"]) if body.get("Amount") is not None else None
    kind = body.get("InvoiceType", "it_PurchaseInvoice")
    day, reference = body.get("DocDate"), body.get("Reference", "")
    return clerk.pay(world, body["DocEntry"], amount, day=day, reference=reference, kind=kind)


def _cancel_payment(world: World, _body: Any, args: dict[str, Any]) -> Any:
    return payments.cancel_payment(world, args["entry"])


def _quantities(body: Any) -> dict[int, Decimal] | None:
    lines = body.get("Lines")
    return None if lines is None else {line["LineNum"]: Decimal(line["Quantity"]) for line in lines}


def _receive(world: World, body: Any, _args: dict[str, Any]) -> Any:
    return _document(clerk.receive(world, body["PurchaseOrder"], _quantities(body)))


def _give_back(world: World, body: Any, _args: dict[str, Any]) -> Any:
    return _document(clerk.give_back(world, body["PurchaseDeliveryNote"], _quantities(body)))


def _decide(world: World, _body: Any, args: dict[str, Any]) -> Any:
    return _document((clerk.approve if args["verdict"] == "approve" else clerk.reject)(world, args["entry"]))


def _expire(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    world.expire_sessions()
    return {}


def _switch(world: World, body: Any, _args: dict[str, Any]) -> Any:
    for name, value in body.items():
        if name not in _SWITCHES:
            raise ValueError(f"no switch {name!r}")
        setattr(world, name, set(value) if name in _SETS else value)
    return {}


_ROUTES: list[tuple[str, str, Answer]] = [
    ("GET", "state", _state),
    ("POST", "faults", _add_fault),
    ("DELETE", "faults", _drop_faults),
    ("POST", "records/<name>", _record),
    ("POST", "payments", _pay),
    ("POST", "payments/<int:entry>/cancel", _cancel_payment),
    ("POST", "receipts", _receive),
    ("POST", "returns", _give_back),
    ("POST", "drafts/<int:entry>/<any(approve,reject):verdict>", _decide),
    ("POST", "sessions/expire", _expire),
    ("POST", "switches", _switch),
]
_MAP = Map([Rule(f"/_sandbox/{path}", endpoint=run, methods=[method]) for method, path, run in _ROUTES])


def answer(world: World, request: Request, body: bytes) -> Response:
    """Answer one control call; what goes wrong is 400 with its text."""
    try:
        run, args = _MAP.bind_to_environ(request.environ).match()
        result = run(world, decode(body) if body else {}, args)
    except HTTPException as error:
        return Response(encode({"error": str(error)}), error.code, content_type="application/json")
    except (Refusal, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        return Response(encode({"error": f"{type(error).__name__}: {error}"}), 400, content_type="application/json")
    return Response(encode(result), 200, content_type="application/json")
