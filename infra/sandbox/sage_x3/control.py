"""Control routes of the sandbox, for tests in another process; none needs a login.

GET    /_sandbox/state                     counts, entries, open items, payments, calls, violations
POST   /_sandbox/faults, DELETE            see `kit.control`
POST   /_sandbox/records/{table}           makes or changes one row by its key
DELETE /_sandbox/records/{table}           {column: value} of its key: deletes one without a trace
POST   /_sandbox/orders                    {"supplier", "lines": [{column: value}], ["number", "dated", "center"]}
POST   /_sandbox/orders/change             {"number", "line", ["quantity", "price"]}
POST   /_sandbox/orders/close              {"number"}
POST   /_sandbox/receipts                  {"number", ["quantities": {line: quantity}]}
POST   /_sandbox/invoices                  {"supplier", "source", "lines": [{field of Line: value}], ["kind", …]}
POST   /_sandbox/entries                   {"kind", "lines": [{ACC, SNS, AMTCUR, [BPR, CCE]}], [columns of the header]}
POST   /_sandbox/entries/reverse, delete   {"kind", "number"}
POST   /_sandbox/payments                  {"number": of the entry, ["amount"]}: a clerk enters a payment
POST   /_sandbox/payments/post, void       {"number": of the payment}
POST   /_sandbox/charts                    {"chart", ["ledger"]}: a second chart with the same accounts
POST   /_sandbox/periods                   {"close": month} or {"open": month}
POST   /_sandbox/representations           {"class", "name", "facets": […], ["hidden": […]]}, or "drop": true
POST   /_sandbox/templates                 {"code", ["without": column, "days", "active", "imports", "updates"]}
POST   /_sandbox/logins                    {name: value} of the switches of `Logins`
POST   /_sandbox/applications              {"client_id", …} changes a connected application or a paired app
POST   /_sandbox/switches                  {name: value} of the plain switches of `World`
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit import control
from . import back_office, supplier_invoices
from .errors import Business
from .representations import Representation
from .tables import TABLES, Record
from .world import World

_SETS = frozenset(f.name for f in fields(World) if str(f.type).startswith("set["))
_SWITCHES = {f.name for f in fields(World) if f.type in ("str", "int", "bool")}
_SWITCHES |= {"entry_types", "payment_types", "mandatory", "collections"}
_LOGINS = {"region", "spelling", "daily_quota"}
_SHOWN = ("GACCENTRY", "GACCENTRYD", "GACCENTRYA", "GACCDUDATE", "PAYMENTH", "PAYMENTD", "PINVOICE")


def state(world: World) -> dict[str, Any]:
    """What a test wants to compare: see the route list above."""
    return {
        "counts": {name: len(rows) for name, rows in world.tables.items()},
        **{name: world.rows(name) for name in _SHOWN},
        "calls": dict(world.calls),
        "violations": list(world.violations),
        "login_failures": world.logins.refused.total(),
        "gateway_calls": dict(world.logins.used),
        "faults": control.faults_seen(world),
    }


def _state(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    return state(world)


def typed(name: str, values: Record) -> Record:
    """The values of a row in the types of its table: exact numbers and days from texts too."""
    columns = TABLES[name].columns
    return {key: _one(columns[key].kind, value) if key in columns else value for key, value in values.items()}


def _one(kind: str, value: Any) -> Any:
    if kind == "n":
        return Decimal(str(value))
    return date.fromisoformat(value) if kind == "d" and isinstance(value, str) else value


def _record(world: World, body: Any, args: dict[str, Any]) -> Any:
    return back_office.change(world, args["name"], typed(args["name"], body))


def _removed(world: World, body: Any, args: dict[str, Any]) -> Any:
    back_office.remove(world, args["name"], *(body[part] for part in TABLES[args["name"]].key))
    return {}


def _order(world: World, body: Any, _args: dict[str, Any]) -> Any:
    lines = [typed("PORDERQ", typed("PORDERP", line)) for line in body.pop("lines")]
    dated = date.fromisoformat(body.pop("dated")) if "dated" in body else None
    return back_office.order(world, body.pop("supplier"), lines, dated=dated, **body)


def _order_act(world: World, body: Any, args: dict[str, Any]) -> Any:
    if args["verb"] == "close":
        return back_office.close_order(world, body["number"])
    quantity, price = (Decimal(str(body[name])) if name in body else None for name in ("quantity", "price"))
    return back_office.change_order(world, body["number"], body["line"], quantity, price)


def _receive(world: World, body: Any, _args: dict[str, Any]) -> Any:
    given = body.get("quantities")
    wanted = None if given is None else {int(line): Decimal(str(quantity)) for line, quantity in given.items()}
    return back_office.receive(world, body["number"], wanted)


def _invoice(world: World, body: Any, _args: dict[str, Any]) -> Any:
    lines = [supplier_invoices.Line(**_exact(line)) for line in body.pop("lines")]
    dated = date.fromisoformat(body.pop("dated")) if "dated" in body else None
    return supplier_invoices.enter(world, body.pop("supplier"), body.pop("source"), lines, dated=dated, **body)


def _exact(line: dict[str, Any]) -> dict[str, Any]:
    return line | {name: Decimal(str(line[name])) for name in ("net", "quantity") if name in line}


def _entry(world: World, body: Any, _args: dict[str, Any]) -> Any:
    lines = [
        {name: Decimal(str(v)) if name == "AMTCUR" else v for name, v in line.items()} for line in body.pop("lines")
    ]
    return back_office.enter(world, body.pop("kind"), lines, **typed("GACCENTRY", body))


def _entry_act(world: World, body: Any, args: dict[str, Any]) -> Any:
    act = back_office.reverse if args["verb"] == "reverse" else back_office.delete_entry
    return act(world, body["kind"], body["number"]) or {}


def _payment(world: World, body: Any, _args: dict[str, Any]) -> Any:
    amount = Decimal(str(body["amount"])) if "amount" in body else None
    return back_office.pay(world, body["number"], amount)


def _payment_act(world: World, body: Any, args: dict[str, Any]) -> Any:
    return (back_office.post_payment if args["verb"] == "post" else back_office.void_payment)(world, body["number"])


def _chart(world: World, body: Any, _args: dict[str, Any]) -> Any:
    back_office.add_chart(world, **body)
    return sorted(world.ledgers.values())


def _period(world: World, body: Any, _args: dict[str, Any]) -> Any:
    for month in [body["close"]] if "close" in body else []:
        back_office.close_period(world, month)
    for month in [body["open"]] if "open" in body else []:
        back_office.reopen_period(world, month)
    return sorted(world.closed_periods)


def _representation(world: World, body: Any, _args: dict[str, Any]) -> Any:
    key = (body["class"], body["name"])
    world.representations.pop(key, None)
    if not body.get("drop"):
        if body["class"] not in TABLES:
            raise ValueError(f"no class {body['class']}")
        made = Representation(*key, set(body["facets"]), set(body.get("hidden", [])))
        world.representations[key] = made
    return sorted(name for cls, name in world.representations if cls == body["class"])


def _template(world: World, body: Any, _args: dict[str, Any]) -> Any:
    code = body.pop("code")
    if "without" in body:
        world.templates[code] = world.templates[code].without(body.pop("without"))
    for name, value in body.items():
        if name not in ("days", "active", "imports", "updates"):
            raise ValueError(f"no switch {name!r}")
        setattr(world.templates[code], name, value)
    return {}


def _logins(world: World, body: Any, _args: dict[str, Any]) -> Any:
    for name, value in body.items():
        if name not in _LOGINS:
            raise ValueError(f"no switch {name!r}")
        setattr(world.logins, name, value)
    return {}


def _application(world: World, body: Any, _args: dict[str, Any]) -> Any:
    client = body.pop("client_id")
    found: Any = world.logins.applications.get(client) or world.logins.paired[client]
    for name, value in body.items():
        if not hasattr(found, name):
            raise ValueError(f"no field {name!r}")
        setattr(found, name, set(value) if name == "users" else value)
    return {}


_ROUTES = control.routes(
    [
        ("GET", "state", _state),
        ("POST", "records/<name>", _record),
        ("DELETE", "records/<name>", _removed),
        ("POST", "orders", _order),
        ("POST", "orders/<any(change,close):verb>", _order_act),
        ("POST", "receipts", _receive),
        ("POST", "invoices", _invoice),
        ("POST", "entries", _entry),
        ("POST", "entries/<any(reverse,delete):verb>", _entry_act),
        ("POST", "payments", _payment),
        ("POST", "payments/<any(post,void):verb>", _payment_act),
        ("POST", "charts", _chart),
        ("POST", "periods", _period),
        ("POST", "representations", _representation),
        ("POST", "templates", _template),
        ("POST", "logins", _logins),
        ("POST", "applications", _application),
        ("POST", "switches", control.switching(_SWITCHES, _SETS)),
    ]
)


def answer(world: World, request: Request, body: bytes) -> Response:
    """Answer one control call; what goes wrong is 400 with its text."""
    return control.answer(_ROUTES, world, request, body, Business)
