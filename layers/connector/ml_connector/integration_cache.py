"""The writer's pairs, kept for a while: connections and sessions are reused from one chunk to the next."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.replay import reopen
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import tenant_rows
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.retry import put_off
from ml_connector.errors import ConnectorError, Misconfigured, Transient
from ml_connector.flow import Flow, Integration
from ml_connector.integrations import INTEGRATIONS
from ml_connector.ports import Secrets

if TYPE_CHECKING:
    from ml_connector.tenant import BootstrapOptions

AGE = timedelta(seconds=300)
REDRIVEN = "redriven from the queue"
"""What the audit says of a chunk whose dead letter was put back."""


@dataclass
class _Kept:
    """A pair, since when it is kept, how many threads work with it, and whether a newer one took its place."""

    pair: TenantIntegration
    since: datetime
    users: int = 0
    over: bool = False


@dataclass
class IntegrationCache:
    """Pairs by tenant and integration. A secret that changed makes a new pair within five minutes."""

    runtime: Runtime
    secrets: Secrets
    tools: BootstrapOptions
    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    _whys: dict[tuple[str, str], ConnectorError] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def lent(self, tenant: str, integration: str, flow: str) -> Iterator[tuple[TenantIntegration | None, Flow]]:
        """Lend a pair and one of its flows; no pair where the tenant ended, or for the reason that `why` gives.

        Its connections stay open while it is lent, however old it gets: closed under a posting, they would make a good
        one unknown. Whoever gives it back last closes it.
        """
        table = next(i for i in INTEGRATIONS if i.name == integration)
        kept = self._take(tenant, table)
        try:
            yield kept.pair if kept is not None else None, table.flow(flow)
        finally:
            if kept is not None:
                self._give_back(kept)

    def _take(self, tenant: str, table: Integration) -> _Kept | None:
        now, idle = self.runtime.clock.now(), list[TenantIntegration]()
        with self._lock:
            kept = self._kept.get((tenant, table.name))
            if kept is None or now - kept.since >= AGE:
                idle = self._retired(tenant, table, now)
                kept = self._made(tenant, table, now)
            if kept is not None:
                kept.users += 1
        for pair in idle:
            pair.close()
        return kept

    def why(self, tenant: str, integration: str) -> ConnectorError | None:
        """Tell why no pair was lent that should be there: its secrets cannot be used, or not be read just now.

        None for an integration that ended, its secrets being gone.
        """
        with self._lock:
            error = self._whys.get((tenant, integration))
        row = tenant_rows.row(self.runtime.store, tenant) if error is not None else None
        return error if row is not None and (integration in row.pairs or row.problem) else None

    def put_off(self, message: Mapping[str, Any], flow: Flow) -> tuple[Chunk | None, ConnectorError | None]:
        """Write on the chunk that a wake-up message names why no pair was lent for it; gives the chunk, and why.

        A letter that came back from the dead opens its row first, as it would with a pair.
        """
        error = self.why(message["tenant"], message["integration"])
        if error is None:
            return None, None
        ledger = Ledger(
            self.runtime.store,
            self.runtime.clock,
            tenant=message["tenant"],
            integration=message["integration"],
            scope=message["scope"],
            flow=flow.name,
        )
        if "cause" in message:
            reopen(ledger, message["id"], REDRIVEN, message["death"])
        return put_off(ledger, message["id"], error), error

    def _retired(self, tenant: str, table: Integration, now: datetime) -> list[TenantIntegration]:
        """Keep a pair no longer, nor what nobody has asked for again; gives those that nobody else will close.

        One that somebody works with is closed by whoever gives it back last.
        """
        mine = self._kept.get((tenant, table.name))
        over = {
            name: kept
            for name, kept in self._kept.items()
            if kept is mine or (now - kept.since >= AGE and not kept.users)
        }
        for name, kept in over.items():
            kept.over = True
            del self._kept[name]
        return [kept.pair for kept in over.values() if not kept.users]

    def _made(self, tenant: str, table: Integration, now: datetime) -> _Kept | None:
        from ml_connector.bootstrap import complete_integration  # noqa: PLC0415 - loaded late, as it says

        try:
            kept = _Kept(complete_integration(self.runtime, self.secrets, self.tools, tenant, table), now)
        except (Misconfigured, Transient) as error:
            self._whys[tenant, table.name] = error
            return None
        self._whys.pop((tenant, table.name), None)
        self._kept[tenant, table.name] = kept
        return kept

    def _give_back(self, kept: _Kept) -> None:
        with self._lock:
            kept.users -= 1
            last = kept.over and not kept.users
        if last:
            kept.pair.close()
