"""Pages of lists: the styles that the newer interface may have, and that of the older one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from .call import Call
from .errors import Refusal
from .world import World

PARAMETERS = {
    "page": ("pageNumber", "pageSize"),
    "offset": ("offset", "limit"),
    "cursor": ("cursor", "pageSize"),
    "link": ("cursor", "pageSize"),
    "none": ("pageNumber", "pageSize", "offset", "limit"),
}
OLD_PARAMETERS = ("PageNumber", "PageSize")


def check(world: World, call: Call, filters: Sequence[str]) -> None:
    """Refuse unknown parameters, and a list that is not filtered by one of `filters`."""
    tenant = (world.tenant_name,) if world.tenant == "query" else ()
    call.only((*filters, *PARAMETERS[world.paging], *tenant))
    if world.unfiltered == "refused" and not any(call.arg(name) for name in filters):
        raise Refusal(400, "FILTER_REQUIRED", f"At least one filter is required: {', '.join(filters)}")


def envelope(world: World, call: Call, rows: Sequence[Any]) -> dict[str, Any]:
    """One page of rows with what its style says of the others; `rows` are all of them."""
    style, total = world.paging, len(rows)
    size = world.page_size if style == "none" else call.number("limit" if style == "offset" else "pageSize", 0)
    size = size or world.page_size
    if size > world.page_limit and world.over_limit == "refused":
        raise Refusal(400, "INVALID_PARAMETER", f"A page has {world.page_limit} items at most")
    size = min(size, world.page_limit)
    if style == "none":
        return {"items": list(rows)}
    if style == "page":
        page = max(call.number("pageNumber", 1), 1)
        paging = {"pageNumber": page, "pageSize": size, "pages": -(-total // size), "totalItems": total}
        return {"items": list(rows[(page - 1) * size : page * size]), "paging": paging}
    start = call.number("offset", 0) if style == "offset" else _position(call.arg("cursor"))
    found, end = list(rows[start : start + size]), start + size
    if style == "offset":
        return {"items": found, "paging": {"offset": start, "limit": size, "totalItems": total}}
    cursor = f"c{end:x}" if end < total else None
    if style == "cursor":
        return {"items": found, "paging": {"nextCursor": cursor}}
    links = [{"rel": "next", "href": f"{world.prefix}{call.path}?{_with(call, cursor=cursor)}"}] if cursor else []
    return {"items": found, "paging": {"links": links}}


def _position(cursor: str) -> int:
    try:
        return int(cursor[1:], 16) if cursor else 0
    except ValueError:
        raise Refusal(400, "INVALID_CURSOR", f"The cursor '{cursor}' is not known") from None


def _with(call: Call, **changed: object) -> str:
    args = call.args | {name.lower(): value for name, value in changed.items()}
    return "&".join(f"{name}={quote(str(value), safe=',')}" for name, value in args.items())


def old_envelope(world: World, call: Call, rows: Sequence[Any]) -> dict[str, Any]:
    """One page as the older interface has them; the next link is relative to the host."""
    if not world.pages_name:
        return {"Items": list(rows)}
    size = min(call.number("PageSize", world.old_page_size) or world.old_page_size, world.old_page_size)
    page, pages = max(call.number("PageNumber", 1), 1), -(-len(rows) // size)
    found = list(rows[(page - 1) * size : page * size])
    more = f"{world.prefix}{call.path}?{_with(call, PageNumber=page + 1, PageSize=size)}"
    paging = {
        "PageNumber": page,
        "PageSize": size,
        world.pages_name: pages,
        "PageItems": len(found),
        "TotalItems": len(rows),
        "Links": [{"Rel": "next", "Href": more}] if page < pages else [],
    }
    return {"Items": found, "Paging": paging}


# ── days ────────────────────────────────────────────────────────────────────────────────────────────────────────


def day(call: Call, name: str) -> date:
    """A parameter that is a whole day; neither a time nor an offset is taken."""
    try:
        return datetime.strptime(call.arg(name), "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Refusal(400, "INVALID_DATE", f"{name} must be a day such as 2026-01-31, not '{call.arg(name)}'") from None


def moment(world: World, call: Call, name: str, *, end: bool = False) -> datetime:
    """A parameter that is a day or an aware time; `end`: a day means its last moment."""
    text = call.arg(name)
    if len(text) == 10 and world.filter_days != "datetime":
        found = datetime.combine(day(call, name), time(), UTC)
        return found + timedelta(days=1, microseconds=-1) if end else found
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "INVALID_DATE", f"{name} is not a valid date: '{text}'") from None
    if len(text) == 10 or world.filter_days == "date" or found.tzinfo is None:
        raise Refusal(400, "INVALID_DATE", f"{name} is not in the expected form: '{text}'")
    return found


def window(world: World, call: Call, first: str, last: str) -> tuple[date, date]:
    """The whole days from `first` to `last`, both of them demanded and both counted."""
    start, end = day(call, first), day(call, last)
    if end < start:
        raise Refusal(400, "INVALID_RANGE", f"{last} lies before {first}")
    if (end - start).days + 1 > world.window_days:
        raise Refusal(400, "INVALID_RANGE", f"{first} to {last} spans more than {world.window_days} days")
    return start, end
