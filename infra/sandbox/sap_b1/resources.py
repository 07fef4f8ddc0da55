"""The resources behind the router: login and logout, service calls, entity sets and their records."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Response

from . import changes, documents, payments
from .call import Call
from .dialect import etag
from .errors import Refusal, bad_request, not_found, rule_broken, stale, unknown_resource
from .fields import SETS, Record
from .query import Query, ordered, paged, parse_query
from .world import World

_LOGIN_MEMBERS = frozenset({"CompanyDB", "UserName", "Password", "Language"})


def login(world: World, call: Call) -> Response:
    """POST Login: the session id in the body and, without a Path, in the B1SESSION cookie."""
    body = call.json()
    if call.method != "POST" or not isinstance(body, dict) or set(body) - _LOGIN_MEMBERS:
        raise bad_request("Invalid Login request")
    number = world.sessions.login(
        str(body.get("CompanyDB", "")), str(body.get("UserName", "")), str(body.get("Password", ""))
    )
    values = {
        "SessionId": number,
        "Version": world.version_text,
        "SessionTimeout": world.sessions.timeout_minutes,
    }
    response = call.dialect.reply(call.dialect.context("B1Sessions", single=True) | values)
    response.headers.add("Set-Cookie", f"B1SESSION={number};HttpOnly;")
    response.headers.add("Set-Cookie", "ROUTEID=.node1; path=/b1s")
    return response


def logout(world: World, call: Call) -> Response:
    """POST Logout: 204, the session is gone."""
    if call.method != "POST":
        raise bad_request("Invalid Logout request")
    world.sessions.logout(call.session or "")
    return Response(status=204)


def admin_info(world: World, call: Call) -> Response:
    """POST CompanyService_GetAdminInfo: the company's currencies."""
    if call.method != "POST":
        raise unknown_resource()
    values = {
        "CompanyName": world.company,
        "Country": "DE",
        "LocalCurrency": world.local_currency,
        "SystemCurrency": world.local_currency,
        "FederalTaxID": "DE123456789",
    }
    return call.dialect.reply(call.dialect.context("SAPB1.AdminInfo", single=False) | values)


def serve_entity(world: World, call: Call) -> Response:
    """Everything under an entity set."""
    if call.name not in SETS:
        raise unknown_resource()
    if call.key_text is None:
        return _serve_set(world, call)
    key = call.key()
    if call.tail is not None:
        return _run_action(world, call, key)
    record = world.find(call.name, key)
    if call.method == "GET":
        return _single(world, call, record)
    if call.method not in ("PATCH", "DELETE"):
        # PUT exists on real servers and blanks what it omits; no client of ours may use it.
        raise rule_broken("The requested action is not supported for this object.", -5006)
    _check_match(call, record)
    if call.method == "PATCH":
        changes.patch(world, call.name, record, call.json())
    else:
        changes.delete(world, call.name, key)
    return Response(status=204)


def _serve_set(world: World, call: Call) -> Response:
    if call.tail == "$count" and call.method == "GET":
        count = len(ordered(world.rows(call.name), _query(world, call)))
        return Response(str(count), content_type="text/plain;charset=utf-8")
    if call.tail is not None:
        raise unknown_resource()
    if call.method == "GET":
        return _page(world, call, _query(world, call))
    if call.method != "POST":
        raise bad_request(f"Method {call.method} is not possible on {call.name}")
    return _create(world, call)


def _query(world: World, call: Call) -> Query:
    entity = SETS[call.name]
    return parse_query(call.args, call.headers, call.dialect.version, entity.type, world.fields(call.name))


def _page(world: World, call: Call, query: Query) -> Response:
    rows = world.rows(call.name)
    if world.shuffle_ties:
        world.rng.shuffle(rows)
    rows = ordered(rows, query)
    page, following = paged(rows, query)
    fields, entity = world.fields(call.name), SETS[call.name]
    body: dict[str, Any] = call.dialect.context(call.name, single=False)
    if query.counted:
        # OData 3 writes the count as a text, OData 4 as a number (inferred for this server).
        body[call.dialect.mark + "count"] = str(len(rows)) if call.dialect.version == "v1" else len(rows)
    body["value"] = [call.dialect.row(entity.type, fields, row, query.select) for row in page]
    if following is not None:
        body[call.dialect.mark + "nextLink"] = _next_link(world, call, following)
    response = call.dialect.reply(body)
    if query.preferred is not None:
        response.headers["Preference-Applied"] = f"odata.maxpagesize={query.preferred}"
    return response


def _next_link(world: World, call: Call, skip: int) -> str:
    """One of the three forms seen in the field; only $skip may be taken from any of them."""
    if world.next_link_style == "drop":
        return f"/b1s/{call.dialect.version}/{call.name}?$skip={skip}"
    kept = [f"{name}={quote(value, safe=',')}" for name, value in call.args.items() if name != "$skip"]
    link = f"{call.name}?{'&'.join([*kept, f'$skip={skip}'])}"
    return link if world.next_link_style == "relative" else f"/b1s/{call.dialect.version}/{link}"


def _single(world: World, call: Call, record: Record, status: int = 200) -> Response:
    query, entity = _query(world, call), SETS[call.name]
    shown = call.dialect.row(entity.type, world.fields(call.name), record, query.select)
    if call.dialect.version == "v2" and call.headers.get("If-None-Match") == etag(record):
        return Response(status=304)
    response = call.dialect.reply(call.dialect.context(call.name, single=True) | shown, status)
    if call.dialect.version == "v2":
        response.headers["ETag"] = etag(record)
    return response


def _check_match(call: Call, record: Record) -> None:
    wanted = call.headers.get("If-Match")
    if call.dialect.version == "v2" and wanted not in (None, "*", etag(record)):
        raise stale()


def _run_action(world: World, call: Call, key: str | int) -> Response:
    if call.method != "POST":
        raise unknown_resource()
    _check_match(call, world.find(call.name, key))
    changes.act(world, call.name, key, call.tail or "")
    return Response(status=204)


def _create(world: World, call: Call) -> Response:
    body = call.json()
    record: Record | None
    if call.name in ("PurchaseInvoices", "PurchaseCreditNotes"):
        record = documents.post(world, call.name, body)
    elif call.name == "Drafts":
        record = documents.post_draft(world, body)
    elif call.name == "VendorPayments":
        record = payments.post_payment(world, body)
    else:
        raise Refusal(400, -5006, "The requested action is not supported for this object.")
    if record is None:
        return _waits_for_approval(world)
    return _created(world, call, record)


def _created(world: World, call: Call, record: Record) -> Response:
    key = record[SETS[call.name].key]
    quiet = call.prefers("return-no-content")
    response = Response(status=204) if quiet else _single(world, call, record, 201)
    response.autocorrect_location_header = False
    response.headers["Location"] = f"{call.dialect.base}/{call.name}({key})"
    if call.dialect.version == "v2":
        response.headers["ETag"] = etag(record)
    return response


def _waits_for_approval(world: World) -> Response:
    """How a POST is answered that an approval template turned into a draft: not documented (inferred)."""
    if world.approval_reply == "-2028":
        raise not_found()
    return Response(status=204)
