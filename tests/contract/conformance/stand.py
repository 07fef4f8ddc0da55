"""What the suite must know of a vendor: one subclass of `Stand` in `stands/SYSTEM.py`, named `STAND`.

A stand puts one connection of one tenant in front of one simulated server, under one clock. It tells how that world is
made and changed, which request asks for what, and what a page looks like. The laws themselves stand in the tests and
know no vendor. What a system does not offer need not be overridden; what it does offer fails with a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import httpx

from ml_connector import bootstrap
from ml_connector.connection import Connection
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.integrations import INTEGRATIONS
from ml_connector.records import Record
from tests.clock import Clock
from tests.contract.conformance.parts import START, Codes, Row, decoded, password_in, recoded
from tests.contract.conformance.wire import ALWAYS, Wire, instead, session_in


class Stand:
    """One tenant's connection to one simulated server."""

    system: ClassVar[str]
    secret: ClassVar[Mapping[str, Any]]
    """The fields of a secret that works."""
    wrong: ClassVar[Mapping[str, Any]]
    """The fields that make its password wrong."""
    envelope: ClassVar[str]
    """An error in the vendor's own words, that a server may send with status 200."""
    refusal: ClassVar[str]
    """What the vendor says with status 400 where a record is wrong; it contains the word `sour`."""
    refuses: ClassVar[tuple[int, ...]] = (400, 422)
    """The statuses with which it says so."""
    unnamed: ClassVar[tuple[tuple[int, str], ...]] = tuple(
        (s, body) for s in (201, 200, 202, 204) for body in ("", "{}")
    )
    """Successes that name no document: status and body."""
    shows_cancelled: ClassVar[bool] = True
    """It shows which documents were taken back."""
    as_made: ClassVar[bool] = False
    """Whether its lists of documents stay as they were made, whatever became of the documents since."""
    at_once: ClassVar[bool] = False
    """Whether its targets of master data declare `at_once`: each record is a call, and answered in it."""
    like_its_own: ClassVar[frozenset[str]] = frozenset()
    """What a stranger may say that the server's own words cannot be told from, by the names of the laws."""
    addressed: ClassVar[bool] = False
    """It takes credentials and sessions in addresses only, which are masked wherever they are shown."""
    keeps_totals: ClassVar[frozenset[type[Record]]] = frozenset()
    """Documents whose total the server keeps, so that `read_back` must give it."""

    def __init__(self) -> None:
        self.clock, self.codes, self.size = Clock(START), Codes(), 0
        self.world = self.make_world()
        self.world.clock, self.world.sleep = self.clock.now, self.clock.sleep
        self.app = self.make_app()
        host = httpx.URL(self.settings().urls()[0]).host
        self.wire = Wire(self.app, host, self._outgoing)
        self._store, self._vault = SqliteStore(clock=self.clock), MemoryVault()
        self._made: list[Connection] = []
        self._sent: set[str] = set()
        self._looked_at = 0  # how many requests `secrets` has looked at: a test asks hundreds of times

    # ── connecting ──────────────────────────────────────────────────────────────────────────────────────────

    def settings(self, **fields: Any) -> Any:
        return bootstrap.module(self.system).Settings.model_validate({**self.secret, **fields})

    def connect(self, *, transport: Any = None, tenant: str = "acme", **fields: Any) -> Connection:
        """Connect as another process of the same tenant would: it shares the ledger, and nothing else.

        `fields` overrule the secret; `transport` False takes the real network.
        """
        settings = self.settings(**fields)
        breaker = Breaker(self._store, self.clock, tenant=tenant, system=self.system, version="1", boot="b", sole=True)
        sessions = Sessions(
            self._store,
            self._vault,
            self.clock,
            breaker,
            name=f"{tenant}#{self.system}",
            version=settings.credentials_version(),
            boot="b",
        )
        ours = [i for i in INTEGRATIONS if self.system in {i.erp, i.platform}]
        context = AdapterContext(
            tenant=tenant,
            integration=ours[0].name,
            clock=self.clock,
            rng=SeededRandom(len(self._made)),
            sessions=sessions,
            options=TenantSettings(send_bank_details=True),
            insecure=True,
            transport=self.wire if transport is None else transport or None,
            flows=lambda: tuple(dict.fromkeys(f.name for i in ours for f in i.flows)),
        )
        self._made.append(bootstrap.module(self.system).connect(settings, context))
        return self._made[-1]

    def close(self) -> None:
        for connection in self._made:
            connection.close()

    def later(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def secrets(self) -> set[str]:
        """What may stand in no message: the secret's values, and every credential that went over the wire."""
        for seen in self.wire.seen[self._looked_at :]:
            self._sent.add(seen.headers.get("authorization", "").partition(" ")[2])
            crumbs = seen.headers.get("cookie", "").split(";")
            self._sent |= {c.partition("=")[2].strip() for c in crumbs if self.is_session(c.partition("=")[0].strip())}
            self._sent.add(session_in(seen.url))
        self._looked_at = len(self.wire.seen)
        known = self._sent | {value for value in self.settings().secret_values() if len(value) >= 4}
        known |= {text for one in known if (text := password_in(one))}
        return {one for one in known if len(one) >= 4}

    # ── what every vendor's file says ───────────────────────────────────────────────────────────────────────

    def make_world(self) -> Any:
        """Make a world of its own, small enough to be read in a moment, full enough for several pages."""
        raise self._untold("make_world")

    def make_app(self) -> Any:
        """Give the WSGI application of the world."""
        raise self._untold("make_app")

    def is_login(self, request: httpx.Request) -> bool:
        """Tell whether a request logs in (or proves the credentials)."""
        raise self._untold("is_login")

    def is_session(self, cookie: str) -> bool:
        """Tell whether a cookie of this name carries the session."""
        return False

    def refused_logins(self) -> int:
        """Count what the server refused for its credentials."""
        raise self._untold("refused_logins")

    def change_password(self) -> None:
        """Let the server want another password from now on; sessions stay good."""
        raise self._untold("change_password")

    def expire(self) -> None:
        """End every session, as a restart of the server does."""
        raise self._untold("expire")

    def open_sessions(self) -> int:
        """Count the sessions that stand open; 0 where the vendor keeps none."""
        return 0

    def forbid(self, path: str) -> Callable[[], None]:
        """Take the user's right to what lies at an address; gives what gives it back."""
        refused = instead(403, self.envelope)
        rule = self.wire.spoil(refused, lambda r: r.url.path.startswith(path) and not self.is_login(r), times=ALWAYS)
        return lambda: self.wire.rules.remove(rule)

    # ── sources ─────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, record: type[Record]) -> set[str]:
        """Name the records that a first full reading gives."""
        raise self._untold("keys", record)

    def touch(self, record: type[Record], key: str) -> None:
        """Change a record now, as a user does; its stamp moves where it has one."""
        raise self._untold("touch", record)

    def remove(self, record: type[Record], key: str) -> None:
        """Delete a record without a trace."""
        raise self._untold("remove", record)

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        """Tell whether a request is for records of this type: a page, or one of them."""
        raise self._untold("asks", record)

    def shrink(self, request: httpx.Request, size: int) -> None:
        """Make the pages smaller than the adapter asks for, as a server may. 0 leaves them."""
        raise self._untold("shrink")

    def rows(self, body: Any) -> list[Row]:
        """Give the rows of a decoded body, to be changed in place; none where it is another one."""
        raise self._untold("rows")

    def repage(self, request: httpx.Request, response: httpx.Response, change: str) -> httpx.Response:
        """Spoil a page: `empty` (no rows, its link kept), `loop` (a link to itself), `foreign` (to another host).

        Of master sources also `onward`: a link to the rows after these, whether there are any or not.
        """
        raise self._untold("repage")

    def key_of(self, record: type[Record], row: Row) -> str:
        """Name the record of a row."""
        raise self._untold("key_of", record)

    def garble(self, record: type[Record], row: Row) -> str | None:
        """Make a row unreadable; gives the key that can still be told, None where there is none."""
        raise self._untold("garble", record)

    def price(self, record: type[Record], row: Row, amount: Decimal) -> None:
        """Put an amount into a row where it counts: an order's first line, a document's total."""
        raise self._untold("price", record)

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    def writes(self, request: httpx.Request) -> bool:
        """Tell whether a request posts a document, or a part of one."""
        return request.method in {"POST", "PUT", "PATCH"} and not self.is_login(request)

    def posts(self, request: httpx.Request) -> bool:
        """Tell whether a request posts a document itself."""
        return request.method == "POST" and not self.is_login(request)

    def reads(self, request: httpx.Request) -> bool:
        """Tell whether a request changes nothing."""
        return not self.writes(request) and not self.is_login(request)

    def posted(self) -> list[str]:
        """Give the documents that went over the wire, as text."""
        bodies = [json.loads(one.body, parse_float=str) for one in self.wire.seen if one.body[:1] == b"{"]
        return [json.dumps(body, ensure_ascii=False) for body in bodies]

    def spelled(self, number: str) -> str:
        """Say a supplier's number as the system keeps it."""
        return number

    def keeps_letters(self, number: str) -> bool:
        """Tell whether the system can keep the letters of a number; else it is refused before it is sent."""
        return True

    # ── documents ───────────────────────────────────────────────────────────────────────────────────────────

    def answers(self, record: type[Record], key: str) -> int:
        """Count the answers that a document of the source has had."""
        raise self._untold("answers", record)

    def document(self, record: type[Record], key: str, amount: str, **fields: Any) -> Any:
        """Make a record that the target takes; `fields` overrule."""
        raise self._untold("document", record)

    def foreign(self, record: type[Record]) -> dict[str, Any]:
        """Name the fields of a document in a foreign currency."""
        raise self._untold("foreign", record)

    def booked(self, record: type[Record]) -> int:
        """Count the documents that the target keeps."""
        raise self._untold("booked", record)

    def unwelcome(self, record: type[Record]) -> dict[str, dict[str, Any]]:
        """Name fields for which the target must hold or refuse a document: {what is wrong: fields}."""
        raise self._untold("unwelcome", record)

    def on_order(self) -> tuple[dict[str, Any], Callable[[], None]]:
        """Give the fields of an invoice that draws on an order, and what closes that order."""
        raise self._untold("on_order")

    def cancel(self, found_id: str) -> None:
        """Take a posted document back, as a person does there; `found_id` is `Found.id`."""
        raise self._untold("cancel")

    def book(self, found_id: str) -> None:
        """Post a document as a person does, where handing it over does not post it; elsewhere it is posted already."""

    # ── masters in ──────────────────────────────────────────────────────────────────────────────────────────

    def kept(self, record: type[Record]) -> dict[str, bool]:
        """Give what the target has imported, by the code that `Rendered.target_id` names: whether it is active."""
        raise self._untold("kept", record)

    def sour(self, record: type[Record], key: str) -> None:
        """Let the target refuse this record, once it has taken it, with the word `sour`."""
        raise self._untold("sour", record)

    def misshape(self, entity: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make an entity of `Rendered` one that the target refuses at the door."""
        raise self._untold("misshape")

    def edit(self, record: type[Record], code: str) -> None:
        """Change a field of a record that stands there, as a person does; `code` is `Rendered.target_id`."""
        raise self._untold("edit", record)

    # ── suppliers that are changed at the platform ──────────────────────────────────────────────────────────────

    def shared(self, key: str) -> dict[str, str]:
        """Give the fields of a supplier that people may change at the platform, as the ERP keeps them."""
        raise self._untold("shared")

    def changes(self) -> tuple[dict[str, str], dict[str, str]]:
        """Name changes that the ERP takes, and some that it refuses."""
        raise self._untold("changes")

    def empties(self) -> None:
        """Let maintenance empty what it is not sent."""
        raise self._untold("empties")

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _untold(self, what: str, record: type[Record] | None = None) -> NotImplementedError:
        of = f" for {record.__name__}" if record else ""
        return NotImplementedError(
            f"{self.system} offers what the suite wants to try, but stands/{self.system}.py does not tell `{what}`{of}."
        )

    def _outgoing(self, request: httpx.Request) -> None:
        if self.size:
            self.shrink(request, self.size)

    def rewrite(self, record: type[Record], key: str, change: Callable[[Row], Any]) -> None:
        """Change a record's row on its way, in every answer that shows it."""

        def changed(_: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
            response = go()
            body = decoded(response)
            for row in self.rows(body):
                if self.key_of(record, row) == key:
                    change(row)
            return recoded(response, body)

        self.wire.spoil(changed, lambda request: self.asks(record, request), times=ALWAYS)
