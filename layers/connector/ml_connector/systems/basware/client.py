"""Basware's P2P interface: lists with their continuation header, redirected documents, refusals.

What the vendor does oddly stands here, once: an empty list is a 404, a token travels in a request header, a
document call is redirected to another host that must not see the credentials (`docs/vendors/basware.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx

from ml_connector.context import AdapterContext
from ml_connector.errors import LoginRefused, Misconfigured, Rejected, Transient
from ml_connector.systems.basware import faults
from ml_connector.systems.basware.login import Tokens, lacking
from ml_connector.systems.basware.rights import scopes_of
from ml_connector.systems.basware.settings import Settings
from ml_connector.systems.http import Call, Reply
from ml_connector.systems.kit.absence import ABSENT_STATUS, unproven
from ml_connector.systems.kit.bodies import rows_in, success_of
from ml_connector.systems.kit.connection import server
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.paging import Circle, digest
from ml_connector.systems.kit.standing import Standing

CONNECTIONS = 8
CONTINUATION = "x-amz-meta-continuationtoken"
REQUEST_ID = "x-amzn-requestid"
_MOVED = (301, 302, 303, 307, 308)
_EMPTY = (204, *ABSENT_STATUS)
"""How Basware says that there is nothing; 404 is documented, the others are judged in the same way."""
_READ = (200, 400, 401, 403, 405, *_EMPTY, *_MOVED)
MOST_EMPTY = 50
"""Pages without a row, one after the other, that a list may have: a short or empty one is no end."""
_REFUSED = (400, 404, 405, 409, 410, 413, 422)
_TAKEN = (200, 201, 202, 204)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call that changes something. `refused` are the complaints of a 400, 405, 409, 413 or 422.

    `own`: they come in one of Basware's documented dialects.
    """

    status: int
    token: str
    body: Any = None
    refused: tuple[faults.Fault, ...] = ()
    own: bool = True

    @property
    def ok(self) -> bool:
        """Tell whether the call was taken."""
        return not self.refused

    @property
    def says_nothing_of_records(self) -> bool:
        """Tell whether a refusal names no record and speaks of Basware's own trouble, or of one that nobody knows."""
        return not self.ok and all(
            f.external_code is None and (not self.own or f.blames_no_record) for f in self.refused
        )

    def echoes(self, code: str) -> bool:
        """Tell whether a success may be Basware's: it says the entity back, or next to nothing (contracts §5.2)."""
        return not isinstance(self.body, dict) or not self.body or str(self.body.get("externalCode")) == code

    def words(self) -> str:
        """Say the complaints in one line."""
        return faults.words(list(self.refused))


