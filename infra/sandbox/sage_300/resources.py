"""The resources behind the router: lists, entries, inserts, changes, processes (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Response

from . import batches, masters, payments, posting, purchasing
from .call import Call
from .codec import reply, shown
from .errors import invalid_key, method_not_allowed, resource_not_found
from .fields import MODULES, Record, Resource
from .metadata import metadata
from .query import Query, paged, parse_query
from .world import World

_CREATE: dict[str, Callable[[World, Any], Record]] = {
    "APInvoiceBatches": batches.create,
    "APPaymentAndAdjustmentBatches": payments.create,
    "POPurchaseOrders": purchasing.order,
    "POReceipts": purchasing.receive,
    "POReturns": purchasing.give_back,
}
_CHANGE: dict[str, Callable[[World, Any, Any], None]] = {
    "APInvoiceBatches": batches.change,
    "APPaymentAndAdjustmentBatches": payments.change,
}


def serve(world: World, call: Call) -> Response:
    """Answer one call whose credentials are right; raises `Refusal`."""
    if call.name == "$metadata" and call.module in MODULES and world.metadata:
        if call.method != "GET":
            raise method_not_allowed(call.method, call.name)
        return metadata(call.module, world.not_offered)
    resource = call.resource
    if resource is None or resource.name in world.not_offered:
        raise resource_not_found(call.label)
    if call.method not in resource.verbs:
        raise method_not_allowed(call.method, call.name)
    if resource.name == "APPostInvoices":
        return _process(world, call)
    if call.key_text is None:
        return _collection(world, call, resource)
    return _entry(world, call, resource, call.key(resource))


def _process(world: World, call: Call) -> Response:
    template = call.key_text is not None and "$template" in call.key_text
    found = posting.run(world, call.key_text, {} if template else call.json())
    if found is None:
        return Response(b"", world.process_status)
    return reply(_context(world, call, "/$entity") | shown("PostInvoices", found, world.date_tail))


def _collection(world: World, call: Call, resource: Resource) -> Response:
    if call.method == "POST":
        record = _create(world, resource.name, call.json())
        body = _context(world, call, "/$entity") | shown(resource.type, record, world.date_tail)
        return reply(body, world.created_status)
    if call.method != "GET":
        raise invalid_key(f"{call.method} needs the key of one record of {resource.name}")
    return _page(world, call, resource)


def _create(world: World, name: str, body: Any) -> Record:
    own = _CREATE.get(name)
    return masters.create(world, name, body) if own is None else own(world, body)


def _change(world: World, name: str, key: Any, body: Any) -> None:
    own = _CHANGE.get(name)
    if own is None:
        masters.change(world, name, key, body)
    else:
        own(world, key, body)


def _page(world: World, call: Call, resource: Resource) -> Response:
    query = parse_query(call.options, resource.type, world.grammar)
    rows = [row for row in world.rows(resource.name) if query.matches(row)]
    page, following = paged(rows, query, world.page_size)
    mark = world.annotations
    body = _context(world, call, _of(query))
    if query.counted:
        # The older spelling comes with a text.
        body[f"{mark}count"] = len(rows) if mark.startswith("@") else str(len(rows))
    body["value"] = [shown(resource.type, row, world.date_tail, query.select) for row in page]
    if following is not None:
        body[f"{mark}nextLink"] = next_link(world, call, following)
    return reply(body)


def _of(query: Query) -> str:
    return "" if query.select is None else f"({','.join(query.select)})"


def next_link(world: World, call: Call, skip: int) -> str:
    """A link with the server's internal host, which lacks all options but $skip: never follow it."""
    kept = [f"{name}={quote(value)}" for name, value in call.options if name != "$skip" and world.next_link == "keep"]
    query = "&".join([*kept, f"$skip={skip}"])
    return f"{world.internal_host}/v1.0/-/{call.company}/{call.module}/{call.name}?{query}"


def _context(world: World, call: Call, tail: str) -> dict[str, Any]:
    base = f"{world.internal_host}/v1.0/-/{call.company}/{call.module}"
    return {f"{world.annotations}context": f"{base}/$metadata#{call.name}{tail}"}


def _entry(world: World, call: Call, resource: Resource, key: Any) -> Response:
    if call.method == "GET":
        query = parse_query(call.options, resource.type, world.grammar, entry=True)
        record = shown(resource.type, world.find(resource.name, key), world.date_tail, query.select)
        return reply(_context(world, call, "/$entity") | record)
    if call.method == "POST":
        raise invalid_key(f"A record of {resource.name} is inserted without a key in the address")
    if call.method == "PATCH":
        _change(world, resource.name, key, call.json())
    elif call.method == "PUT":
        masters.replace(world, resource.name, key, call.json())
    else:
        masters.delete(world, resource.name, key)
    return Response(b"", 204)
