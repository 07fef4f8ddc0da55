"""The network between a client and its sandbox: in this process, and as unreliable as the dice say."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx

from tests.simulation.machine import Machine, Process
from tests.simulation.sides import Side

if TYPE_CHECKING:
    from tests.simulation.worlds import Office

TIMEOUT, SETTLE = 30.0, 900.0
EDGE = 60.0
"""Our clock may be off by that many seconds: a server that acts late does so as long before the settle time."""
HOUR = 3600.0
KINDS = (
    "500", "502 html", "503", "429 seconds", "429 date", "429 absurd", "timeout before", "timeout after",
    "reset before", "reset after", "hang in mid-body", "truncated", "200 html", "200 error", "200 error after",
    "refused", "empty page", "repeated page", "page loop", "wrong total", "slow",
)  # fmt: skip
AFTER = frozenset({"timeout after", "reset after", "truncated", "hang in mid-body", "200 error after"})
UNHEARD = AFTER - {"truncated"}
FOREIGN = ("404 plain", "404 html", "404 json", "410 json", "404 empty")
"""Answers of a gateway that knows nothing of the server behind it: to readings only."""
PAGES = frozenset({"empty page", "repeated page", "page loop", "wrong total"})
HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


@dataclass
class Line:
    """One tenant's line to one system, and what was seen on it.

    `refused`: since when all could know that credentials are refused; `issued`: every token and session there ever was.
    `hidden`: lists that show nothing until a time, as to a user whose rights were taken; `wrong`: what may not happen.
    """

    office: Office
    side: Side
    outage_until: datetime | None = None
    refused: dict[str, datetime] = field(default_factory=dict)
    relogins: int = 0
    requests: int = 0
    posts: Counter[str] = field(default_factory=Counter)
    pages: dict[str, bytes] = field(default_factory=dict)
    very_late: bool = False
    hidden: dict[str, datetime] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    issued: set[str] = field(default_factory=set)

    @property
    def tenant(self) -> str:
        return self.office.name


class _Hang(httpx.SyncByteStream):
    """Half of a body, and then nothing more."""

    def __init__(self, machine: Machine, body: bytes) -> None:
        self._machine, self._body = machine, body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body[: len(self._body) // 2]
        self._machine.sleep(TIMEOUT)
        raise httpx.ReadTimeout("timed out in mid-body")


class Wire(httpx.BaseTransport):
    """The transport that `BootstrapOptions.transport` hands out."""

    def __init__(self, machine: Machine, line: Line) -> None:
        self.machine, self.line = machine, line
        self.side = line.side
        self._inner = httpx.WSGITransport(app=line.side.app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        machine, line = self.machine, self.line
        machine.touch("before request")
        machine.sleep(machine.dice.uniform(0.02, 0.3))
        line.requests += 1
        self.side.asked(request)
        self._switched_off(request)
        self._too_heavy(request)
        self.side.small_pages(request)
        if line.outage_until is not None and machine.now() < line.outage_until:
            machine.note(f"{line.tenant} {self.side.system} is down")
            self._left_open(request)
            raise httpx.ConnectError("connection refused", request=request)
        response = self._weathered(request)
        machine.note(f"{line.tenant} {request.method} {request.url.raw_path.decode()[:110]} -> {response.status_code}")
        machine.touch("after request")
        page = line.pages.get(_asked(request), b"") if request.method == "GET" else b""
        if self.side.leads_on(page) and machine.meddling is not None and machine.hit(machine.weather.edit):
            machine.meddling(line)
        return response

    def _switched_off(self, request: httpx.Request) -> None:
        """See that nothing is switched off at the platform because the ERP's list of it shows nothing for now."""
        office = self.line.office
        *_, kind, code = request.url.path.split("/")
        suppliers = office.erp.suppliers_flow
        flow = {"vendors": suppliers, "accounts": "accounts", "costCenters": office.erp.centers_flow}.get(kind)
        if request.method != "PATCH" or flow is None or self.side.system != "basware" or not office.hidden():
            return
        if not re.search(rb'"active":\s*false', request.read()):
            return  # what is kept of a supplier by people is written around
        name = {suppliers: "vendorCode", "accounts": "accountCode", office.erp.centers_flow: "costCenterCode"}[flow]
        known = office.ap.imported.get(kind, {}).get(unquote(code), {}).get(name)
        if known in office.erp.masters()[flow]:
            self.line.wrong.append(f"{flow} {known} is switched off, and the ERP has it: its list is hidden")

    def _too_heavy(self, request: httpx.Request) -> None:
        """A record that takes more memory than there is: whoever sends it dies."""
        if not self.side.changes(request) or not self.line.office.heavy or not self.machine.stack:
            return
        content = self.side.content(request).casefold()
        if any(mark.casefold() in content for mark in self.line.office.heavy):
            self.machine.die(self.machine.stack[-1], "out of memory")

    def _weathered(self, request: httpx.Request) -> httpx.Response:
        if (broken := self._broken_off(request)) is not None:
            return broken
        machine = self.machine
        if not self.side.changes(request) and machine.hit(machine.weather.foreign):
            return self._not_there(request)
        if not machine.hit(machine.weather.wire):
            return self._passed(request)
        kind = machine.dice.choice(KINDS)
        self._left_open(request)
        if kind in AFTER:
            machine.fault(f"wire: {kind}")
            return self._spoilt(kind, request, self._passed(request, unheard=kind in UNHEARD))
        if kind in PAGES:
            return self._paged(kind, request)
        machine.fault(f"wire: {kind}")
        return self._instead(kind, request)

    def _left_open(self, request: httpx.Request) -> None:
        """Count for nothing what a process has heard of a refusal, where the request that looks into it is spoilt."""
        if self.side.proves(request) and self.machine.stack:
            self.machine.stack[-1].heard.clear()

    def _broken_off(self, request: httpx.Request) -> httpx.Response | None:
        """Break off a post: one that cannot succeed, or one that the server carries out later."""
        machine, path, side = self.machine, request.url.path, self.side
        document = side.is_post(request)
        if document and (number := self._number(request)):
            self._once_taken(number)
            if (
                machine.hit(machine.weather.unnamed)
                and side.unnamed
                and (taken := self._without_number(request, number)) is not None
            ):
                return taken
        if document and self._is_sick(request):
            return self._instead(machine.dice.choice(("500", "timeout before", "502 html")), request)
        if document and self.line.very_late and machine.hit(0.5):
            return self._acted_late(request, machine.dice.uniform(SETTLE + EDGE, HOUR - TIMEOUT), "later than settled")
        upsert = request.method in {"POST", "PATCH"} and path.endswith(side.upserts) if side.upserts else False
        if (document or upsert) and machine.hit(machine.weather.late):
            edge = machine.hit(0.3)
            after = machine.dice.uniform(SETTLE - 2 * EDGE if edge else 0, SETTLE - EDGE)
            return self._acted_late(request, after, "old upsert" if upsert else "acted late")
        return None

    def _number(self, request: httpx.Request) -> str | None:
        """Tell which document a post carries, in the letters of its paper."""
        number = self.side.number_in(request)
        paper = self.line.office.paper(number) if number else None
        return next((n for n in paper.numbers if n.casefold() == str(number).casefold()), number) if paper else number

    def _once_taken(self, number: str) -> None:
        """See that nothing is sent again that the server has said to have taken, unless a person says so."""
        paper = self.line.office.paper(number)
        if paper is not None and paper.taken is not None and not (paper.decided or paper.forgotten or paper.rivalled):
            self.line.wrong.append(f"{number} was sent again after it had been taken ({paper.troubles.get('taken')})")

    def _is_sick(self, request: httpx.Request) -> bool:
        number = self._number(request)
        until = self.line.office.sick.get(number or "")
        if until is None or self.machine.now() >= until:
            return False
        self.machine.fault("world: one document sick")
        return True

    def _not_there(self, request: httpx.Request) -> httpx.Response:
        """Answer as a gateway does that has lost its way: nothing is said of the record."""
        kind = self.machine.dice.choice(FOREIGN)
        self._left_open(request)
        self.machine.fault(f"wire: a gateway's own {kind}")
        bodies = {
            "plain": ("404 page not found\n", "text/plain; charset=utf-8"),
            "html": (HTML.format("404 Not Found"), "text/html"),
            "json": ('{"message":"no Route matched with those values"}', "application/json; charset=utf-8"),
            "empty": ("", "text/plain"),
        }
        return self._made(int(kind[:3]), *bodies[kind[4:]])

    def _without_number(self, request: httpx.Request, number: str) -> httpx.Response | None:
        """Let the server take a document and not say as what: it shows at once, late, or not at all."""
        machine, paper = self.machine, self.line.office.paper(number)
        kind = machine.dice.choice(("at once", "at once", "late", "late", "never"))
        if paper is None or "taken" in paper.troubles:
            return None
        if kind == "at once":
            response = self._passed(request, unheard=True)
            if not response.is_success:
                return response
        before, when = paper.very_late, machine.now()
        if kind == "late":
            delay = machine.dice.uniform(60, HOUR - TIMEOUT)
            machine.later(delay, lambda: self._carried_out(self.side.again(request)))
            paper.very_late |= delay > SETTLE - EDGE
        machine.fault(f"wire: taken without a number, shown {kind}")
        paper.troubles["taken"] = kind

        def heard() -> None:
            paper.taken = when
            paper.very_late = before or (paper.rivalled and paper.very_late)  # the other one cannot know of it

        machine.stack[-1].heard.append((machine.upsets(), number, heard))  # who dies now can tell nobody
        status, body = machine.dice.choice(self.side.unnamed)
        return self._made(status, body)

    def _carried_out(self, request: httpx.Request) -> None:
        status = self._passed(request, late=True).status_code
        self.machine.note(f"{self.line.tenant} shows late: {request.url.path} -> {status}")

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────────

    def _instead(self, kind: str, request: httpx.Request) -> httpx.Response:
        """Answer for the server, or break off before it acted."""
        machine = self.machine
        if kind == "timeout before":
            machine.sleep(TIMEOUT)
            raise httpx.ReadTimeout("timed out", request=request)
        if kind == "reset before":
            raise httpx.ReadError("connection reset", request=request)
        if kind == "refused":
            raise httpx.ConnectError("connection refused", request=request)
        plain = {"500": "", "502 html": "Proxy Error", "503": "Unavailable", "200 html": "Sign in"}
        if kind in plain:
            return self._made(int(kind[:3]), HTML.format(plain[kind]) if plain[kind] else "", "text/html")
        if kind.startswith("429"):
            return self._made(429, headers={"Retry-After": self._when(kind)})
        if kind == "200 error":
            return self._made(200, self.side.envelope())
        machine.sleep(machine.dice.uniform(5, 25))
        return self._passed(request)

    def _when(self, kind: str) -> str:
        """Write a Retry-After: seconds, a date, or nonsense."""
        dice = self.machine.dice
        if kind == "429 absurd":
            return str(dice.choice(("100000000", "-5", "soon", "Thu, 99 Xxx 2026", "")))
        soon = dice.choice((1, 5, 40, 600))
        when = format_datetime(self.machine.now() + timedelta(seconds=soon), usegmt=True)
        return when if kind.endswith("date") else str(soon)

    def _spoilt(self, kind: str, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if kind == "timeout after":
            self.machine.sleep(TIMEOUT)
            raise httpx.ReadTimeout("timed out", request=request)
        if kind == "reset after":
            raise httpx.ReadError("connection reset", request=request)
        if kind == "200 error after":
            return self._made(200, self.side.envelope())
        headers = {k: v for k, v in response.headers.items() if k.lower() not in {"content-length", "set-cookie"}}
        if kind == "hang in mid-body":
            return httpx.Response(response.status_code, headers=headers, stream=_Hang(self.machine, response.content))
        half = response.content[: len(response.content) // 2]
        return httpx.Response(response.status_code, headers=headers, content=half)

    def _paged(self, kind: str, request: httpx.Request) -> httpx.Response:
        """Spoil a page in the middle of a list; where there is none, the answer is whole."""
        before = self.line.pages.get(_asked(request), b"")
        response = self._passed(request)
        body = self.side.spoilt(kind, request, response, before) if request.method == "GET" else None
        if body is None:
            return response
        self.machine.fault(f"wire: {kind}")
        headers = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=body)

    def _acted_late(self, request: httpx.Request, after: float, kind: str) -> httpx.Response:
        """Break off now; the server acts afterwards, also after a first look-up."""
        machine = self.machine
        hang = machine.dice.choice((0.0, TIMEOUT))
        machine.fault(f"wire: {kind}")
        number = self._number(request)
        if kind == "later than settled" and number and (paper := self.line.office.paper(number)):
            paper.very_late = True
        request.read()

        def act() -> None:
            copy = self.side.again(request)
            status = self._passed(copy, late=True).status_code
            if copy.url.path.startswith("/v1/vendors"):
                self.line.office.shared.clear()
            if copy.url.path.startswith("/v1/costCenters"):
                office = self.line.office  # nobody can keep an old request of ours from coming to lie over an edit
                office.hand_edits.clear()
                office.centers_late = True
            machine.note(f"{self.line.tenant} acts late: {copy.url.path} -> {status}")

        machine.later(hang + after, act)
        machine.sleep(hang)
        if hang:
            raise httpx.ReadTimeout("timed out", request=request)
        return self._made(504, HTML.format("Gateway Timeout"), "text/html")

    # ── the server ──────────────────────────────────────────────────────────────────────────────────────────

    def _passed(self, request: httpx.Request, *, late: bool = False, unheard: bool = False) -> httpx.Response:
        line, side = self.line, self.side
        login = request.url.path.endswith(side.login) and not late
        who = hashlib.blake2b(side.credentials(request), digest_size=8).hexdigest() if login else ""
        who = f"{line.tenant} {side.system} {who}"
        process = self.machine.stack[-1] if self.machine.stack else None
        if login and process is not None and not process.stranger and self._knows(process, who):
            line.relogins += 1
            self.machine.note(f"{line.tenant} {side.system}: LOGIN AGAIN after a refusal")
        if request.url.path.endswith("/purchaseRequisitions") and request.method == "POST" and not late:
            self._created_once(request)
        try:
            response = self._inner.handle_request(request)
            response.read()
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from error
        if login and side.refuses(response) and not unheard and process is not None and not process.stranger:
            known = partial(line.refused.setdefault, who)
            process.heard.append((self.machine.upsets(), who, lambda: known(self.machine.now())))
        if login:
            line.issued |= side.live()
        if request.method == "GET":
            response = self._with_rights(request, response)
            line.pages[_asked(request)] = response.content
        elif response.is_success and request.url.path.endswith("/transferResponses"):
            self._told(request.url.path.split("/")[-2])
        if number := self._number(request):
            line.posts[number] += 1
        return response

    def _created_once(self, request: httpx.Request) -> None:
        """See that no requisition is sent that stands there: the platform takes it, and the two differ from then on."""
        standing = self.line.office.ap.imported.get("purchaseRequisitions", {})
        for one in json.loads(request.read()):
            if one["externalCode"] in standing:
                self.line.wrong.append(f"DOUBLED requisition {one['extDocumentNumber']}: it was sent, and stands there")

    def _with_rights(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """Show nothing of a list that is hidden for now."""
        until = self.line.hidden.get(request.url.path.rpartition("/")[2])
        if until is None or self.machine.now() >= until or not response.is_success:
            return response
        self.machine.fault("world: a list shows nothing")
        return self._made(200, self.side.nothing(response.content))

    def _told(self, key: str) -> None:
        """Note when a platform was told of a document."""
        if (paper := self.line.office.papers.get(key)) is not None:
            paper.told = self.machine.now()

    def _knows(self, process: Process, who: str) -> bool:
        """Tell whether a process could know of a refusal: it began after all could, or has met it itself."""
        since = self.line.refused.get(who)
        itself = process.told(who, self.machine.upsets()) > self.side.proofs
        return itself or (since is not None and process.began > since)

    def _made(
        self, status: int, body: str = "", kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": kind, **(headers or {})}, content=body.encode())


def _asked(request: httpx.Request) -> str:
    """Name the list that a request asks for: an earlier page of it has the same columns."""
    return f"{request.url.path} {request.url.params.get('$select', '')}"
