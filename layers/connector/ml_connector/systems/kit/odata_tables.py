"""Tables read through OData: a filter, a selection and an order, page after page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any
from urllib.parse import quote

from ml_connector.errors import Misconfigured, OutcomeUnknown, Transient
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.odata import LONGEST, day_literal, error_in, quoted, words_of
from ml_connector.systems.kit.rows import Batch, page_of
from ml_connector.systems.kit.tables import MOST_ROWS, Condition, Query, Row, Value, row_of
from ml_connector.systems.kit.walk import Pager, Place, walk


class ODataTables:
    """The `tables.Reader` of an OData service that has an address for each table of each company."""

    def __init__(self, http: Http, company: str, unreadable: Callable[[str, str], Misconfigured]) -> None:
        """`unreadable` makes the error of a table that the service refuses to show, from its name and words."""
        self._http, self._company, self._unreadable = http, company, unreadable
        self._pager = Pager(http.vendor, full=1, tokens=True, asked=1)  # a page that comes twice is no end
        self._plain_days = False

    def pages(self, asked: Query, position: str | None) -> Iterator[Batch[Row]]:
        """Read page after page; nothing tells for certain which is the last, so one more is asked for."""
        size = asked.limit or MOST_ROWS

        def fetch(place: Place) -> Batch[Row]:
            page = self._page(asked, place, size)
            return page if page.keys else self._page(asked, place, size)  # nothing else speaks for an empty list

        return walk(fetch, position, pager=self._pager, key=asked.name, size=size, top=asked.limit)

    def room(self, alternative: tuple[Condition, ...]) -> float:
        """Tell which part of an address an alternative takes."""
        return len(quote(f" or ({self._all(alternative)})")) / LONGEST

    def _page(self, asked: Query, place: Place, size: int) -> Batch[Row]:
        reply = self._asked(asked, place, size)
        if reply.status != 200:
            raise self._refusal(asked.table, reply)
        try:
            return page_of(
                reply,
                self._http.vendor,
                asked.table,
                decoder=None,
                read=lambda raw: row_of(raw, asked.columns),
                key=asked.name,
                named=lambda raw: _named(asked, raw),
                unnamed=place.unnamed,
            )
        except ValueError as error:
            said = f"{self._http.vendor} answered {asked.table} with something else than whole JSON ({error})."
            raise Transient(said) from error

    def _asked(self, asked: Query, place: Place, size: int) -> Reply:
        """Ask for a page. Where days are not taken as moments, they are asked for as days from then on."""
        options = {"$top": str(size)}
        if asked.key:
            options["$orderby"] = ",".join(asked.key)
        if asked.columns:
            options["$select"] = ",".join(asked.columns)
        if where := self._where(asked):
            options["$filter"] = where
        if place.token is not None:
            options["$skiptoken"] = place.token
        elif place.skip:
            options["$skip"] = str(place.skip)
        told = "&".join(f"{name}={quote(value, safe=',()$')}" for name, value in options.items())
        path = f"/{quote(asked.company or self._company, safe='')}/{quote(asked.table, safe='')}?{told}"
        reply = self._http.call(Call("GET", path, want="text", expect=(200, 400, 403, 404)))
        if reply.status == 400 and not self._plain_days and _names_a_day(asked):
            self._plain_days = True
            return self._asked(asked, place, size)
        return reply

    def _refusal(self, table: str, reply: Reply) -> Transient | OutcomeUnknown | Misconfigured:
        try:
            error = error_in(reply.json())
        except ValueError:
            error = None
        if reply.status == 404 or not isinstance(error, dict):
            return unproven(self._http.vendor, f"table {table}", f"HTTP {reply.status} {reply.text(120)}")
        return self._unreadable(table, f"{reply.clean(words_of(error))} (HTTP {reply.status})")

    def _where(self, asked: Query) -> str:
        alternatives = [self._all(one) for one in asked.alternatives()]
        return " or ".join(f"({one})" if len(alternatives) > 1 else one for one in alternatives)

    def _all(self, conditions: Iterable[Condition]) -> str:
        return " and ".join(f"{column} {op.lower()} {self._literal(value)}" for column, op, value in conditions)

    def _literal(self, value: Value) -> str:
        if isinstance(value, date):
            return value.isoformat() if self._plain_days else day_literal(value, "iso")
        return quoted(value) if isinstance(value, str) else str(value)


def _named(asked: Query, raw: Any) -> str | None:
    """Name a row that does not parse, by its key; None where it has none."""
    try:
        return "~".join(row_of(raw, asked.key).values()).strip() and asked.name(row_of(raw, asked.names or asked.key))
    except (ValueError, AttributeError):
        return None


def _names_a_day(asked: Query) -> bool:
    return any(isinstance(value, date) for one in asked.alternatives() for _, _, value in one)
