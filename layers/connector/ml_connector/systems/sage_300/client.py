"""The Web API as a handful of verbs: pages of a resource, one record, create, change, process."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast
from urllib.parse import quote

import msgspec

from ml_connector.errors import Transient
from ml_connector.ports import Chance, Clock
from ml_connector.systems.http import UNREADABLE, Call, Http, Reply, decode
from ml_connector.systems.kit.faults import entered
from ml_connector.systems.kit.rows import Batch, number_of, row_by_row
from ml_connector.systems.kit.walk import Place
from ml_connector.systems.sage_300.calls import Caller
from ml_connector.systems.sage_300.keyed import Keyed
from ml_connector.systems.sage_300.login import EVERY
from ml_connector.systems.sage_300.paging import Query, walk
from ml_connector.systems.sage_300.reads import Failed, NotOffered, refused_read
from ml_connector.systems.sage_300.replies import (
    Fault,
    Style,
    day_literal,
    quoted,
)

log = logging.getLogger("ml_connector")
W = TypeVar("W")


class WebApi:
    """One company. Strings go into filters by `text`, days by `day`."""

    def __init__(self, http: Http, company: str, style: Style, clock: Clock, chance: Chance) -> None:
        self._company, self._style, self._clock = company, style, clock
        self._caller = Caller(http, clock, chance)
        self._filters: dict[tuple[str, ...], int] = {}
        self._whole: set[str] = set()
        self._renamed: set[str] = set()
        self._lacking: set[str] = set()
        self.keyed = Keyed(self)

    @property
    def sessions_lost(self) -> int:
        """Count how often the server said that it lost our session."""
        return self._caller.sessions_lost

    def now(self) -> datetime:
        """Tell the time, by which what is remembered grows old."""
        return self._clock.now()

    @staticmethod
    def text(value: str) -> str:
        """Write a string literal of a filter."""
        return quoted(value)

    def day(self, value: date) -> str:
        """Write a date literal of a filter, as the secret's `date_literal` says."""
        return day_literal(value, self._style)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def pages(self, query: Query[W], position: str | None = None) -> Iterator[Batch[W]]:
        """Read a resource page by page. Raises `Transient`, `Misconfigured` or `LoginRefused`."""
        return walk(self._page, query, position)

    def offered(self, query: Query[W], position: str | None = None) -> Iterator[Batch[W]]:
        """Read a resource that a company can do without: one empty page where the server does not offer it.

        That is said once, and asked again each time. A right that is missing is an error all the same.
        """
        begun = False
        try:
            for batch in self.pages(query, position):
                begun = True
                yield batch
        except NotOffered as error:
            if begun:
                raise Transient(f"{query.name} ended in the middle. {error}") from error
            self.left_out(query.resource, error)
            yield Batch([], [])

    def left_out(self, resource: str, error: NotOffered) -> None:
        """Say once that a resource is not offered."""
        if resource not in self._lacking:
            log.warning("Sage 300 does not offer %s, so it is left out: %s", resource, error)
        self._lacking.add(resource)

    def rows(self, query: Query[W], *, needed: bool = True) -> Iterator[W]:
        """Read all rows; a spoiled one raises `Transient`, since the answer would be incomplete without it."""
        for batch in self.pages(query) if needed else self.offered(query):
            for bad in batch.spoiled:
                raise Transient(f"Sage 300 gave a row of {query.name}, {bad.key}: {bad.reason}")
            yield from batch.rows

    def count(self, query: Query[Any]) -> int | None:
        """Ask how many rows there are; None where the server does not tell."""
        call = Call("GET", f"{self._path(query.resource)}?$top=1&$count=true", want="text", expect=EVERY)
        reply, fault = self._call(call)
        if fault is not None:
            raise refused_read(query.resource, fault)
        body = reply.json()
        return number_of(body.get("@odata.count", body.get("odata.count"))) if isinstance(body, dict) else None

    def get(self, resource: str, key: str) -> dict[str, Any] | None:
        """Read one record by its literal key, such as `(58)`; None where there is none."""
        reply, fault = self._call(Call("GET", self._path(f"{resource}{key}"), want="text", expect=EVERY))
        if fault is not None:
            if fault.gone:
                return None
            raise refused_read(resource, fault)
        body = reply.json()
        if not isinstance(body, dict):
            raise Transient(f"Sage 300 gave a {resource}{key} that is no record: {reply.text(200)}.")
        return body

    def _page(self, query: Query[W], place: Place) -> Batch[W]:
        """Ask; where the server does not know a field of the filter or selection, ask in the next best words."""
        refusal: Exception | None = None
        for choice, select in self._ways(query):
            try:
                reply, fault = self._asked(query, place, query.where[choice], select)
            except Failed as error:
                if place.skip:  # in the middle of a list other words would count its rows in another way
                    raise
                refusal = refusal or error
                continue
            if fault is None:
                self._learn(query, choice, select)
                return self._read(query, place, reply)
            refusal = refusal or refused_read(query.resource, fault)
            if not fault.puzzled:
                break
        assert refusal is not None
        raise refusal

    def _ways(self, query: Query[Any]) -> Iterator[tuple[int, list[str]]]:
        """List the ways to ask, the best first: each filter with the selection, and without it."""
        for choice in range(self._filters.get(query.shape, 0), len(query.where)):
            if query.select and query.resource not in self._whole:
                yield choice, query.select
            yield choice, []

    def _learn(self, query: Query[Any], choice: int, select: list[str]) -> None:
        """Remember what the server took."""
        if query.select and not select:
            self._whole.add(query.resource)
        if choice != self._filters.get(query.shape, 0):
            self._filters[query.shape] = choice
            log.warning(
                "Sage 300 does not take the filter '%s' of %s, so more is read than has to be. Check 'date_literal' "
                "if it names a date.", query.where[0], query.resource,
            )  # fmt: skip

    def unfiltered(self, query: Query[Any]) -> bool:
        """Tell whether a query is asked without a filter, since the server takes none of its filters."""
        return not query.where[self._filters.get(query.shape, 0)]

    def _asked(self, query: Query[Any], place: Place, where: str, select: list[str]) -> tuple[Reply, Fault | None]:
        """Ask, and once more by the resource's other name where it has one and does not go by the first."""
        reply, fault = self._ask(query, place, where, select)
        if fault is None or not fault.absent or not query.instead or query.resource in self._renamed:
            return reply, fault
        other_reply, other = self._ask(query, place, where, select, renamed=True)
        if other is not None and not other.puzzled:
            return reply, fault  # it goes by neither
        self._renamed.add(query.resource)
        return other_reply, other

    def _ask(
        self, query: Query[Any], place: Place, where: str, select: list[str], *, renamed: bool = False
    ) -> tuple[Reply, Fault | None]:
        options = {"$filter": where} if where else {}
        if select:
            options["$select"] = ",".join(select)
        if query.top:
            options["$top"] = str(query.top)  # never while paging: it would be the end of the list
        else:
            options["$count"] = "true"
        if place.skip:
            options["$skip"] = str(place.skip)
        text = "&".join(f"{name}={quote(value, safe=',()')}" for name, value in options.items())
        renamed = renamed or query.resource in self._renamed
        resource = query.instead if renamed else query.resource
        return self._call(Call("GET", f"{self._path(resource)}?{text}", want="text", expect=EVERY))

    def _read(self, query: Query[W], place: Place, reply: Reply) -> Batch[W]:
        try:
            listing = query.decoder.decode(reply.body)
            rows: list[W] = listing.value if listing.value is not msgspec.UNSET else []
            keys = [query.key(row) for row in rows]
        except UNREADABLE:
            return _row_by_row(query, place, reply)
        if listing.value is msgspec.UNSET:
            return _row_by_row(query, place, reply)
        return Batch(rows, keys, link=listing.link, count=listing.count)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, resource: str, body: Mapping[str, Any]) -> Mapping[str, Any] | Fault:
        """Post once, in the order of `body`: what it says it became. A refusal is handed back for the caller to judge.

        Raises `OutcomeUnknown` where the answer leaves the effect in doubt, `Throttled` where there was none.
        """
        call = Call("POST", self._path(resource), body=body, safe=False, want="text", expect=EVERY)
        reply, fault = self._call(call)
        return entered(reply, fault, "Sage 300", resource)

    def change(self, resource: str, key: str, body: Mapping[str, Any]) -> Fault | None:
        """Change fields of a record; the same again is harmless. No body comes back (`docs/vendors/sage_300.md`)."""
        return self._call(Call("PATCH", self._path(f"{resource}{key}"), body=body, want="none", expect=EVERY))[1]

    def process(self, resource: str, body: Mapping[str, Any]) -> Fault | None:
        """Start a process; what it did must be read. Raises `OutcomeUnknown` where it may or may not have run."""
        path = self._path(f"{resource}('$process')")
        return self._call(Call("POST", path, body=body, safe=False, want="none", expect=EVERY))[1]

    # ── the call ────────────────────────────────────────────────────────────────────────────────────────────

    def _path(self, rest: str) -> str:
        return f"/{self._company}/{rest}"

    def _call(self, call: Call) -> tuple[Reply, Fault | None]:
        return self._caller.call(call)


def _row_by_row(query: Query[W], place: Place, reply: Reply) -> Batch[W]:
    def read(raw: Any) -> W:
        return decode(query.row, _texts(raw)) if query.row is not None else cast("W", raw)

    def named(raw: Any) -> object:
        """Name a spoiled row by the first selected field, which is its key."""
        return raw.get(query.select[0]) if isinstance(raw, dict) and query.select else None

    return row_by_row(reply, "Sage 300", query.name, read=read, key=query.key, named=named, unnamed=place.unnamed)


def _texts(raw: Any) -> Any:
    """Write numbers as the texts that they are: codes and phone numbers, which a server may give as numbers."""
    if not isinstance(raw, dict):
        return raw
    return {k: str(v) if isinstance(v, (int, Decimal)) and not isinstance(v, bool) else v for k, v in raw.items()}
