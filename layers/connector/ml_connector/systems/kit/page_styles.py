"""Pages of a list of JSON objects, in each of the styles that a profile may name: page, offset, cursor or link.

Nothing but the metadata or an empty page ends a list. A page that comes again, a list that became shorter while it was
read, or one of which less came than it says that there is, was not read whole: it is read again later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from ml_connector.errors import Transient
from ml_connector.systems.kit.paging import Circle, content_of
from ml_connector.systems.kit.rows import number_of

Fetch = Callable[[Mapping[str, str]], Any]
"""Asks for a page, with these parameters over the list's own; gives its decoded body."""
NAMES: Mapping[str, str] = {"page": "pageNumber", "size": "pageSize", "offset": "offset", "cursor": "cursor"}
_ROWS = ("items", "data", "value", "records")
_TOTAL = ("totalitems", "totalcount", "total")
_PAGES = ("pagecount", "pages", "totalpages")
_CURSOR = ("nextcursor", "cursor", "next")
MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class PageStyle:
    """How a list goes on, and the names of its parameters (`NAMES`)."""

    style: Literal["page", "offset", "cursor", "link"] = "page"
    size: int = 100
    names: Mapping[str, str] = field(default_factory=dict)

    def pages(self, fetch: Fetch, vendor: str, what: str) -> Iterator[list[dict[str, Any]]]:
        """Read page after page, each row as it comes. Raises `Transient` where it cannot be read whole."""
        return _Walk(self, fetch, vendor, what).pages()

    def name(self, parameter: str) -> str:
        """Name a parameter as the server does."""
        usual = "limit" if parameter == "size" and self.style == "offset" else NAMES[parameter]
        return self.names.get(parameter, usual)


@dataclass(slots=True)
class _Walk:
    """One reading of a list. `total`: how many rows it said to have, most lately."""

    style: PageStyle
    fetch: Fetch
    vendor: str
    what: str
    total: int | None = None
    read: int = 0
    number: int = 1

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        asked: dict[str, str] | None = self._first()
        circle = Circle()
        while asked is not None:
            body = self.fetch(asked)
            rows, meta = self._rows(body), _paging(body)
            self._no_fewer(number_of(_of(meta, _TOTAL)))
            self.read += len(rows)
            following = self._following(asked, rows, meta)
            if rows and circle.closes([content_of(rows)]):
                if meta:
                    raise self._doubt("a page was given twice")
                return  # a server that tells nothing gives one page for ever
            if self.number > MOST_PAGES or (following is not None and following == asked):
                raise self._doubt("it has no end")
            yield rows
            asked, self.number = following, self.number + 1
        if self.total is not None and self.read < self.total:
            raise self._doubt(f"it has {self.total} entries, and gave {self.read}")

    def _first(self) -> dict[str, str]:
        style, size = self.style, {self.style.name("size"): str(self.style.size)}
        if style.style == "page":
            return {style.name("page"): "1"} | size
        return ({style.name("offset"): "0"} if style.style == "offset" else {}) | size

    def _following(
        self, asked: Mapping[str, str], rows: Sequence[Any], meta: Mapping[str, Any]
    ) -> dict[str, str] | None:
        """Say what the next page is asked for by; None behind the last one."""
        style = self.style
        if style.style == "link":
            return self._linked(asked, meta)
        if style.style == "cursor":
            cursor = _of(meta, _CURSOR)
            return {**asked, style.name("cursor"): str(cursor)} if cursor not in (None, "") else None
        if not self._goes_on(rows, meta):
            return None
        if style.style == "offset":
            return {**asked, style.name("offset"): str(self.read)}
        return {**asked, style.name("page"): str(self.number + 1)}

    def _goes_on(self, rows: Sequence[Any], meta: Mapping[str, Any]) -> bool:
        pages = number_of(_of(meta, _PAGES))
        if not rows:
            return False
        if self.style.style == "page" and pages is not None:
            return self.number < pages
        if self.total is not None:
            return self.read < self.total
        return len(rows) >= self.style.size  # nothing tells: a full page may not be all

    def _linked(self, asked: Mapping[str, str], meta: Mapping[str, Any]) -> dict[str, str] | None:
        """Take what a next link adds; it may name another host or path, and drop our filter."""
        found = [one for one in _list(_of(meta, ("links",))) if isinstance(one, dict)]
        links = {str(_of(_lower(one), ("rel",))).lower(): _of(_lower(one), ("href",)) for one in found}
        href = links.get("next") or _of(meta, ("nextlink",))
        if not href:
            return None
        try:
            added = dict(parse_qsl(urlsplit(str(href)).query))
        except ValueError as error:
            raise self._doubt(f"its next link is no address ({error})") from error
        if not added:
            raise self._doubt("its next link names no place to go on from")
        return {**asked, **added}

    def _rows(self, body: Any) -> list[dict[str, Any]]:
        found = rows_of(body)
        if found is None or not all(isinstance(row, dict) for row in found):
            raise Transient(
                f"{self.vendor} answered a list of {self.what} without entries. That is no empty list; read later."
            )
        return found

    def _no_fewer(self, total: int | None) -> None:
        if total is not None and self.total is not None and total < self.total:
            raise self._doubt(f"it became shorter while it was read, from {self.total} to {total} entries")
        self.total = total if total is not None else self.total

    def _doubt(self, why: str) -> Transient:
        return Transient(f"{self.vendor} did not give the list of {self.what} whole: {why}. It is read again later.")


def rows_of(body: Any) -> list[Any] | None:
    """Take the rows out of their envelope, if any; one object in place of a list is a list of one."""
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        return None
    named = _lower(body)
    for name in _ROWS:
        if isinstance(found := named.get(name), (list, dict)):
            return _list(found)
    return None


def _paging(body: Any) -> dict[str, Any]:
    """Read the metadata, which may be missing: then the list has one page, unless that is full."""
    named = _lower(body) if isinstance(body, dict) else {}
    inner = named.get("paging")
    outer = {name: value for name, value in named.items() if name in {*_TOTAL, *_PAGES, "nextcursor", "nextlink"}}
    return outer | _lower(inner) if isinstance(inner, dict) else outer


def _lower(named: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in named.items()}


def _of(named: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((named[name] for name in names if named.get(name) is not None), None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
