"""The Web API as a handful of verbs: pages of a resource, one record, create, change, process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, OutcomeUnknown, Throttled, Transient
from ml_connector.ports import Chance, Clock
from ml_connector.systems.http import UNREADABLE, Call, Http, Reply, dumps
from ml_connector.systems.sage_300.auth import EVERY, IIS
from ml_connector.systems.sage_300.listing import number_of, row_by_row
from ml_connector.systems.sage_300.paging import Batch, Place, Query, walk
from ml_connector.systems.sage_300.replies import (
    NO_RIGHT,
    NO_SUCH_PATH,
    NOT_THERE,
    NOT_UNDERSTOOD,
    REFUSED_LOGIN,
    Fault,
    Style,
    day_literal,
    fault_in,
    quoted,
)

W = TypeVar("W")
TRIES = 5
FIRST_PAUSE = 0.4
"""Seconds; doubled with each try. The server refuses by how many requests it has at once, and names no time."""


@dataclass(frozen=True, slots=True)
class Created:
    """The server took a record; `body` is what it says it became."""

    body: Mapping[str, Any]


class WebApi:
    """One company. Strings go into filters by `text`, days by `day`."""

    def __init__(self, http: Http, company: str, style: Style, clock: Clock, chance: Chance) -> None:
        self._http, self._company, self._style, self._clock, self._chance = http, company, style, clock, chance
        self._filters: dict[tuple[str, int], int] = {}
        self._whole: set[str] = set()
        self._renamed: set[str] = set()
        self.sessions_lost = 0

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

    def rows(self, query: Query[W]) -> Iterator[W]:
        """Read all rows; a spoiled one raises `Transient`, since the answer would be incomplete without it."""
        for batch in self.pages(query):
            for bad in batch.spoiled:
                raise Transient(f"Sage 300 gave a row of {query.name} that cannot be read: {bad.reason}.")
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
            if fault.code in NOT_THERE:
                return None
            raise refused_read(resource, fault)
        body = reply.json()
        if not isinstance(body, dict):
            raise Transient(f"Sage 300 gave a {resource}{key} that is no record: {dumps(body)[:200]}.")
        return body

    def _page(self, query: Query[W], place: Place) -> Batch[W]:
        """Ask; where the server does not know a field of the filter or selection, ask in the next best words."""
        known = (query.resource, len(query.where))  # queries of a resource differ in how many words they have
        while True:
            choice = self._filters.get(known, 0)
            select = [] if query.resource in self._whole else query.select
            reply, fault = self._ask(query, place, query.where[choice], select)
            if fault is None:
                return self._read(query, place, reply)
            if fault.code in NOT_UNDERSTOOD and choice + 1 < len(query.where):
                self._filters[known] = choice + 1
            elif fault.code in NOT_UNDERSTOOD and select:
                self._whole.add(query.resource)
            elif fault.code in NO_SUCH_PATH and query.instead and query.resource not in self._renamed:
                self._renamed.add(query.resource)
            else:
                raise refused_read(query.resource, fault)

    def _ask(self, query: Query[Any], place: Place, where: str, select: list[str]) -> tuple[Reply, Fault | None]:
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
        resource = query.instead if query.resource in self._renamed else query.resource
        return self._call(Call("GET", f"{self._path(resource)}?{text}", want="text", expect=EVERY))

    def _read(self, query: Query[W], place: Place, reply: Reply) -> Batch[W]:
        try:
            listing = query.decoder.decode(reply.body)
            rows: list[W] = listing.value if listing.value is not msgspec.UNSET else []
            keys = [query.key(row) for row in rows]
        except UNREADABLE:
            return row_by_row(query, place, reply.json())
        if listing.value is msgspec.UNSET:
            return row_by_row(query, place, reply.json())
        count = listing.count_v4 if listing.count_v4 is not None else listing.count_v3
        return Batch(rows, keys, link=listing.link_v4 or listing.link_v3, count=number_of(count))

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, resource: str, body: Mapping[str, Any]) -> Created | Fault:
        """Post once, in the order of `body`. A refusal is handed back for the caller to judge.

        Raises `OutcomeUnknown` where the answer leaves the effect in doubt, `Throttled` where there was none.
        """
        call = Call("POST", self._path(resource), body=body, safe=False, want="text", expect=EVERY)
        reply, fault = self._call(call)
        if fault is not None:
            return fault
        created = reply.json() if reply.body.strip() else {}
        if not isinstance(created, dict):
            raise OutcomeUnknown(f"Sage 300 answered a new {resource} with something else than a record.")
        return Created(created)

    def change(self, resource: str, key: str, body: Mapping[str, Any]) -> Fault | None:
        """Change fields of a record; the same again is harmless. No body comes back (`contracts/sage_300.md §7`)."""
        return self._call(Call("PATCH", self._path(f"{resource}{key}"), body=body, want="none", expect=EVERY))[1]

    def process(self, resource: str, body: Mapping[str, Any]) -> Fault | None:
        """Start a process; what it did must be read. Raises `OutcomeUnknown` where it may or may not have run."""
        path = self._path(f"{resource}('$process')")
        return self._call(Call("POST", path, body=body, safe=False, want="none", expect=EVERY))[1]

    # ── the call ────────────────────────────────────────────────────────────────────────────────────────────

    def _path(self, rest: str) -> str:
        return f"/{self._company}/{rest}"

    def _call(self, call: Call) -> tuple[Reply, Fault | None]:
        """Send; what passes is tried again with growing pauses, if the call may be repeated."""
        for attempt in range(1, TRIES + 1):
            reply = self._http.call(call)
            fault = fault_in(reply)
            trouble = self._trouble(call, reply, fault)
            if trouble is None:
                return reply, fault
            if not call.safe or attempt == TRIES or not isinstance(trouble, Transient):
                if isinstance(trouble, Transient):
                    trouble.spent = True
                raise trouble
            self._clock.sleep(FIRST_PAUSE * 2 ** (attempt - 1) * (0.75 + self._chance.random() / 2))
        raise AssertionError("unreachable")

    def _trouble(self, call: Call, reply: Reply, fault: Fault | None) -> ConnectorError | None:
        """Find what is wrong with the server and not with the request."""
        if fault is None:
            return _torn(call, reply)
        if fault.code == REFUSED_LOGIN:
            return LoginRefused(f"Sage 300 refused the login, also after it was proven anew: {fault}.")
        if fault.flooded:
            return Throttled(f"Sage 300 has too many requests at once: {fault}. It is asked less often.")
        if 300 <= reply.status < 400:
            return Misconfigured(f"Sage 300 answered with a redirect; correct 'api_url'. {IIS}")
        self.sessions_lost += fault.code == "SessionError"
        other = fault.page and fault.code != NO_RIGHT
        if not fault.passing and not other:
            return None
        who = f"Something else than the Web API of Sage 300 answered: {fault}. {IIS}"
        return _doubt(call, who if fault.page else f"Sage 300 failed: {fault}.")


def _torn(call: Call, reply: Reply) -> ConnectorError | None:
    """Believe a good answer only where its body is whole."""
    if call.want == "none" or (call.method != "GET" and not reply.body.strip()):
        return None
    try:
        reply.json()
    except ValueError as error:
        return _doubt(call, f"Sage 300 answered with something else than whole JSON ({error}).")
    return None


def _doubt(call: Call, message: str) -> Transient | OutcomeUnknown:
    return Transient(message) if call.safe else OutcomeUnknown(message)


def refused_read(resource: str, fault: Fault) -> Transient | Misconfigured:
    """Make the error of a refused read."""
    if fault.status < 300:
        return Transient(f"Sage 300 refused to show {resource}: {fault}. It is read again later.")
    if fault.code == NO_RIGHT:
        module = resource.partition("/")[0]
        return Misconfigured(
            f"Sage 300 does not let this user read {resource}: {fault}. Give one of its security groups in the module "
            f"{module} the right 'Sage 300 Web API' and the right to these records."
        )
    return Misconfigured(
        f"Sage 300 refuses to show {resource}: {fault}. Check 'api_url' and 'company', whether the module is "
        "activated, and 'date_literal'."
    )
