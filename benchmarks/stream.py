"""A source of any number of suppliers and a target that takes them all: what they cost is next to nothing, so that
what is measured is the product's own way from page to settled row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_connector import http_log
from ml_connector.connection import Check, Connection, Source, Target
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.worker import write
from ml_connector.flow import Flow, Integration, Page, Rendered, Sent, Verdict
from ml_connector.records import Address, BankAccount, Supplier
from ml_connector.redact import Redactor
from ml_connector.systems.basware.limits import CHUNKING

PAGE = 500
REDACTOR = Redactor()
SLICE = 240
"""Pages in a slice: a poll function reads for 240 seconds in one go, and here a page takes one of the turned clock."""
VENDORS = Flow("vendors", Supplier, "sap_b1", "basware", "master", "masters", maps="supplier")
TABLE = Integration("sap_b1-basware", "sap_b1", "basware", (VENDORS,))


class HandClock:
    """A clock that moves when somebody sleeps, and by a page that is read."""

    def __init__(self) -> None:
        """Begin on a Monday morning."""
        self.time = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Tell the time."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.time += timedelta(seconds=seconds)


def supplier(n: int, edition: str) -> Supplier:
    """Make one supplier, about 400 bytes as JSON, with text that compresses no better than a real one's."""
    noise = hashlib.blake2b(f"{n}{edition}".encode(), digest_size=12).hexdigest()
    return Supplier(
        key=f"V{n:07d}",
        code=f"V{n:07d}",
        name=f"Supplier {noise[:10]} of edition {edition}",
        currency="EUR",
        tax_id=f"DE{n:09d}",
        payment_term="30",
        email=f"{noise[10:18]}@example.com",
        phone=f"+49 30 {n:07d}",
        addresses=(Address(key="1", street=f"Street {noise[18:]}", city="Berlin", postal_code="10115", country="DE"),),
        bank_accounts=(BankAccount(iban=f"DE89{n:018d}", bic="COBADEFFXXX"),),
    )


class Stream:
    """Both systems: it gives `count` suppliers page by page, and takes whatever it is sent."""

    stages: tuple[str, ...] = ("vendors",)
    once = False

    def __init__(self, count: int, clock: HandClock) -> None:
        """`edition` is part of each record: another one changes them all."""
        self.count, self.clock, self.edition = count, clock, "1"

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Supplier]]:  # noqa: ARG002 - a protocol
        """Read from a position on."""
        for start in range(int(position or 0), self.count, PAGE):
            end = min(start + PAGE, self.count)
            self.clock.sleep(1)
            yield Page(
                [supplier(n, self.edition) for n in range(start, end)], (), str(end) if end < self.count else None
            )

    def reread(self, keys: Sequence[str]) -> Iterator[Page[Supplier]]:
        """Read single records again: all of them are there."""
        yield Page([supplier(int(key[1:]), self.edition) for key in keys])

    def render(self, record: Supplier, codes: Any, touch: str | None = None) -> Rendered:  # noqa: ARG002 - a protocol
        """Say a record in no words."""
        return Rendered(record.key, record.code, {"vendors": [{"externalCode": record.code}]})

    def send(self, stage: str, batch: Sequence[Rendered]) -> Sent:  # noqa: ARG002 - a protocol
        """Take everything; the verdict comes later, as Basware's does."""
        _note("POST", str(batch))
        return Sent(("token",))

    def verdicts(self, stage: str, batch: Sequence[Rendered], tokens: Sequence[str]) -> dict[str, Verdict]:  # noqa: ARG002
        """Find everything good."""
        _note("GET", str(tokens))
        return {one.key: Verdict("delivered") for one in batch}

    def standing(self, batch: Sequence[Rendered], /) -> dict[str, Verdict]:  # noqa: ARG002 - a protocol
        """Tell nothing: the same again is harmless."""
        return {}

    def read_back(self, stage: str, batch: Sequence[Rendered]) -> dict[str, Verdict]:
        """Find everything good."""
        return self.verdicts(stage, batch, ())

    def deactivate(self, keys: Sequence[str]) -> Sent:  # noqa: ARG002 - a protocol
        """Take it; nothing vanishes here."""
        return Sent()

    def deactivated(self, keys: Sequence[str], tokens: Sequence[str]) -> dict[str, Verdict]:  # noqa: ARG002 - a protocol
        """Find everything good."""
        return {}

    def ping(self) -> Iterator[Check]:
        """Find nothing to say."""
        yield from ()

    def source(self, record: type) -> Source:  # noqa: ARG002 - a protocol
        """Be the source, as far as it is measured."""
        return self

    def target(self, record: type) -> Target:  # noqa: ARG002 - a protocol
        """Be the target, as far as it is measured."""
        return self

    def close(self) -> None:
        """Nothing is open."""


def _note(method: str, body: str) -> None:
    """Leave an exchange for the audit trail, as an HTTP client does."""
    http_log.note(
        http_log.Exchange(
            at="", method=method, url="", request_headers={}, request_body=http_log.clip(body, REDACTOR), status=200
        )
    )


def pair(runtime: Runtime, stream: Stream) -> TenantIntegration:
    """Bind the stream to a world, with Basware's own chunk sizes."""

    def connect() -> Connection:
        return stream

    breakers = {
        s: Breaker(
            runtime.store, runtime.clock, tenant="acme", system=s, version="1", boot=runtime.boot, sole=runtime.sole
        )
        for s in (VENDORS.source, VENDORS.target)
    }
    return TenantIntegration(
        runtime=runtime,
        tenant="acme",
        integration=TABLE,
        scope="0123456789abcdef",
        breakers=breakers,
        connectors=dict.fromkeys(breakers, connect),
        active=frozenset({VENDORS.name}),
        epoch="0123abcd",
        chunking=CHUNKING,
    )


def read_all(bound: TenantIntegration, run: str, *, pages: int = SLICE, full: bool = False) -> int:
    """Poll as functions do, slice after slice; gives how many it took."""
    slices = 0
    while True:
        slices += 1
        if Poll(bound, VENDORS, run, deadline=bound.runtime.clock.now() + timedelta(seconds=pages), full=full).read():
            return slices


def write_all(bound: TenantIntegration, queue: MemoryQueue) -> None:
    """Work on every wake-up message, and on what falls due, until nothing is left.

    Raises `RuntimeError` where that takes longer than a day on the clock: then something is tried for ever.
    """
    for _ in range(24 * 60):
        while (queued := queue.take()) is not None:
            write(bound, VENDORS, queued.message["id"])
            queue.done(queued)
        if next(bound.ledger(VENDORS.name).unfinished(), None) is None:
            return
        bound.runtime.clock.sleep(60)
        wake_due(bound.runtime)
    raise RuntimeError("After a day there are still records to write; the log says why.")
