"""The query options of a read: $filter $select $orderby $top $skip, counts, expansion, page size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers, MultiDict

from ..kit.filters import Predicate
from .errors import bad_request, invalid_property
from .fields import Field, Record
from .filters import compile_filter

DEFAULT_PAGE = 20
_KNOWN = frozenset(
    {"$filter", "$select", "$orderby", "$top", "$skip", "$expand", "$apply", "$inlinecount", "$count", "$format"}
)
# The few navigation properties that may be expanded; the sandbox accepts them and adds nothing (inferred).
_NAVIGATION = frozenset({"BusinessPartner", "Currency", "PaymentTermsType", "VatGroup", "Project"})


@dataclass
class Query:
    """A parsed query. `page` 0 means that the answer is not paged; `preferred` is what Prefer asked for."""

    matches: Predicate = lambda _row: True
    select: list[str] | None = None
    order: list[tuple[str, bool]] = field(default_factory=list)
    top: int | None = None
    skip: int = 0
    page: int = DEFAULT_PAGE
    preferred: int | None = None
    counted: bool = False


def _whole(args: MultiDict[str, str], name: str) -> int | None:
    text = args.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise bad_request(f"Invalid value '{text}' of query option {name}")
    return int(text)


def _named(name: str, type_name: str, fields: dict[str, Field], collections: bool) -> str:
    found = fields.get(name)
    if found is None or (found.kind == "l" and not collections):
        raise invalid_property(name, type_name)
    return name


def _order(text: str, type_name: str, fields: dict[str, Field]) -> list[tuple[str, bool]]:
    keys = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise bad_request(f"Invalid $orderby '{text}'")
        keys.append((_named(words[0], type_name, fields, collections=False), words[-1] == "desc"))
    return keys


def _counted(args: MultiDict[str, str], version: str) -> bool:
    if version == "v1":
        if "$count" in args:
            raise bad_request("Query option $count is not supported")
        value = args.get("$inlinecount", "none")
        if value not in ("none", "allpages"):
            raise bad_request(f"Invalid $inlinecount '{value}'")
        return value == "allpages"
    if "$inlinecount" in args:
        raise bad_request("Query option $inlinecount is not supported")
    return args.get("$count") == "true"


def _pages(query: Query, headers: Headers) -> None:
    for part in headers.get("Prefer", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "odata.maxpagesize" and value.isdigit():
            query.page = query.preferred = int(value)
    size = headers.get("B1S-PageSize", "")
    if size.isdigit():
        query.page = int(size)


def _refuse_expansion(args: MultiDict[str, str]) -> None:
    for name in filter(None, args.get("$expand", "").split(",")):
        if name.strip().partition("(")[0] not in _NAVIGATION:
            raise bad_request(f"invalid navigation property: {name.strip()}")


def parse_query(
    args: MultiDict[str, str], headers: Headers, version: str, type_name: str, fields: dict[str, Field]
) -> Query:
    """Read the options of one request; raises `Refusal` (400) for what the server does not support."""
    for name in args:
        if name.startswith("$") and name not in _KNOWN:
            raise bad_request(f"Query option {name} is not supported")
    if "$apply" in args:
        # $apply exists on real servers; the sandbox leaves it out because no client of ours may need it.
        raise bad_request("Query option $apply is not supported")
    _refuse_expansion(args)
    query = Query(top=_whole(args, "$top"), skip=_whole(args, "$skip") or 0, counted=_counted(args, version))
    fold = headers.get("B1S-CaseInsensitive", "").lower() == "true"
    if "$filter" in args:
        query.matches = compile_filter(args["$filter"], type_name, fields, fold)
    if args.get("$select", "*") != "*":
        query.select = [_named(n.strip(), type_name, fields, True) for n in args["$select"].split(",")]
    if "$orderby" in args:
        query.order = _order(args["$orderby"], type_name, fields)
    _pages(query, headers)
    return query


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def ordered(rows: list[Record], query: Query) -> list[Record]:
    """The rows that match, in the order asked for (nulls first, as both databases do ascending)."""
    found = [row for row in rows if query.matches(row)]
    for name, descending in reversed(query.order):
        found.sort(key=lambda row: _sort_key(row.get(name)), reverse=descending)
    return found


def paged(rows: list[Record], query: Query) -> tuple[list[Record], int | None]:
    """One page of sorted rows and the $skip of the next one, None at the end.

    $top larger than a page is served in pages too and ends at $top (inferred: it is not documented).
    """
    end = len(rows) if query.top is None else min(len(rows), query.skip + query.top)
    stop = end if query.page == 0 else min(end, query.skip + query.page)
    return rows[query.skip : stop], (stop if stop < end else None)
