"""Control routes of the sandbox, for tests in another process; none needs a session.

GET    /_sandbox/state                       counts, invoices, journals, calls, sessions, violations
POST   /_sandbox/faults, DELETE              see `kit.control`
POST   /_sandbox/records/{table}             upserts one row by its key
POST   /_sandbox/invoices                    {"supplier", "number", "lines": [[code, net]], …} of `back_office`
POST   /_sandbox/invoices/cancel, pay, purge {"supplier", "number", ["amount", "reference"]}
POST   /_sandbox/orders                      {"supplier", "lines": [{column: value}], ["number", "dated"]}
POST   /_sandbox/orders/complete, cancel     {"number"}
POST   /_sandbox/receipts                    {"number", ["quantities": {line: quantity}]}
POST   /_sandbox/periods                     {"close": month} or {"open": month}; /_sandbox/periods/end ends one
POST   /_sandbox/logon                       {"operator"}: a person logs in, which evicts the operator's session
POST   /_sandbox/sessions/expire             ends every session
POST   /_sandbox/odata                       {"user", "password", ["restart"]} enables an operator
POST   /_sandbox/currencies                  {"old", "new"} respells a currency code
POST   /_sandbox/switches                    {name: value} of the plain switches of `World`
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit import control
from . import back_office
from .errors import Refusal
from .tables import TABLES, Record
from .world import World

_SETS = frozenset({"closed_periods", "unlicensed", "analysed", "foreign_tax", "branches"})
_SWITCHES = {
    "ap_period",
    "ledger_company",
    "wrapping",
    "digits",
    "status_of_items",
    "error_case",
    "journal_in_answer",
    "not_equal",
    "blanks_omitted",
    "ignores_setup_warnings",
    "longest_address",
    "longest_query",
    "tail",
    "page_limit",
    "over_limit",
    "next_link",
    "date_style",
    "date_literal",
    "binary_collation",
    "shuffle",
    "grn_system",
    "untick_grn",
    "receipts_complete_orders",
    "supplier_warnings",
    "protected",
}
_OF_SESSIONS = {"seats", "idle_minutes", "idle_ends", "evicted_keep_seats", "demands_spaces", "dead_text"}


def state(world: World) -> dict[str, Any]:
    """What a test wants to compare: see the route list above."""
    sessions = world.sessions
    return {
        "counts": {name: len(rows) for name, rows in world.tables.items()},
        **{name: world.rows(name) for name in ("ApInvoice", "ApInvoicePay", "GenJournalDetail", "GrnMatching")},
        "calls": dict(world.calls),
        "violations": list(world.violations),
        "logons": sessions.logons,
        "logoffs": sessions.logoffs,
        "evicted": sessions.evicted,
        "sessions": [one.operator for one in sessions.open.values()],
        "login_failures": sessions.failures.total() + world.odata.refused,
        "faults": control.faults_seen(world),
    }


def _state(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    return state(world)


def typed(name: str, values: Record) -> Record:
    """The values of a row with numbers as Decimal, from texts too."""
    columns = TABLES[name].columns
    return {
        key: Decimal(str(value)) if key in columns and columns[key].kind == "n" else value
        for key, value in values.items()
    }


def _record(world: World, body: Any, args: dict[str, Any]) -> Any:
    return back_office.change(world, args["name"], typed(args["name"], body))


def _invoice(world: World, body: Any, _args: dict[str, Any]) -> Any:
    lines = [(code, Decimal(str(value))) for code, value in body.pop("lines")]
    tax = Decimal(str(body.pop("tax", 0)))
    return back_office.enter_invoice(world, body.pop("supplier"), body.pop("number"), lines, tax=tax, **body)


def _invoice_act(world: World, body: Any, args: dict[str, Any]) -> Any:
    key = (body["supplier"], body["number"])
    if args["verb"] == "pay":
        amount = Decimal(str(body["amount"])) if body.get("amount") is not None else None
        return back_office.pay(world, *key, amount, body.get("reference", ""))
    return (back_office.cancel_invoice if args["verb"] == "cancel" else back_office.purge_invoice)(world, *key)


def _order(world: World, body: Any, _args: dict[str, Any]) -> Any:
    lines = [typed("PorMasterDetail", line) for line in body.pop("lines")]
    return back_office.order(world, body.pop("supplier"), lines, **body)


def _order_act(world: World, body: Any, args: dict[str, Any]) -> Any:
    return (back_office.complete if args["verb"] == "complete" else back_office.cancel_order)(world, body["number"])


def _receive(world: World, body: Any, _args: dict[str, Any]) -> Any:
    given = body.get("quantities")
    wanted = None if given is None else {int(line): Decimal(str(quantity)) for line, quantity in given.items()}
    return back_office.receive(world, body["number"], wanted)


def _period(world: World, body: Any, _args: dict[str, Any]) -> Any:
    for month in [body["close"]] if "close" in body else []:
        back_office.close_period(world, month)
    for month in [body["open"]] if "open" in body else []:
        back_office.reopen_period(world, month)
    return sorted(world.closed_periods)


def _month_end(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    return {"current": back_office.month_end(world)}


def _log_on(world: World, body: Any, _args: dict[str, Any]) -> Any:
    back_office.log_on(world, body["operator"])
    return {}


def _expire(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    world.sessions.end()
    return {}


def _odata(world: World, body: Any, _args: dict[str, Any]) -> Any:
    world.odata.enter(body["user"], body["password"])
    if body.get("restart", True):
        world.odata.restart()
    return {}


def _respell(world: World, body: Any, _args: dict[str, Any]) -> Any:
    back_office.respell_currency(world, body["old"], body["new"])
    return {}


_SWITCH = control.switching(_SWITCHES, _SETS)


def _switch(world: World, body: Any, args: dict[str, Any]) -> Any:
    for name in _OF_SESSIONS & body.keys():
        setattr(world.sessions, name, body.pop(name))
    return _SWITCH(world, body, args)


_ROUTES = control.routes(
    [
        ("GET", "state", _state),
        ("POST", "records/<name>", _record),
        ("POST", "invoices", _invoice),
        ("POST", "invoices/<any(cancel,pay,purge):verb>", _invoice_act),
        ("POST", "orders", _order),
        ("POST", "orders/<any(complete,cancel):verb>", _order_act),
        ("POST", "receipts", _receive),
        ("POST", "periods", _period),
        ("POST", "periods/end", _month_end),
        ("POST", "logon", _log_on),
        ("POST", "sessions/expire", _expire),
        ("POST", "odata", _odata),
        ("POST", "currencies", _respell),
        ("POST", "switches", _switch),
    ]
)


def answer(world: World, request: Request, body: bytes) -> Response:
    """Answer one control call; what goes wrong is 400 with its text."""
    return control.answer(_ROUTES, world, request, body, Refusal)
