"""Control routes of the sandbox, for tests in another process; none needs a login.

GET    /_sandbox/state                       counts, invoices, payments, batches, calls, offences, logins
POST   /_sandbox/faults, DELETE              see `kit.control`
POST   /_sandbox/switches                    {name: value} of the plain switches of `World` and of `Logins`
POST   /_sandbox/days                        {"days": 1}: lets time pass
POST   /_sandbox/invoices                    {"vendor", "number", "lines": [[code, amount]], ["dated", "order", ...]}
POST   /_sandbox/invoices/ACT                {"id"} or {"vendor", "number"}; ACT: approve ["close"], reject ["reason"],
                                             change {"values": {...}}, leave, remove
POST   /_sandbox/batches/ACT                 close {["guid"]}, reopen {"guid"}
POST   /_sandbox/payments                    {"invoices": [id or [vendor, number]], ["method", "state", "discounts",
                                             "amounts"]}, or {"vendor", "parts": [[number, amount]]} of other documents
POST   /_sandbox/payments/ACT                {"id"}; ACT: advance, issue, clear, void, return, fail ["reason"],
                                             recover, reissue ["keep_id"], move {"state"}
POST   /_sandbox/vendors, codes, orders      a record with its key
POST   /_sandbox/vendors/deactivate          {"code"}
POST   /_sandbox/codes/remove                {"group", "value"}
POST   /_sandbox/tokens/expire               every token dies
POST   /_sandbox/users                       {"user", "password", ["expired", "locked"]}
POST   /_sandbox/companies                   {"id", "name"}
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit import control
from . import back_office, paying
from .model import Company
from .world import World

_SETS = frozenset({"forbidden", "ignored_filters", "more_fields", "currencies"})
_PLAIN = {
    "prefix",
    "fault_style",
    "quota",
    "throttle",
    "tenant",
    "tenant_name",
    "paging",
    "page_size",
    "page_limit",
    "over_limit",
    "members",
    "unfiltered",
    "filter_days",
    "renamed",
    "create_answer",
    "success",
    "amounts_in",
    "amounts_out",
    "words",
    "lengths",
    "credit_notes",
    "lines_add_up",
    "orders_must_exist",
    "validation",
    "validation_seconds",
    "visible_seconds",
    "duplicates",
    "idempotency",
    "idempotency_header",
    "idempotency_hours",
    "attachment_limit",
    "pages_name",
    "old_page_size",
    "results_as",
    "successful",
    "day_separator",
    "digits_as_numbers",
    "vendor_address",
    "window_days",
    "state_style",
}
_OF_LOGINS = {
    "client_auth",
    "token_seconds",
    "same_token",
    "says_expiry",
    "token_type",
    "session_seconds",
    "refusal",
    "attempts",
    "header_tokens",
    "clients",
}
_SWITCH = control.switching(_PLAIN, _SETS)
_KINDS = {"vendors": "vendors", "codes": "accounting-codes", "orders": "purchase-orders"}


def state(world: World) -> dict[str, Any]:
    """What a test wants to compare: see the route list above."""
    world.settle()
    tables = ("vendors", "codes", "orders", "invoices", "payments", "batches", "payment_batches")
    logins = world.logins
    return {
        "counts": {name: len(getattr(world, name)) for name in tables},
        "invoices": [asdict(one) for one in world.invoices.values()],
        "payments": [asdict(one) | {"amount": one.amount} for one in world.payments.values()],
        "batches": [asdict(one) for one in world.batches.values()],
        "vendors": list(world.vendors.values()),
        "codes": list(world.codes.values()),
        "orders": list(world.orders.values()),
        "calls": dict(world.calls),
        "offences": list(world.offences),
        "logins": logins.logins,
        "login_failures": logins.refused,
        "locked": sorted(logins.locked),
        "after_lock": logins.after_lock,
        "faults": control.faults_seen(world),
    }


def _state(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    return state(world)


def _switch(world: World, body: Any, args: dict[str, Any]) -> Any:
    for name in _OF_LOGINS & body.keys():
        setattr(world.logins, name, body.pop(name))
    for name in {"modes", "gateway_keys"} & body.keys():
        setattr(world.logins, name, set(body.pop(name)))
    return _SWITCH(world, body, args)


def _days(world: World, body: Any, _args: dict[str, Any]) -> Any:
    paying.pass_days(world, float(body.get("days", 1)))
    return {"now": world.clock()}


def _which(body: Any) -> int | tuple[str, str]:
    return int(body["id"]) if "id" in body else (body["vendor"], body["number"])


def _pairs(rows: Any) -> list[tuple[str, Decimal]]:
    return [(name, Decimal(str(amount))) for name, amount in rows]


def _capture(world: World, body: Any, _args: dict[str, Any]) -> Any:
    dated = date.fromisoformat(body.pop("dated")) if "dated" in body else None
    lines = _pairs(body.pop("lines"))
    return asdict(back_office.capture(world, body.pop("vendor"), body.pop("number"), lines, dated=dated, **body))


def _invoice(world: World, body: Any, args: dict[str, Any]) -> Any:
    acts = {
        "approve": lambda: back_office.approve(world, _which(body), close=bool(body.get("close"))),
        "reject": lambda: back_office.reject(world, _which(body), body.get("reason", "Not ours")),
        "change": lambda: back_office.change(world, _which(body), body["values"]),
        "leave": lambda: back_office.leave_batch(world, _which(body)),
        "remove": lambda: back_office.remove(world, _which(body)),
    }
    return asdict(acts[args["act"]]())


def _batch(world: World, body: Any, args: dict[str, Any]) -> Any:
    if args["act"] == "reopen":
        return [asdict(back_office.reopen_batch(world, body["guid"]))]
    made = [back_office.close_batch(world, body["guid"])] if "guid" in body else back_office.close_all(world)
    return [asdict(one) for one in made]


def _pay(world: World, body: Any, _args: dict[str, Any]) -> Any:
    method, first = body.get("method", "Check"), body.get("state", "")
    if "parts" in body:
        made = paying.pay_other(world, body["vendor"], _pairs(body["parts"]), method=method, state=first)
        return asdict(made)
    found = [one if isinstance(one, int) else tuple(one) for one in body["invoices"]]
    discounts, amounts = (_by_position(body.get(name)) for name in ("discounts", "amounts"))
    return asdict(paying.pay(world, found, method=method, discounts=discounts, amounts=amounts, state=first))


def _by_position(given: Any) -> dict[int, Decimal]:
    return {int(position): Decimal(str(amount)) for position, amount in (given or {}).items()}


def _payment(world: World, body: Any, args: dict[str, Any]) -> Any:
    number = int(body["id"])
    acts = {
        "advance": lambda: paying.advance(world, number),
        "issue": lambda: paying.issue(world, number),
        "clear": lambda: paying.clear(world, number),
        "void": lambda: paying.void(world, number),
        "return": lambda: paying.give_back(world, number),
        "fail": lambda: paying.fail(world, number, int(body.get("reason", 5))),
        "recover": lambda: paying.recover(world, number),
        "reissue": lambda: paying.reissue(world, number, keep_id=body.get("keep_id", True)),
        "move": lambda: paying.move(world, number, body["state"]),
    }
    return asdict(acts[args["act"]]())


def _master(world: World, body: Any, args: dict[str, Any]) -> Any:
    return back_office.change_master(world, _KINDS[args["name"]], body)


def _deactivate(world: World, body: Any, _args: dict[str, Any]) -> Any:
    return back_office.deactivate_vendor(world, body["code"])


def _remove_code(world: World, body: Any, _args: dict[str, Any]) -> Any:
    back_office.remove_code(world, body["group"], body["value"])
    return {}


def _expire(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    world.logins.expire()
    return {}


def _user(world: World, body: Any, _args: dict[str, Any]) -> Any:
    user = body["user"]
    if "password" in body:
        world.logins.change_password(user, body["password"])
    for name, users in (("expired", world.logins.expired_passwords), ("locked", world.logins.locked)):
        (users.add if body.get(name) else users.discard)(user)
    return {}


def _company(world: World, body: Any, _args: dict[str, Any]) -> Any:
    world.companies.append(Company(str(body["id"]), body["name"]))
    return {}


_ROUTES = control.routes(
    [
        ("GET", "state", _state),
        ("POST", "switches", _switch),
        ("POST", "days", _days),
        ("POST", "invoices", _capture),
        ("POST", "invoices/<any(approve,reject,change,leave,remove):act>", _invoice),
        ("POST", "batches/<any(close,reopen):act>", _batch),
        ("POST", "payments", _pay),
        ("POST", "payments/<any(advance,issue,clear,void,return,fail,recover,reissue,move):act>", _payment),
        ("POST", "<any(vendors,codes,orders):name>", _master),
        ("POST", "vendors/deactivate", _deactivate),
        ("POST", "codes/remove", _remove_code),
        ("POST", "tokens/expire", _expire),
        ("POST", "users", _user),
        ("POST", "companies", _company),
    ]
)


def answer(world: World, request: Request, body: bytes) -> Response:
    """Answer one control call; what goes wrong is 400 with its text."""
    return control.answer(_ROUTES, world, request, body, back_office.Refused)
