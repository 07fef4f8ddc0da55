"""The OData service: tables of each company, to read only, at most so many rows in a request."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from werkzeug.wrappers import Response

from ..kit.codec import encode
from .call import Call
from .errors import ODataRefusal
from .odata_filters import Dialect, bad, column_of, compile_filter
from .tables import TABLES, Column, Record, Table
from .world import World

BASE = "/SYSPRO8Odata/SYSPROOData"
_KNOWN = ("$top", "$skip", "$filter", "$orderby", "$select")


def serve(world: World, call: Call) -> Response:
    """Answer one request for rows."""
    if not world.odata.accepts(call.credentials()):
        raise ODataRefusal(401, "Authorization has been denied for this request.")
    if call.method != "GET":
        raise ODataRefusal(405, f"The requested resource does not support http method '{call.method}'.")
    tables = world.database(call.company)
    if tables is None or call.table not in TABLES:
        raise ODataRefusal(404, f"Resource not found for the segment '{call.company}/{call.table}'.")
    table, options = TABLES[call.table], _options(call)
    rows = _ordered(world, table, world.mixed(list(tables[table.name].values())), options.get("$orderby", ""))
    if options.get("$filter"):
        keep = compile_filter(options["$filter"], table, Dialect(world.fold, world.date_literal))
        rows = [row for row in rows if keep(row)]
    skip, top = _number(options, "$skip") or 0, _number(options, "$top")
    if top is not None and top > world.page_limit and world.over_limit == "refused":
        raise bad(f"The limit of '{world.page_limit}' for Top query has been exceeded.")
    wanted = rows[skip:] if top is None else rows[skip : skip + top]
    page = wanted[: world.page_limit]
    names = options["$select"].split(",") if options.get("$select") else list(table.columns)
    columns = [column_of(table, name.strip()) for name in names]
    body: dict[str, Any] = {
        "@odata.context": f"{call.host_url.rstrip('/')}{BASE}/{call.company}/$metadata#{table.name}",
        "value": [{c.name: _json(world, c, row[c.name]) for c in columns} for row in page],
    }
    if world.next_link and len(page) < len(wanted):
        body["@odata.nextLink"] = next_link(world, call, skip + len(page), top and top - len(page))
    return reply(body)


def reply(body: Any, status: int = 200) -> Response:
    """Write a JSON answer with what the service always says of itself."""
    kind = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
    headers = {"OData-Version": "4.0", "Server": "Microsoft-IIS/10.0"}
    return Response(encode(body), status, headers, content_type=kind)


def refused(error: ODataRefusal) -> Response:
    """Word a refusal; the envelope is OData's (inferred)."""
    response = reply({"error": {"code": "", "message": error.text}}, error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="SYSPRO OData"'
    return response


def next_link(world: World, call: Call, skip: int, top: int | None) -> str:
    """Give the address of the rows after those skipped; the other options stay."""
    options = [(name, value) for name, value in call.options if name not in ("$skip", "$top")]
    options += [("$skip", str(skip))] + ([("$top", str(top))] if top is not None else [])
    host = call.host_url.rstrip("/") if world.next_link != "relative" else ""
    where = f"{BASE}/{quote(call.company)}/{call.table}" if host else call.table
    return f"{host}{where}?{urlencode(options, safe='$')}"


def _options(call: Call) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in call.options:
        if not name.startswith("$"):
            continue  # custom options are nobody's business
        if name not in _KNOWN or name in found:
            raise bad(f"The query option '{name}' is not supported, or comes twice.")
        found[name] = value
    return found


def _number(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise bad(f"The value '{text}' for {name} is not a non-negative integer.")
    return int(text)


def _ordered(world: World, table: Table, rows: list[Record], text: str) -> list[Record]:
    for part in reversed([part.split() for part in text.split(",")] if text.strip() else []):
        if not part or len(part) > 2 or part[1:] not in ([], ["asc"], ["desc"]):
            raise bad(f"Syntax error in $orderby '{text}'.")
        column = column_of(table, part[0])
        if column.kind == "b":
            raise bad(f"'{column.name}' is Edm.Binary and cannot be ordered by.")
        rows = sorted(rows, key=_sorting(world, column), reverse=part[1:] == ["desc"])
    return rows


def _sorting(world: World, column: Column) -> Callable[[Record], Any]:
    name = column.name
    if column.kind == "c":
        return lambda row: world.fold(row[name])
    return lambda row: (row[name] is not None, row[name])


def _json(world: World, column: Column, value: Any) -> Any:
    if column.kind == "d":
        return None if value is None else f"{value}{world.date_style}"
    if column.kind == "b":
        return base64.b64encode(int(value).to_bytes(8, "big")).decode()
    return round(Decimal(value), column.size) if column.kind == "n" else value
