"""A server whose paths and field names a profile gives: objects, lists, and writes with one result for each item.

Nothing is concluded from an answer that may be anybody's: absence needs the server's own words, and a success its own
result (`results.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from ml_connector.errors import Misconfigured, OutcomeUnknown, Transient
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import ABSENT_STATUS, unproven
from ml_connector.systems.kit.faults import WORDS, Fault
from ml_connector.systems.kit.named_fields import NamedFields
from ml_connector.systems.kit.page_styles import PageStyle, rows_of
from ml_connector.systems.kit.results import fields_blamed, named, results_in, sentences, succeeded

READ = (200, 204, 403, 404, 410, 429, 503)
WRITTEN = (200, 201, 202, 204, 400, 403, 404, 405, 409, 410, 415, 422, 429)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server speaks. `judge` raises for what says nothing of a record; `absent` tells its word for absence."""

    fault_in: Callable[[Reply], Fault | None]
    judge: Callable[[Reply], None]
    absent: Callable[[Fault], bool]


class ProfiledServer(NamedFields):
    """Calls by the names of paths, `METHOD /path?query` or None, in which `{variables}` are filled.

    `headers` and `params` go with each call; `fill` gives a variable that a call does not.
    """

    def __init__(
        self,
        http: Http,
        dialect: Dialect,
        paths: Mapping[str, str | None],
        fields: Mapping[str, str | None],
        style: PageStyle,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str],
        fill: Callable[[str], str],
    ) -> None:
        super().__init__(fields)
        self.http, self._dialect, self._paths, self.style = http, dialect, paths, style
        self._headers, self._params, self._fill = headers, params, fill
        self.server_day: date | None = None
        """The server's own day, as its answers are dated: a mark that this machine's clock made might lie ahead."""

    def offers(self, name: str) -> bool:
        """Tell whether the profile has a path."""
        return self._paths.get(name) is not None

    def needs(self, name: str) -> str:
        """Give a path. Raises `Misconfigured` where the profile does not have it."""
        if (found := self._paths.get(name)) is None:
            who = self.http.vendor
            raise Misconfigured(
                f"Your {who} agreement offers no '{name}' (it is null in 'profile.paths'). Name its path once {who} "
                "has opened it, or turn the flow off."
            )
        return found

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def one(self, name: str, **variables: str) -> dict[str, Any] | None:
        """Read one object; None where the server itself says that it has none. Raises `Transient` otherwise.

        A name with a step in it, or none, would lead to another address: nothing has it.
        """
        if any(not value.strip() or "/" in value or value in {".", ".."} for value in variables.values()):
            return None
        _, path, params = self.address(name, variables)
        reply = self.http.call(self.read(path, params))
        fault = self._dialect.fault_in(reply)
        if reply.status in ABSENT_STATUS or fault is not None:
            if fault is not None and reply.status in ABSENT_STATUS and fault.worded and self._dialect.absent(fault):
                return None
            raise unproven(self.http.vendor, f"one of {name.partition('.')[0]}", fault or reply.text(120))
        body = self._body(reply, name)
        rows = body if isinstance(body, list) else named(body).get("items")
        if rows == [] and "?" in self.needs(name):  # a list of those with this name
            return None
        found = rows[0] if isinstance(rows, list) and len(rows) == 1 else body if not isinstance(rows, list) else None
        if not isinstance(found, dict):
            raise unproven(self.http.vendor, f"one of {name.partition('.')[0]}", reply.text(120))
        return found

    def rows(self, name: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Read a list to its end, row after row."""
        for page in self.pages(name, params):
            yield from page

    def pages(self, name: str, params: Mapping[str, str] | None = None) -> Iterator[list[dict[str, Any]]]:
        """Read a list page by page."""
        _, path, own = self.address(name, {})
        return self._listed(path, {**own, **(params or {})}, name)

    def follow(self, href: str, what: str) -> Iterator[dict[str, Any]]:
        """Read the list behind a link of an answer; its path and query count, whatever host it names."""
        parts, own = urlsplit(href), urlsplit(self.http.base_url).path.rstrip("/")
        for page in self._listed(parts.path.removeprefix(own), dict(parse_qsl(parts.query)), what):
            yield from page

    def _listed(self, path: str, own: Mapping[str, str], what: str) -> Iterator[list[dict[str, Any]]]:
        def fetch(place: Mapping[str, str]) -> Any:
            reply = self.http.call(self.read(path, {**place, **own}))  # a link may say our filters otherwise
            if (fault := self._dialect.fault_in(reply)) is not None or reply.status in ABSENT_STATUS:
                raise unproven(self.http.vendor, f"the list {what}", fault or reply.text(120))
            body = self._body(reply, what)
            if rows_of(body) is None:
                raise Transient(
                    f"{self.http.vendor} answered the list {what} without entries. That is no empty list, and it is "
                    f"read again later: {reply.text(200)}"
                )
            return body

        return self.style.pages(fetch, self.http.vendor, what)

    def read(self, path: str, params: Mapping[str, str]) -> Call:
        """Make a read."""
        return Call("GET", path, params or None, headers=self._headers, expect=READ, judge=self._dialect.judge)

    def _body(self, reply: Reply, what: str) -> Any:
        with suppress(TypeError, ValueError):
            day = parsedate_to_datetime(reply.headers.get("date", "")).astimezone(UTC).date()
            self.server_day = min(day, self.server_day or day)
        try:
            return reply.json()
        except ValueError as error:
            raise unproven(self.http.vendor, what, reply.text(120)) from error

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def write(
        self, name: str, body: Mapping[str, Any], *, safe: bool, headers: Mapping[str, str] | None = None, **names: str
    ) -> dict[str, Any] | Fault:
        """Send one object. Gives what the server says of it, by names in lower case, or the refusal.

        The object is `{}` where it is taken without a word of what it became. Raises `OutcomeUnknown` where the answer
        leaves that open and the call is not `safe` to be repeated, else `Transient`.
        """
        method, path, params = self.address(name, names)
        call = Call(
            method,
            path,
            params or None,
            body=body,
            headers={**self._headers, **(headers or {})},
            safe=safe,
            want="text",
            expect=WRITTEN,
            judge=self._dialect.judge,
        )
        reply, vendor = self.http.call(call), self.http.vendor
        doubt = Transient if safe else partial(OutcomeUnknown, taken=reply.took)
        fault = self._dialect.fault_in(reply)
        if reply.status >= 400:
            return fault or Fault(reply.status, "", reply.text(200), worded=False)
        if fault is not None:
            raise doubt(f"{vendor} answered {reply.status}, and speaks of an error all the same: {fault}.")
        try:
            told = reply.json() if reply.body.strip() else {}
        except ValueError as error:
            raise doubt(f"{vendor} answered {reply.status} with something else than JSON.") from error
        results = results_in(told)
        if results is None:
            return named(told)
        if len(results) != 1 or (taken := succeeded(results[0])) is None:
            raise doubt(f"{vendor} took a request for one object, and its {len(results)} results do not say so.")
        return {**results[0], **named(results[0].get("item"))} if taken else _refusal(results[0], reply)

    # ── addresses ───────────────────────────────────────────────────────────────────────────────────────────

    def address(self, name: str, variables: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
        """Give method, path and parameters of a call. Raises `Misconfigured` where the profile does not offer it."""
        method, _, whole = self.needs(name).partition(" ")
        if "{company}" in whole:
            variables = {**variables, "company": self._fill("company")}
        path, _, query = whole.partition("?")
        params = dict(parse_qsl(query, keep_blank_values=True))
        for variable, value in variables.items():
            path = path.replace(f"{{{variable}}}", quote(value, safe=""))
            params = {key: text.replace(f"{{{variable}}}", value) for key, text in params.items()}
        return method, path, {**params, **self._params}


def _refusal(result: Mapping[str, Any], reply: Reply) -> Fault:
    """Make the fault of an item that was not taken."""
    words = sentences({name: result[name] for name in ("errors", "error", "message") if name in result})
    text = reply.clean("; ".join(dict.fromkeys(words)))[:WORDS]
    return Fault(reply.status, "", text or "no reason given", fields=tuple(fields_blamed(result)))