class Basware:
    """One tenant's account."""

    _signs = False
    """Whether this server was seen to put its request id on answers."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        """Open nothing yet: the first call logs in."""
        self.settings, self.context = settings, context
        self.http = server(
            settings,
            context,
            vendor="Basware",
            base_url=settings.base,
            connections=CONNECTIONS,
            before=self._stamp,
            private=settings.private_network,
        )
        self.credentials = Tokens(self.http, settings, context.clock, self.scopes, context.tenant)
        self.http.auth = self.auth = SharedLogin(context.sessions, self.credentials)
        self.standing: dict[str, Standing] = {}

    def scopes(self) -> tuple[str, ...]:
        """List the scopes that the tenant's active flows need, or those of the secret."""
        return scopes_of(self.settings, self.context.flows())

    def lacking(self) -> frozenset[str]:
        """Name the optional scopes that the token in use goes without; logs in where there is none yet."""
        return lacking(self.auth.session())

    def close(self) -> None:
        """Close the pool; the token stays good for the others."""
        self.http.close()

    def _stamp(self, request: httpx.Request) -> None:
        """Give each attempt an id of its own, also a login and a replay."""
        request.headers["X-BW-REQUEST-ID"] = str(self.context.rng.uuid4())

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def list(self, path: str, key: str, params: Mapping[str, str] | None = None) -> Iterator[Sequence[Any]]:
        """Read a list page by page; see `pages`."""
        return (rows for rows, _ in self.pages(path, key, params))

    def pages(
        self, path: str, key: str, params: Mapping[str, str] | None = None, token: str | None = None
    ) -> Iterator[tuple[Sequence[Any], str | None]]:
        """Read a list from a continuation token on, each page with the next one's; a short or empty one is no end.

        `key` is the wrapper's; a bare array is taken as well. Raises `Transient` where the pages go in a loop.
        """
        seen: set[str] = set()
        circle, empty = Circle(), 0
        while True:
            found = self._page(path, params, token)
            if found is None:
                return
            reply, token = found
            rows = rows_of(reply, key)
            empty = 0 if rows else empty + 1
            if empty > MOST_EMPTY or circle.closes(["a page"] if rows else [], digest(reply.body)):
                raise Transient(f"Basware's pages of {path} go in a loop: one came twice. They are read again later.")
            yield rows, token
            if not token:
                return
            if token in seen:
                raise Transient(f"Basware's pages of {path} go in a loop: a continuation token came twice.")
            seen.add(token)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Read one thing; None where there is none (404)."""
        found = self._page(path, params, None)
        if found is None:
            return None
        body = found[0].json()
        if faults.hidden_in(body):
            raise Transient(f"Basware answered {path} with 200 and an error: {faults.words(faults.read(found[0]))}")
        if body == {} or not isinstance(body, (dict, list)):  # what is not there is a 404, and never a null
            raise Transient(f"Basware answered {path} with 200 and nothing in it: {found[0].text(100)}")
        return body

    def _page(self, path: str, params: Mapping[str, str] | None, token: str | None) -> tuple[Reply, str | None] | None:
        headers = {CONTINUATION: token} if token else {}
        first = self._call(Call("GET", path, params, headers=headers, expect=_READ, judge=self._judged(path)))
        if first.status in _EMPTY:
            return None
        if first.status not in _MOVED:
            return first, first.headers.get(CONTINUATION)
        second = self._follow(path, first.url, first.headers.get("location", ""))
        if second is None:
            return None
        return second, second.headers.get(CONTINUATION) or first.headers.get(CONTINUATION)

    def _judged(self, path: str, *, foreign: bool = False) -> Callable[[Reply], None]:
        """Take no word on what is there from anybody but Basware.

        Its 404 has a body in its own words or, as documented, none. One without a body is known by the request id that
        Basware puts on its answers; where a server puts none on any, it counts when it comes a second time.
        """
        unsigned = 0

        def judge(reply: Reply) -> None:
            nonlocal unsigned
            empty = not reply.body.strip()
            self._signs = self._signs or (not foreign and REQUEST_ID in reply.headers)
            if reply.status not in _EMPTY:
                _readable(path, reply)
            elif not (REQUEST_ID in reply.headers if empty else faults.says_absent(reply, path)):
                unsigned += empty
                if self._signs or unsigned < 2:
                    raise unproven("Basware", path, f"{reply.status}, {reply.text(120) or 'without a text'}")

        return judge

    def file(self, url: str, path: str) -> bytes:
        """Read a file at an address that Basware gave; another host is sent no credentials. Raises `Transient`."""
        if (parts := urlsplit(url)).netloc.lower() != urlsplit(self.http.base_url).netloc.lower():
            found = self._follow(path, url, url, want="none")
        else:
            call = Call("GET", f"{parts.path}?{parts.query}", want="none", expect=_READ, judge=self._judged(path))
            found = first = self._call(call)
            if first.status in _MOVED:
                found = self._follow(path, first.url, first.headers.get("location", ""), want="none")
        if found is None or found.status != 200:
            raise Transient(f"Basware does not give the file {url}; it is tried again.")
        return found.body

    def _follow(self, path: str, base: str, location: str, want: str = "json") -> Reply | None:
        """Go where the document lies: one hop, without credentials."""
        try:
            location = urljoin(base, location) if location else ""
            parts = urlsplit(location)
        except ValueError as error:
            raise Transient(f"Basware redirected {path} to an address that is none ({error}).") from error
        if parts.scheme not in {"https", "http"}:
            raise Transient(f"Basware redirected {path} without a usable address.")
        if parts.scheme == "http" and not (self.context.insecure and self.http.base_url.startswith("http:")):
            raise Misconfigured(f"Basware redirected {path} to {parts.hostname} without https; that is not followed.")
        judge = self._judged(path, foreign=True)
        reply = self.http.call(Call("GET", location, auth=False, foreign=True, expect=_READ, judge=judge, want=want))
        if reply.status == 200:
            return reply
        if reply.status in _EMPTY:
            return None
        raise Transient(f"{parts.hostname}, to which Basware redirected {path}, answered {reply.status}.")

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def post(self, path: str, body: Any = None, *, safe: bool, content: bytes | None = None) -> Answer:
        """Post a body (or bytes that are JSON already, or nothing). `safe`: the same again is harmless.

        Raises `LoginRefused`, `Transient` or, where it is not safe, `OutcomeUnknown`.
        """
        return self._write("POST", path, body, safe, content)

    def patch(self, path: str, body: Any) -> Answer:
        """Change some fields; a null would change nothing."""
        return self._write("PATCH", path, body, True, None)

    def _write(self, method: str, path: str, body: Any, safe: bool, content: bytes | None) -> Answer:
        call = Call(
            method,
            path,
            body=body,
            content=content,
            headers={"Content-Type": "application/json"},
            safe=safe,
            want="none",
            expect=(*_TAKEN, 401, 403, *_REFUSED, *_MOVED),
        )
        reply = self._call(call)
        self._must_be_basware(call, reply)
        token = reply.headers.get(REQUEST_ID, "")
        if reply.status in _REFUSED:
            return _refusal(reply, token)
        taken = success_of("Basware", reply, safe)
        if faults.hidden_in(taken):
            return Answer(400, token, taken, tuple(faults.read(reply)))
        return Answer(reply.status, token, taken)

    def _must_be_basware(self, call: Call, reply: Reply) -> None:
        """Take no refusal from what stands in between: it says nothing of the record.

        Basware refuses in JSON, or without a text (401, 404, 405) and then with its request id.
        """
        if reply.status in _MOVED:
            raise Misconfigured(f"Basware answered a {call.method} of {call.path} with a redirect; correct 'base_url'.")
        if reply.status not in _REFUSED or reply.status == 413:
            return
        if not reply.body.strip():
            known = REQUEST_ID in reply.headers or not self._signs
        else:
            absent = reply.status in ABSENT_STATUS
            known = faults.speaks(reply) or (faults.says_absent(reply, call.path) if absent else faults.is_json(reply))
        if not known:
            said = f"{reply.status}, {reply.text(120) or 'without a text'}"
            raise unproven("Basware", f"{call.method} {call.path}", said, safe=call.safe)

    def _call(self, call: Call) -> Reply:
        self.auth.ready()
        reply = self.http.call(call)
        if reply.status in {401, 403}:
            raise LoginRefused(self._not_allowed(call, reply))
        return reply

    def _not_allowed(self, call: Call, reply: Reply) -> str:
        right = "read" if call.method == "GET" else "write"
        scope = f"{call.path.removeprefix('/v1/').split('/')[0]}.{right}"
        asked = "which is among those asked for" if scope in self.scopes() else "which was not asked for (see 'scopes')"
        return (
            f"Basware answered {reply.status} to {call.method} {call.path}, also with a new token: {reply.text(150)} "
            f"Probably the client lacks the scope {scope}, {asked}; let Basware grant it."
        )


def _readable(path: str, reply: Reply) -> None:
    """Take no refusal of a read for a word on the record. Raises `Misconfigured`, or `Transient` where it is nobody's.

    What a redirect leads to is judged where it is followed.
    """
    if reply.status not in {400, 405}:
        return
    if faults.speaks(reply):
        raise Misconfigured(f"Basware refuses to show {path} ({reply.status}): {faults.words(faults.read(reply))}")
    raise unproven("Basware", path, f"{reply.status} {reply.text(120) or 'without a text'}")


def quoted(code: str) -> str:
    """Make a code safe for a path. Raises `Rejected` for one that every server takes for a step in the path."""
    if code in {"", ".", ".."}:
        raise Rejected(f"'{code}' is no code that Basware can be asked for.")
    return quote(code, safe="")


def rows_of(reply: Reply, key: str) -> list[Any]:
    """Take the rows out of a list's answer, wrapped or bare. Raises `Transient` where there is no list."""
    body = reply.json()
    rows = None if faults.hidden_in(body) else rows_in(body, key)
    if rows is None:
        raise Transient(f"Basware answered 200 without the list '{key}': {reply.text(200)}")
    return rows


def _refusal(reply: Reply, token: str) -> Answer:
    """Hand a refusal back. Raises `Misconfigured` where it is about the credentials and not about what was sent."""
    found = tuple(faults.read(reply))
    if reply.status == 400 and all(fault.code in faults.SETUP for fault in found):
        raise Misconfigured(
            f"Basware does not let this client write: {faults.words(list(found))}. Check 'client_id' and the rights "
            "that Basware granted to it."
        )
    return Answer(reply.status, token, None, found, faults.speaks(reply))
