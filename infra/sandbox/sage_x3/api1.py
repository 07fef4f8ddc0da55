"""api1: REST over classes and their representations, with X3's codes (dossier 1)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cmp_to_key
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Response

from ..kit.codec import decode, encode
from ..kit.filters import COMPARE
from . import render, writes
from .call import Call
from .errors import Absent, Gateway, Refusal, Wrong
from .logins import opened
from .representations import Representation
from .tables import TABLES, Column, Key, Record
from .where import Where
from .world import World

_FACET = re.compile(r"(\w+)\.\$(\w+)")
_PROTOTYPES = re.compile(r"prototypes\('(\w+)\.\$(\w+)'\)")
_KEY = re.compile(r"(gt|ge|lt|le)\.(.*)", re.DOTALL)
_ORDER = re.compile(r"(\w+)(?:\s+(asc|desc))?")


def serve(world: World, call: Call) -> Response:
    """Answer a call that knows who it is."""
    log_in(world, call.authorization)
    if call.surface == "admin":
        found = [{"$uuid": world.endpoint, "$key": "1", "name": world.endpoint, "dataset": world.folder}]
        return answer({"$itemsPerPage": 20, "$resources": found, "$links": {}})
    if call.endpoint != world.endpoint:
        raise Refusal(404, f"Endpoint {call.endpoint} not found")
    if not any(cls == call.cls for cls, _ in world.representations):
        raise Refusal(404, f"Class {call.cls} not found")
    if call.cls in world.forbidden:
        raise Refusal(403, "Your profile has no right to this function")
    if call.extra.startswith("prototypes"):
        match = _PROTOTYPES.fullmatch(call.extra)
        name, facet = (match[1], match[2]) if match else ("", "")
        return answer(render.prototype(world, _shown(world, call.cls, name, facet), facet))
    return _acted(world, call)


def log_in(world: World, header: str) -> None:
    """Refuse who is not known: every call is signed for itself."""
    if header.startswith("Bearer ") and "bearer" in world.auth:
        if "azp" not in opened(header.partition(" ")[2])[1]:
            world.logins.signed(header)
            return
        try:
            world.logins.paired_by(header)
        except Gateway as error:
            raise Refusal(401, error.text) from None
    elif header.startswith("Basic ") and "basic" in world.auth:
        world.logins.basic(header)
    else:
        raise Refusal(401, "Authentication required")


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Give a JSON answer."""
    return Response(encode(body), status, headers, content_type="application/json")


def diagnoses(text: str) -> Record:
    """Give an error as X3 words it."""
    return {"$diagnoses": [{"$severity": "error", "$message": text}]}


def refused(world: World, call: Call, error: Exception) -> Response:
    """Word a refusal."""
    if isinstance(error, Refusal) and error.plain:
        return Response(error.text, error.status, content_type="text/plain")
    if isinstance(error, Refusal):
        headers = {"WWW-Authenticate": 'Basic realm="Syracuse"'} if error.status == 401 else None
        return answer(diagnoses(error.text), error.status, headers)
    if isinstance(error, Absent):
        return answer(diagnoses(error.text), world.absent_status)
    assert isinstance(error, Wrong)
    return answer(diagnoses(error.text), world.refusal_status if call.method == "POST" else 200)


def _shown(world: World, cls: str, name: str, facet: str) -> Representation:
    found = world.representations.get((cls, name))
    if found is None:
        raise Refusal(500, f"Representation {name or '(none)'} not found in class {cls}")
    if facet not in found.facets:
        raise Refusal(500, f"Facet ${facet} not found in representation {name}")
    return found


def _acted(world: World, call: Call) -> Response:
    match = _FACET.fullmatch(call.args.get("representation", ""))
    name, facet = (match[1], match[2]) if match else ("", "")
    shown = _shown(world, call.cls, name, facet)
    verbs = {
        ("GET", False): ({"query", "lookup"}, _query),
        ("GET", True): ({"details", "edit", "summary", "lookup"}, _details),
        ("POST", False): ({"create", "edit"}, _create),
        ("PUT", True): ({"edit"}, _change),
        ("DELETE", True): ({"edit"}, _delete),
    }
    if call.extra:
        if (call.method, facet) != ("GET", "create"):
            raise Refusal(400, "A template is read by the facet $create")
        return answer({"$descriptor": call.cls} | _blank(world, shown))
    if (call.method, call.key is not None) not in verbs:
        raise Refusal(405, f"{call.method} is not allowed here")
    facets, act = verbs[call.method, call.key is not None]
    if facet not in facets:
        raise Refusal(400, f"{call.method} is not for the facet ${facet}")
    return act(world, call, shown)


