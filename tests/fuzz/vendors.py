"""The adapters, each read and write of them, with one answer of the vendor spoilt."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import httpx
import msgspec

from ml_connector import http_log
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.engine.ledger.fingerprint import fingerprint
from ml_connector.errors import ConnectorError, Held, OutcomeUnknown, Rejected, Transient
from ml_connector.records import Record
from tests.clock import Clock
from tests.fuzz import operations
from tests.fuzz.runner import Finding
from tests.fuzz.tape import Player, Recorder, Tape

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LARGEST_EXPONENT = 30
UNSAFE = ("/PurchaseInvoices", "/PurchaseCreditNotes", "/transferResponses", "/paymentResponses", "/APInvoiceBatches")


class Bench:
    """One connection, at first in front of a sandbox, later of a tape."""

    def __init__(
        self, system: operations.System, transport: httpx.BaseTransport, clock: Clock, version: str, seed: int = 1
    ) -> None:
        """`seed`: of the ids of its requests, which Basware takes once."""
        self.clock, self.codes = clock, operations.Codes()
        store = SqliteStore(clock=clock)  # type: ignore[arg-type]
        self.breaker = Breaker(store, clock, tenant="acme", system=system.name, version="1", boot="b", sole=True)  # type: ignore[arg-type]
        sessions = Sessions(store, MemoryVault(), clock, self.breaker, name="acme", version="1", boot="b")  # type: ignore[arg-type]
        context = AdapterContext(
            tenant="acme",
            integration="sap_b1-basware",
            clock=clock,
            rng=SeededRandom(seed),
            sessions=sessions,  # type: ignore[arg-type]
            options=TenantSettings(send_bank_details=True),
            transport=transport,
            insecure=True,
            flows=lambda: ("vendors", "accounts", "cost_centers", "purchase_orders", "invoices", "payments"),
        )
        self.connection = system.connect(system.settings(version), context)


@dataclasses.dataclass(frozen=True)
class Recorded:
    """An operation with what its sandbox said to it."""

    name: str
    do: Callable[[Bench], Any]
    tape: Tape
    version: str


@cache
def recorded(system: operations.System) -> tuple[Recorded, ...]:
    """Do each operation once in front of the sandbox; it must succeed there."""
    found = []
    for version in system.versions:
        for name, do in system.operations.items():
            clock, tape = Clock(START), Tape(absent=system.absent)
            world, app = system.world(clock)
            done = do(Bench(system, Recorder(app, Tape()), clock, version, seed=2), world)
            judge(done(Bench(system, Recorder(app, tape), clock, version)))
            if tape.order:  # some asks for nothing: a company without cost centers
                found.append(Recorded(name, done, tape, version))
    return tuple(found)


class Vendor:
    """The campaign: only the documented errors, nothing unreadable in what is read, no secret in any message."""

    def __init__(self, system: operations.System) -> None:
        self.system = system
        self.all = recorded(system)
        secret = system.secret
        self.spellings = tuple(dict.fromkeys((secret, json.dumps(secret)[1:-1], *system.echoes)))

    def case(self, dice: Random) -> str:
        chosen = dice.choice(self.all)
        clock = Clock(START)
        player = Player(chosen.tape, dice, dice.choice(self.spellings).encode())
        bench = Bench(self.system, player, clock, chosen.version)
        try:
            with recorded_or_not(dice) as exchanges, heard() as lines:
                outcome = self._outcome(chosen, bench, player)
            self._silent(*lines, *(str(row) for row in http_log.as_rows(exchanges)))
        finally:
            bench.connection.close()
        if (clock.now() - START).total_seconds() > 3600:  # type: ignore[attr-defined]
            raise Finding("waited for more than an hour within one operation")
        return f"{outcome}"

    def _outcome(self, chosen: Recorded, bench: Bench, player: Player) -> str:
        try:
            result = chosen.do(bench)
        except ConnectorError as error:
            if type(error) is ConnectorError or not str(error).strip():
                raise Finding("an error without a class or without words") from error
            self._silent(str(error), str(getattr(error, "waiting_for", "")), repr(bench.breaker._data()))
            self._not_forgotten(error, player)
            return type(error).__name__
        judge(result)
        return "done"

    def _not_forgotten(self, error: ConnectorError, player: Player) -> None:
        """A posting that was taken is never said to have had no effect, whatever its answer looked like."""
        spoilt = player.spoilt
        took = spoilt.request.method == "POST" and spoilt.request.url.path.endswith(UNSAFE) and spoilt.before < 300
        kept = spoilt.after in {200, 201, 202, 204} and b"rror" not in spoilt.body
        if took and kept and player.count - 1 == player.target and isinstance(error, (Rejected, Transient)):
            raise Finding(f"a taken POST became {type(error).__name__}: {error}")

    def _silent(self, *texts: str) -> None:
        for text in texts:
            for secret in self.spellings:
                if secret in text:
                    raise Finding(f"a message shows the secret: …{text[max(0, text.index(secret) - 200) :][:300]}")


def recorded_or_not(dice: Random) -> AbstractContextManager[list[http_log.Exchange]]:
    """Keep the exchanges as a writer does, or not, as a poll does."""
    return http_log.recording() if dice.random() < 0.4 else nullcontext([])


class heard:
    """Collects what is logged meanwhile."""

    def __enter__(self) -> list[str]:
        self.lines: list[str] = []
        self.handler = logging.Handler()
        self.handler.emit = lambda record: self.lines.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger("ml_connector").addHandler(self.handler)
        return self.lines

    def __exit__(self, *_: object) -> None:
        logging.getLogger("ml_connector").removeHandler(self.handler)


def judge(value: Any) -> None:
    """What an adapter hands out can be compared, written down and sent: no float, no endless number, no half text."""
    if isinstance(value, Record):
        fingerprint(value, "e")
    if isinstance(value, float):
        raise Finding(f"a float: {value}")
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > LARGEST_EXPONENT:
            raise Finding(f"a number that no ledger can hold: {value}")
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, msgspec.Struct):
        judge([getattr(value, name) for name in value.__struct_fields__])
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        judge([getattr(value, f.name) for f in dataclasses.fields(value)])
    elif isinstance(value, Mapping):
        judge([*value.keys(), *value.values()])
    elif isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            judge(one)


__all__ = ["Bench", "Held", "OutcomeUnknown", "Vendor", "judge"]
