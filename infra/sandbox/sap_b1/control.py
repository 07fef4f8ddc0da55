"""Control routes of the sandbox, for tests in another process; none needs a session.

GET    /_sandbox/state                     counts, invoices, credit notes, drafts, payments, calls, logins
POST   /_sandbox/faults, DELETE            see `kit.control`
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

from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit import control
from . import back_office, payments
from .errors import Refusal
from .fields import DOCUMENT_SETS, Record, words
from .world import World

_SETS = frozenset({"closed_periods", "approval_for", "items"})
_SWITCHES = {
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
        "faults": control.faults_seen(world),
    }


def _state(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    return state(world)


def _record(world: World, body: Any, args: dict[str, Any]) -> Any:
    record = back_office.change(world, args["name"], body)
    return _document(record) if args["name"] in DOCUMENT_SETS else record


def _pay(world: World, body: Any, _args: dict[str, Any]) -> Any:
    amount = Decimal(body["Amount"]) if body.get("Amount") is not None else None
    kind = body.get("InvoiceType", "it_PurchaseInvoice")
    day, reference = body.get("DocDate"), body.get("Reference", "")
    return back_office.pay(world, body["DocEntry"], amount, day=day, reference=reference, kind=kind)


def _cancel_payment(world: World, _body: Any, args: dict[str, Any]) -> Any:
    return payments.cancel_payment(world, args["entry"])


def _quantities(body: Any) -> dict[int, Decimal] | None:
    lines = body.get("Lines")
    return None if lines is None else {line["LineNum"]: Decimal(line["Quantity"]) for line in lines}


def _receive(world: World, body: Any, _args: dict[str, Any]) -> Any:
    return _document(back_office.receive(world, body["PurchaseOrder"], _quantities(body)))


def _give_back(world: World, body: Any, _args: dict[str, Any]) -> Any:
    return _document(back_office.give_back(world, body["PurchaseDeliveryNote"], _quantities(body)))


def _decide(world: World, _body: Any, args: dict[str, Any]) -> Any:
    return _document(
        (back_office.approve if args["verdict"] == "approve" else back_office.reject)(world, args["entry"])
    )


def _expire(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    world.expire_sessions()
    return {}


_ROUTES = control.routes(
    [
        ("GET", "state", _state),
        ("POST", "records/<name>", _record),
        ("POST", "payments", _pay),
        ("POST", "payments/<int:entry>/cancel", _cancel_payment),
        ("POST", "receipts", _receive),
        ("POST", "returns", _give_back),
        ("POST", "drafts/<int:entry>/<any(approve,reject):verdict>", _decide),
        ("POST", "sessions/expire", _expire),
        ("POST", "switches", control.switching(_SWITCHES, _SETS)),
    ]
)


def answer(world: World, request: Request, body: bytes) -> Response:
    """Answer one control call; what goes wrong is 400 with its text."""
    return control.answer(_ROUTES, world, request, body, Refusal)
