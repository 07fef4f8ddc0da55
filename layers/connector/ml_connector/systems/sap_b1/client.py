"""The Service Layer as a handful of verbs: pages of a set, one entity, create."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from ml_connector.errors import Misconfigured, Rejected, Transient
from ml_connector.systems.decode_errors import decode_error
from ml_connector.systems.http import Call, Http, Reply, decode
from ml_connector.systems.kit.faults import entered, own_words
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.odata import quoted
from ml_connector.systems.kit.paging import field_names
from ml_connector.systems.kit.rows import Batch, all_rows, page_of
from ml_connector.systems.kit.walk import Place
from ml_connector.systems.sap_b1.faults import (
    VENDOR,
    Fault,
    day_literal,
    fault_in,
    has_days,
    literal_key,
    location_key,
    spell_days,
    whole_number,
)
from ml_connector.systems.sap_b1.query import Query, walk

W = TypeVar("W", bound=Struct)
_own = partial(own_words, VENDOR, fault_in=fault_in)
REFUSED = (301, 302, 303, 307, 308, 400, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 422, 428)
"""Statuses that are judged here, by what their bodies say."""
READ = (200, *REFUSED)
CREATE = (200, 201, 202, 204, *REFUSED)


@dataclass(frozen=True, slots=True)
class Created:
    """The server took a document. `entry` is None where the answer does not say which one it became."""

    entry: int | None
    body: Mapping[str, Any]


class ServiceLayer:
    """One company. Strings go into filters by `text`, dates by `day`."""

    def __init__(self, http: Http, login: SharedLogin, version: str) -> None:
        self._http, self._login = http, login
        self._bare_days = version == "v2"

    @staticmethod
    def text(value: str) -> str:
        """Write a string literal of a filter."""
        return quoted(value)

    @staticmethod
    def day(value: date) -> str:
        """Write a date literal of a filter."""
        return day_literal(value)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def pages(self, query: Query[W], position: str | None = None) -> Iterator[Batch[W]]:
        """Read an entity set page by page. Raises `Transient`, `Misconfigured` or `LoginRefused`."""
        return walk(self._page, query, position)

    def rows(self, query: Query[W]) -> Iterator[W]:
        """Read all rows; a spoiled one raises `Transient`, since the answer would be incomplete without it."""
        return all_rows(self.pages(query), VENDOR, query.entity)

    def get(
        self,
        entity: str,
        key: str | int,
        row: type[W],
        unreadable: type[Transient | Rejected] = Transient,
        *,
        optional: bool = False,
    ) -> W | None:
        """Read one entity; None where the server says that there is none. Raises `unreadable` where it is no `row`.

        `optional`: a server that has no such set has no such entity.
        """
        select = ",".join(field_names(row))
        path = f"/{entity}{literal_key(key)}?$select={quote(select, safe=',')}"
        reply = self._call(Call("GET", path, expect=READ, judge=_own(f"{entity}({key})")))
        fault = fault_in(reply)
        if fault is not None:
            if fault.no_records or (optional and fault.no_such_path):
                return None
            raise _refused_read(f"{entity}({key})", fault)
        body, named = reply.json(), field_names(row)[0]
        if not isinstance(body, dict) or named not in body:
            raise Transient(f"SAP Business One answered {entity}({key}), and no such record. See what is in between.")
        try:
            return decode(row, body)
        except (msgspec.ValidationError, ValueError) as error:
            raise unreadable(
                f"SAP Business One gave a {entity}({key}) that cannot be read: {decode_error(error)}."
            ) from error

    def _page(self, query: Query[W], place: Place) -> Batch[W]:
        bare = self._bare_days
        reply = self._ask(query, place, bare)
        if reply.status == 400 and has_days(query.where):
            other = self._ask(query, place, not bare)
            if other.status == 200:
                self._bare_days, reply = not bare, other
        return self._read(query, place, reply)

    def _ask(self, query: Query[W], place: Place, bare: bool, want: str = "text") -> Reply:
        options = {"$select": ",".join(query.select)}
        if query.where:
            options["$filter"] = spell_days(query.where, bare=bare)
        options["$orderby"] = query.key
        if query.top:
            options["$top"] = str(query.top)
        if place.token is not None:
            options["$skiptoken"] = place.token
        elif place.skip:
            options["$skip"] = str(place.skip)
        path = f"/{query.entity}?" + "&".join(f"{name}={quote(value, safe=',')}" for name, value in options.items())
        headers = {"Prefer": f"odata.maxpagesize={query.size}"}
        return self._call(Call("GET", path, headers=headers, want=want, expect=READ, judge=_own(query.entity)))

    def _read(self, query: Query[W], place: Place, reply: Reply) -> Batch[W]:
        fault = fault_in(reply)
        if fault is not None:
            if fault.no_records or _does_without(query, fault):
                return Batch((), ())
            raise _refused_read(query.entity, fault)
        try:
            return page_of(
                reply,
                "SAP Business One",
                query.entity,
                decoder=query.decoder,
                key=query.name,
                read=lambda raw: decode(query.row, raw),
                unnamed=place.unnamed,
                named=lambda raw: raw.get(query.key) if isinstance(raw, dict) else None,
            )
        except ValueError:
            # it is asked for again with the checks of `Http`, and judged by the same rules
            return self._read(query, place, self._ask(query, place, self._bare_days, want="json"))

    def refuses(self, entity: str, *fields: str) -> Fault | None:
        """Ask for some fields of one record; gives the refusal, None where the server shows them."""
        path = f"/{entity}?$select={quote(','.join(fields), safe=',')}&$top=1"
        fault = fault_in(self._call(Call("GET", path, expect=READ, judge=_own(entity))))
        return None if fault is not None and fault.no_records else fault

    def told(self, service: str) -> Mapping[str, Any] | None:
        """Ask a service that changes nothing; empty where the server says that it does not have it or let us.

        None where somebody else answers, such as a gateway: not every release has it, so no work waits for it.
        Raises `Transient` for trouble of the moment: what depends on the answer must not be guessed meanwhile.
        """
        reply = self._call(Call("POST", f"/{service}", expect=READ))
        fault = fault_in(reply)
        if fault is not None and fault.worded and _passes(fault):
            raise Transient(f"SAP Business One did not answer {service}: {fault}. Nothing was sent; it is asked again.")
        if fault is not None:
            return {} if fault.worded else None
        body = reply.json()
        return body if isinstance(body, dict) else None

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, entity: str, body: Mapping[str, Any]) -> Created | Fault:
        """Post once. A refusal is handed back for the caller to judge.

        Raises `OutcomeUnknown` where the answer leaves the effect in doubt, `Transient` where there was none.
        """
        reply = self._call(Call("POST", f"/{entity}", body=body, safe=False, want="none", expect=CREATE))
        fault = fault_in(reply)
        if fault is not None and fault.session_is_dead:
            raise Transient(f"SAP Business One refused a session that was just opened: {fault}.")
        told = entered(reply, fault, "SAP Business One", entity)
        if isinstance(told, Fault):
            return told
        return Created(whole_number(str(told.get("DocEntry") or location_key(reply) or "")), told)

    def _call(self, call: Call) -> Reply:
        """Send; a session refused under a good status is renewed here, once (the other cases in `kit/login`)."""
        reply = self._http.call(call)
        if reply.status >= 300:
            return reply
        fault = fault_in(reply)
        if fault is not None and fault.session_is_dead:
            self._login.renew()
            reply = self._http.call(call)
        return reply


def _does_without(query: Query[Any], fault: Fault) -> bool:
    """Tell whether a refusal means that there are no such rows. A dead session's -5002 is none, though it is a 400."""
    if query.lenient and fault.status == 400 and fault.worded:
        return not fault.may_be_session
    return query.optional and fault.no_such_path


def _passes(fault: Fault) -> bool:
    """Tell whether a refusal is a trouble of the moment: an error under a good status, or a session's end."""
    return fault.status < 300 or fault.session_is_dead


def _refused_read(entity: str, fault: Fault) -> Transient | Misconfigured:
    if _passes(fault):
        return Transient(f"SAP Business One refused to list {entity}: {fault}. It is read again later.")
    return Misconfigured(
        f"SAP Business One refuses to show {entity}: {fault}. Check the address, the authorizations of the Service "
        "Layer's user, and the fields named in the secret."
    )