def _blank(world: World, shown: Representation) -> Record:
    columns = shown.columns(shown.cls, world.stamp)
    return {name: render.value(world, column, column.default()) for name, column in columns.items()}


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _query(world: World, call: Call, shown: Representation) -> Response:
    table = TABLES[shown.cls]
    columns = shown.columns(shown.cls, world.stamp)
    for name in {"offset", "$skip", "skip", "startIndex"} & call.args.keys():
        world.violations.append(f"{call.label}: paged by {name}, which X3 does not know")
    rows = world.rows(shown.cls)
    if (text := call.args.get("where", "").strip()) != "":
        fits = Where(text, columns).parse()
        rows = [row for row in rows if fits(row)]
    field, down = _order(call, columns)
    sort = [table.columns[field]] if field else []
    sort += [table.columns[name] for name in table.key]
    names = [column.name for column in sort]
    rows.sort(key=cmp_to_key(lambda a, b: _compare([a[n] for n in names], [b[n] for n in names], down)))
    if (text := call.args.get("key", "")) != "":
        rows = _from(rows, text, sort, down)
    size = _count(world, call)
    page, more = rows[:size], len(rows) > size
    found = [render.listed(world, shown, row) for row in page]
    links: dict[str, Any] = {"$first": {"$url": _link(world, call, shown, "")}}
    if more:
        last = render.key_text(tuple(page[-1][n] for n in names))
        links["$next"] = {"$url": _link(world, call, shown, f"gt.{last}")}
    body = {"$url": call.root + call.path, "$descriptor": shown.cls, "$itemsPerPage": size, "$resources": found}
    return answer(body | {"$links": links})


def _order(call: Call, columns: dict[str, Column]) -> tuple[str, bool]:
    """The field that is sorted by, and whether downwards; several of them are written in a disputed way."""
    text = call.args.get("orderBy", "").strip()
    if not text:
        return "", False
    match = _ORDER.fullmatch(text)
    if match is None or match[1] not in columns:
        raise Refusal(500, f"orderBy {text} : unknown property")
    return columns[match[1]].name, match[2] == "desc"


def _compare(left: list[Any], right: list[Any], down: bool) -> int:
    """Compare sort keys, or the first parts of one; only the first part goes downwards."""
    for position, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            less = a is None or (b is not None and a < b)
            return (-1 if less else 1) * (-1 if down and position == 0 else 1)
    return 0


def _from(rows: list[Record], text: str, sort: list[Column], down: bool) -> list[Record]:
    match = _KEY.fullmatch(text)
    if match is None:
        raise Refusal(400, f"key={text} cannot be read")
    parts = match[2].split("~")
    if len(parts) > len(sort):
        raise Refusal(400, f"key={text} has too many parts")
    wanted = [part_of(column, part) for column, part in zip(sort, parts, strict=False)]
    names, test = [column.name for column in sort], COMPARE[match[1]]
    return [row for row in rows if test(_compare([row[n] for n in names], wanted, down), 0)]


def part_of(column: Column, text: str) -> Any:
    """Read one part of a key in the type of its column; raises a 400."""
    try:
        if column.kind in "mi":
            return int(text)
        if column.kind == "n":
            return Decimal(text)
        if column.kind == "d":
            return date.fromisoformat(text) if text else None
        if column.kind == "t":
            return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, ArithmeticError):
        raise Refusal(400, f"{text} is no value of {column.name}") from None
    return text


def _count(world: World, call: Call) -> int:
    text = call.args.get("count", "20")
    if not text.isdecimal() or text == "0":
        raise Refusal(400, f"count={text} is no number")
    return min(int(text), world.page_limit)


def _link(world: World, call: Call, shown: Representation, key: str) -> str:
    kept = {name: call.args[name] for name in ("where", "orderBy") if call.args.get(name)}
    if world.next_count and "count" in call.args:
        kept["count"] = call.args["count"]
    kept |= {"key": key} if key else {}
    more = "".join(f"&{name}={quote(text, safe='')}" for name, text in kept.items())
    root = call.root if world.next_link == "absolute" else ""
    return f"{root}{call.path}?representation={shown.name}.$query{more}"


def _details(world: World, call: Call, shown: Representation) -> Response:
    return answer(render.detailed(world, shown, found(world, call)))


def found(world: World, call: Call) -> Record:
    """Give the record that the key names; raises `Absent`, also where a part of it is missing."""
    table = TABLES[call.cls]
    return world.find(call.cls, *key_of(table.name, call.key or ""))


def key_of(name: str, text: str) -> Key:
    """Read a key of a table; raises `Absent` where it has not as many parts."""
    table, parts = TABLES[name], text.split("~")
    if len(parts) != len(table.key):
        raise Absent
    return tuple(part_of(table.columns[column], part) for column, part in zip(table.key, parts, strict=True))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _body(call: Call) -> Any:
    try:
        return decode(call.body, unique=True)
    except ValueError as error:
        raise Refusal(400, f"The body cannot be read: {error}") from None


def _create(world: World, call: Call, shown: Representation) -> Response:
    values = writes.typed(world, shown.cls, _body(call), shown)
    row = writes.create(world, shown.cls, values)
    key = render.key_text(TABLES[shown.cls].key_of(row))
    where = render.address(call.root, world.endpoint, shown.cls, key, shown.name, "details")
    return answer(render.detailed(world, shown, row), 201, {"Location": where})


def _change(world: World, call: Call, shown: Representation) -> Response:
    row = found(world, call)
    changed = writes.change(world, shown.cls, row, writes.typed(world, shown.cls, _body(call), shown))
    return answer(render.detailed(world, shown, changed))


def _delete(world: World, call: Call, shown: Representation) -> Response:
    writes.delete(world, shown.cls, found(world, call))
    return answer({})
