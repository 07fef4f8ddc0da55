"""The Web API as a handful of verbs: pages of a resource, one record, create, change, process."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, cast
from urllib.parse import quote

from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, OutcomeUnknown, Throttled, Transient
from ml_connector.ports import Clock
from ml_connector.systems.http import Call, Http, Reply, decode
from ml_connector.systems.kit.absence import ABSENT_STATUS, Unproven
from ml_connector.systems.kit.credentials import EVERY
from ml_connector.systems.kit.faults import entered
from ml_connector.systems.kit.odata import Style, day_literal, quoted
from ml_connector.systems.kit.rows import Batch, all_rows, page_of
from ml_connector.systems.kit.shelf import Shelf
from ml_connector.systems.kit.walk import Place
from ml_connector.systems.sage_300.faults import (
    NO_RIGHT,
    REFUSED_LOGIN,
    VENDOR,
    Fault,
    NotOffered,
    Puzzled,
    Refused,
    fault_in,
    refused_read,
)
from ml_connector.systems.sage_300.login import IIS
from ml_connector.systems.sage_300.metadata import Kind, Model, parse
from ml_connector.systems.sage_300.query import Query, RowsByKey, walk

Read = Callable[[Reply], object]
TRIES = 5
"""One more than elsewhere: the server refuses by how many requests it has at once, and mostly names no time."""


def _trouble(call: Call, reply: Reply, fault: Fault | None, now: datetime, read: Read) -> ConnectorError | None:
    """Find what is wrong with the server and not with the request: by what the body says."""
    if fault is None:
        return _torn(call, reply, read)
    if fault.code == REFUSED_LOGIN:
        return LoginRefused(f"Sage 300 refused the login, also with a new session: {fault}.")
    if fault.flooded:
        said = f"Sage 300 has too many requests at once: {fault}. It is asked less often."
        return Throttled(said, reply.pause_asked(now))
    if 300 <= reply.status < 400:
        return Misconfigured(f"Sage 300 answered with a redirect; correct 'api_url'. {IIS}")
    answered = fault.code == NO_RIGHT  # IIS answers for the Web API with pages
    anybodys = fault.anybodys and (call.method == "GET" or fault.status in ABSENT_STATUS)
    if fault.passing or anybodys or (fault.page and not answered):
        return _failure(call, reply, fault, now)
    return None


def _failure(call: Call, reply: Reply, fault: Fault, now: datetime) -> Transient | OutcomeUnknown:
    """Make the error of a server that failed.

    503 says that the whole server is away: work is parked, and no record's tries are used up.
    """
    said = f"Sage 300 failed: {fault}."
    if not fault.worded or fault.anybodys:
        said = f"Something else than the Web API of Sage 300 answered: {fault}. {IIS}"
    asked = reply.pause_asked(now)
    if call.safe and (reply.status == 503 or asked is not None):
        return Throttled(said, asked)
    return Unproven(said) if call.safe and fault.anybodys else _doubt(call, said, reply)


def _torn(call: Call, reply: Reply, read: Read) -> ConnectorError | None:
    """Believe a good answer only where its body is whole."""
    if call.want == "none" or (call.method != "GET" and not reply.body.strip()):
        return None
    form = "XML" if call.want == "xml" else "JSON"
    try:
        parse(reply.body) if call.want == "xml" else read(reply)
    except ValueError as error:
        if call.want == "xml" and not re.search(rb"edmx|^\W*error", reply.body[:1000].lower()):  # neither ever was one
            return Unproven(f"Something else than EDMX came: {reply.text(120) or 'nothing'}.")
        return _doubt(call, f"Sage 300 answered with something else than whole {form} ({error}).", reply)
    return None


def _doubt(call: Call, message: str, reply: Reply) -> Transient | OutcomeUnknown:
    """Leave open what a request did. Under a good status it was taken, whatever its answer became on the way."""
    return Transient(message) if call.safe else OutcomeUnknown(message, taken=reply.took)


log = logging.getLogger("ml_connector")
W = TypeVar("W")


class WebApi:
    """One company. Strings go into filters by `text`, days by `day`."""

    def __init__(self, http: Http, company: str, style: Style, clock: Clock, models: Shelf[Model | None]) -> None:
        self._http, self._company, self._style, self._clock, self._models = http, company, style, clock, models
        self.sessions_lost = 0
        """How often the server said that it lost our session."""
        self._older: set[str] = set()
        self._not_taken: set[tuple[str, frozenset[str]]] = set()
        self._lacking: set[str] = set()
        self.keyed = RowsByKey(self)

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

    # ── what there is ───────────────────────────────────────────────────────────────────────────────────────

    def model(self, module: str) -> Model | None:
        """Give what the server says of a module; None where nobody tells, and documented names must do.

        Asked once for all connections. Raises `Transient` for a server in trouble, `Misconfigured` or `LoginRefused`.
        """
        return self._models.get(module, partial(self._described, module))

    def _out_of_date(self, resource: str, fault: Fault) -> bool:
        """Tell whether a refusal may come of an old description, which another connection read; it is read again."""
        module, _, name = resource.partition("/")
        model = self.model(module)
        doubtful = fault.puzzled or (fault.absent and (model is None or model.offers(name)))
        return doubtful and self._models.outdated(module)

    def _described(self, module: str) -> tuple[Model | None, bool]:
        resource = f"{module}/$metadata"
        accept = {"Accept": "application/xml, application/json;q=0.5"}  # refusals come in JSON
        try:
            reply, fault = self._call(Call("GET", self._path(resource), headers=accept, want="xml", expect=EVERY))
            if fault is None:
                return parse(reply.body), True
            if fault.status >= 500 and not fault.unserved:
                raise Transient(f"Sage 300 did not tell what it has in {resource}: {fault}. It is asked again later.")
            said, common = str(fault), fault.unserved
        except Unproven as error:  # anybody's answer: it holds for this connection alone
            said, common = str(error), False
        log.warning("Sage 300 does not serve %s, so the documented names are used alone: %s", resource, said)
        return None, common

    def _kind(self, query: Query[Any]) -> Kind | None:
        module, _, name = self._called(query).partition("/")
        model = self.model(module)
        return model.kind(name, tuple(query.fields)) if model is not None else None

    def has(self, query: Query[Any], field: str) -> bool:
        """Tell whether a resource may have a field: not where the server says that it has none."""
        return (kind := self._kind(query)) is None or kind.has(field)

    def _called(self, query: Query[Any]) -> str:
        """Name the resource as this server calls it."""
        module, _, name = query.resource.partition("/")
        model, other = self.model(module), query.instead.partition("/")[2]
        renamed = model is not None and other and not model.offers(name) and model.offers(other)
        return query.instead if renamed or query.resource in self._older else query.resource

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def pages(self, query: Query[W], position: str | None = None) -> Iterator[Batch[W]]:
        """Read a resource page by page, plainly where the server does not take the filter or the selection.

        Raises `Transient`, `Misconfigured` or `LoginRefused`.
        """
        begun = False
        try:
            for batch in self.exactly(query, position):
                begun = True
                yield batch
        except Refused as error:
            if begun:
                raise
            self.not_taken(query, error)
            yield from self.exactly(query.plain(), position)

    def exactly(self, query: Query[W], position: str | None = None) -> Iterator[Batch[W]]:
        """Read just what is asked for; raises `Refused` also where it is known that the server does not take it."""
        if self.unfiltered(query):
            raise Puzzled(f"Sage 300 has no such filter of {query.resource}: {query.where}")
        return walk(self._page, query, position)

    def unfiltered(self, query: Query[Any]) -> bool:
        """Tell whether a query is asked plainly: its filter was not taken, or names a field that there is not."""
        kind = self._kind(query)
        return query.shape in self._not_taken or (kind is not None and kind.lacks(query.where))

    def not_taken(self, query: Query[Any], error: Refused) -> None:
        """Remember that a query is to be asked plainly; raises `error` where that would not help."""
        if not error.puzzled or not (query.where or query.fields):
            raise error
        if query.shape not in self._not_taken:
            log.warning(
                "Sage 300 does not take the filter '%s' of %s, so the whole list is read and sorted out here. Check "
                "'date_literal' if it names a date. %s",
                query.where,
                query.resource,
                error,
            )
        self._not_taken.add(query.shape)

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

    def rows(self, query: Query[W], *, needed: bool = True, exactly: bool = False) -> Iterator[W]:
        """Read all rows; a spoiled one raises `Transient`, since the answer would be incomplete without it."""
        read = self.exactly if exactly else self.pages if needed else self.offered
        return all_rows(read(query), VENDOR, query.name)

    def get(self, resource: str, key: str) -> dict[str, Any] | None:
        """Read one record by its literal key, such as `(58)`; None where there is none."""
        kind = self._kind(Query(resource, None, str))
        reply, fault = self._call(Call("GET", self._of(resource, key), want="text", expect=EVERY))
        if fault is not None:
            if fault.gone:
                return None
            raise refused_read(resource, fault)
        body = reply.json()
        if not isinstance(body, dict):
            raise Transient(f"Sage 300 gave a {resource}{key} that is no record: {reply.text(200)}.")
        return cast("dict[str, Any]", kind.ours(body)) if kind is not None else body

    def _page(self, query: Query[W], place: Place) -> Batch[W]:
        """Ask for what is known to be there: without `$metadata` rows are read whole."""
        kind = self._kind(query)
        options = {"$count": "true"}
        if query.where:
            options["$filter"] = kind.where(query.where) if kind is not None else query.where
        if kind is not None and not query.plainly and (select := [one for one in query.fields if kind.has(one)]):
            options["$select"] = ",".join(map(kind.theirs, select))
        if query.top:
            options["$top"] = str(query.top)  # never while paging: it would be the end of the list
        if place.skip:
            options["$skip"] = str(place.skip)
        text = "&".join(f"{name}={quote(value, safe=',()')}" for name, value in options.items())
        resource = self._called(query)
        pages: list[Batch[W]] = []  # read as it is judged: once
        read: Read = lambda reply: pages.append(_page_of(query, place, reply, kind))  # noqa: E731
        _, fault = self._call(Call("GET", f"{self._path(resource)}?{text}", want="text", expect=EVERY), read)
        if fault is not None and self._out_of_date(resource, fault):
            return self._page(query, place)
        if fault is not None and fault.absent and query.instead and kind is None and resource == query.resource:
            self._older.add(resource)  # nothing tells what it is called, and before it was called otherwise
            return self._page(query, place)
        if fault is not None:
            self._older.discard(query.resource)  # it goes by neither
            raise refused_read(resource, fault)
        return pages[-1]

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, resource: str, body: Mapping[str, Any]) -> Mapping[str, Any] | Fault:
        """Post once, in the order of `body`: what it says it became. A refusal is handed back for the caller to judge.

        Raises `OutcomeUnknown` where the answer leaves the effect in doubt, `Throttled` where there was none.
        """
        call = Call("POST", self._path(resource), body=body, safe=False, want="text", expect=EVERY)
        return entered(*self._call(call), VENDOR, resource)

    def change(self, resource: str, key: str, body: Mapping[str, Any]) -> Fault | None:
        """Change fields of a record; the same again is harmless. No body comes back (`docs/vendors/sage_300.md`)."""
        return self._call(Call("PATCH", self._of(resource, key), body=body, want="none", expect=EVERY))[1]

    def process(self, resource: str, body: Mapping[str, Any]) -> Fault | None:
        """Start a process; what it did must be read. Raises `OutcomeUnknown` where it may or may not have run."""
        path = self._path(f"{resource}('$process')")
        return self._call(Call("POST", path, body=body, safe=False, want="none", expect=EVERY))[1]

    # ── the call ────────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, call: Call, read: Read = Reply.json) -> tuple[Reply, Fault | None]:
        """Send; `Http` tries again what passes, if the call may be repeated. `read` shows whether a body is whole."""
        reply = self._http.call(replace(call, judge=partial(self._judge, call, read)))
        return reply, _fault(call, reply)

    def _judge(self, call: Call, read: Read, reply: Reply) -> None:
        fault = _fault(call, reply)
        self.sessions_lost += fault is not None and fault.code == "SessionError"
        trouble = _trouble(call, reply, fault, self._clock.now(), read)
        if isinstance(trouble, Unproven):
            trouble.spent = call.want == "xml"  # documented names do without it
        if trouble is not None:
            raise trouble

    def _of(self, resource: str, key: str) -> str:
        """Name one record as the type of its key wants it."""
        kind = self._kind(Query(resource, None, str))
        quotes = kind is not None and kind.quotes_key
        return self._path(f"{resource}({quote(quoted(key.strip('()')), safe='')})" if quotes else f"{resource}{key}")

    def _path(self, rest: str) -> str:
        return f"/{self._company}/{rest}"


def _fault(call: Call, reply: Reply) -> Fault | None:
    return None if call.want == "xml" and reply.status == 200 else fault_in(reply)


def _page_of(query: Query[W], place: Place, reply: Reply, kind: Kind | None) -> Batch[W]:
    """Read a page; `kind` tells our names of fields that the server calls otherwise."""

    def ours(raw: Any) -> Any:
        return kind.ours(raw) if kind is not None else raw

    def read(raw: Any) -> W:
        return decode(query.row, _texts(ours(raw))) if query.row is not None else cast("W", ours(raw))

    def named(raw: Any) -> object:
        """Name a spoiled row by the first field, which is its key."""
        return ours(raw).get(query.fields[0]) if isinstance(raw, dict) and query.fields else None

    together = query.decoder if kind is None or not kind.renames else None
    return page_of(
        reply, "Sage 300", query.name, decoder=together, read=read, key=query.key, named=named, unnamed=place.unnamed
    )


def _texts(raw: Any) -> Any:
    """Write numbers as the texts that they are: codes and phone numbers, which a server may give as numbers."""
    if not isinstance(raw, dict):
        return raw
    return {k: str(v) if isinstance(v, (int, Decimal)) and not isinstance(v, bool) else v for k, v in raw.items()}
