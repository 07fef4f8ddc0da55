"""The poll on a schedule: which tenants are due, and one tenant's due flows in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ml_connector import enroll, keeping, leaving
from ml_connector.engine.access.breaker import Closed
from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.poll.state import Prefetch, inline
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import passes, tenant_rows
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, OutOfTime, Throttled, Unreachable
from ml_connector.flow import Flow, Integration
from ml_connector.integrations import INTEGRATIONS
from ml_connector.ports import Item, Secrets
from ml_connector.subscribe import subscribe
from ml_connector.systems import registry

if TYPE_CHECKING:
    from ml_connector.context import TenantSettings
    from ml_connector.tenant import BootstrapOptions

log = logging.getLogger("ml_connector")
SLICE = timedelta(seconds=240)
BATCH = 50
"""Tenants between two looks at the clock of a tick: five calls to the queue."""
AGAIN = timedelta(minutes=5)
"""When a flow whose source failed is tried again at the latest."""
TRIES = 3
"""Looks at a tenant's timetable that changes again and again; then it stays due, and a next run plans it."""
MOST = 20_000
"""Due tenants that a tick reads; those behind them have their turn when the runs of these have moved them."""
Asked = tuple[str, str]
"""A run request: tenant, and an id that is the same for the same planned time."""
Send = Callable[[Sequence[Asked]], None]
"""Sends run requests."""


@dataclass(frozen=True)
class Ticked:
    """What a tick came to: run requests sent, and by how many seconds the longest waiting of them was late."""

    runs: int = 0
    late: float = 0.0


def tick(runtime: Runtime, system: str, send: Send, until: datetime | None = None) -> Ticked:
    """Ask for a run of each tenant that is due, the longest waiting first, until a time.

    Nothing is written: a tenant stays due until its run has moved its time. What is asked for again meanwhile has the
    same id, and the queue drops it for five minutes; after these a message that was lost is sent again, and one that
    only waits brings a second run that finds nothing due.
    """
    now = runtime.clock.now()
    asked = [
        ((tenant, f"{tenant}-{item.due_at}"), item.due_at)
        for item in runtime.store.due(f"tick#{system}", iso(now), MOST)
        for tenant in [item.pk.partition("#")[2]]
    ]
    late = max((_seconds(since, now) for _, since in asked), default=0.0)
    asked += [((tenant, f"{tenant}-idle-{at}"), at) for tenant, at in leaving.idle(runtime, system, iso(now), MOST)]
    asked += [((tenant, f"{tenant}-pairing-{at}"), at) for tenant, at in keeping.idle(runtime, system, iso(now), MOST)]
    for start in range(0, len(asked), BATCH):
        if until is not None and runtime.clock.now() >= until:
            return Ticked(start, late)
        send([request for request, _ in asked[start : start + BATCH]])
    return Ticked(len(asked), late)


def _seconds(since: str | None, now: datetime) -> float:
    try:
        return max(0.0, (now - datetime.fromisoformat(since or "")).total_seconds())
    except ValueError:
        return 0.0


@dataclass
class Run:
    """One tenant's due flows at one system.

    `failures`: the flows that could not be read; `refused`: logins; `faults`: those of the tenant's secrets or of ours;
    `late`: by how many seconds the run began after the planned time of the flow that waited longest, None where nothing
    was due.
    """

    runtime: Runtime
    secrets: Secrets
    tools: BootstrapOptions
    system: str
    prefetch: Prefetch = inline

    def __post_init__(self) -> None:
        """Begin without failures."""
        self.failures: list[str] = []
        self.refused = self.faults = 0
        self.late: float | None = None

    def of(self, name: str) -> None:
        """Run what is due for a tenant, then plan the next time."""
        item = self.runtime.store.get(f"schedule#{name}", self.system)
        tenant = tenant_rows.row(self.runtime.store, name)
        if tenant is None:
            return  # the tenant ended
        from ml_connector.context import TenantSettings  # noqa: PLC0415 - brings pydantic: a tick needs none

        try:
            options = TenantSettings.model_validate_json(tenant.options)
        except ValueError as error:
            self._failed(name, "every flow", f"its settings in the tenant registry are damaged ({error})")
            self.faults += 1
            return  # asked for again in some minutes; the next rebuild of the tenant registry writes the row again
        if item is not None:
            self._due(item, tenant, options)
        self._keep(tenant, options)

    def _due(self, item: Item, tenant: tenant_rows.TenantRow, options: TenantSettings) -> None:
        """Run what is due, plan its next time, and end a session that nobody uses."""
        deadline = self.runtime.deadline.cut(self.runtime.clock.now() + SLICE)
        planned = enroll.planned_of(item)
        outcomes: dict[str, bool | None] = {}
        for integration, flow in enroll.flows_of(tenant, self.system):
            if self.runtime.clock.now() >= deadline:
                break  # what is due stays due, for the next run
            full_name = f"{integration.name}/{flow.name}"
            was = planned.get(full_name, "")
            if was <= iso(self.runtime.clock.now()):
                self.late = max(self.late or 0.0, _seconds(was, self.runtime.clock.now()))
                done = outcomes[full_name] = self._flow(tenant, options, integration, flow, deadline)
                planned[full_name] = self._next(tenant, options, integration, flow, done, was)
        passes.note(self.runtime, tenant.name, self.system, outcomes, planned)
        self._plan(item, planned)
        self._leave(tenant, options)

    def _leave(self, tenant: tenant_rows.TenantRow, options: TenantSettings) -> None:
        """End a session that nobody used for a while, where it takes a licence. What fails is left to its server."""
        if not leaving.seated(self.system):
            return
        for integration in {one.name: one for one, _ in enroll.flows_of(tenant, self.system)}.values():
            row = tenant.pairs[integration.name]
            if leaving.is_idle(self.runtime, tenant.name, self.system, row.scope):
                self._left(tenant, options, integration)

    def _left(self, tenant: tenant_rows.TenantRow, options: TenantSettings, integration: Integration) -> None:
        try:
            pair = self._incomplete(tenant, options, integration)
            leaving.leave(pair)
            pair.close()
        except ConnectorError as error:
            log.warning("%s: its idle session cannot be ended: %s", tenant.name, error, extra={"tenant": tenant.name})

    def _keep(self, tenant: tenant_rows.TenantRow, options: TenantSettings) -> None:
        """Refresh a pairing that nothing used for a week, also where each flow is off; tomorrow where that fails."""
        if not keeping.is_idle(self.runtime, tenant.name, self.system):
            return
        mine = (one for one in INTEGRATIONS if self.system in {one.erp, one.platform} and one.name in tenant.pairs)
        try:
            if (integration := next(mine, None)) is not None:
                pair = self._incomplete(tenant, options, integration)
                keeping.keep(pair, self.system)
                pair.close()
        except ConnectorError as error:
            said = {"tenant": tenant.name, "reason": str(error)}
            log.warning("%s: its pairing cannot be kept alive", tenant.name, extra=said)
            self.refused += isinstance(error, LoginRefused) and not isinstance(error, Closed)
        keeping.put_off(self.runtime, tenant.name, self.system)

    def _incomplete(
        self, tenant: tenant_rows.TenantRow, options: TenantSettings, integration: Integration
    ) -> TenantIntegration:
        """Wire one integration, of which only this system's secret is read."""
        from ml_connector.bootstrap import incomplete_integration  # noqa: PLC0415 - loaded late, as it says

        row = tenant.pairs[integration.name]
        return incomplete_integration(
            self.runtime, self.secrets, self.tools, tenant.name, integration, row, options, self.system
        )

    def _plan(self, item: Item, planned: Mapping[str, str]) -> None:
        """Write when the flows that ran are due next; what somebody else wrote of a flow meanwhile stands."""
        was, latest = enroll.planned_of(item), item
        mine = {flow: due for flow, due in planned.items() if was.get(flow) != due}
        for _ in range(TRIES):
            before = enroll.planned_of(latest)
            if latest.data.get("flows") != before:  # damaged: what was planned just now is all there is
                before |= planned
            flows = {
                flow: mine.get(flow, when) if was.get(flow, when) == when else when for flow, when in before.items()
            }
            if flows == latest.data.get("flows") or enroll.plan(self.runtime.store, latest, flows):
                return
            found = self.runtime.store.get(item.pk, item.sk)
            if found is None:
                return  # the tenant ended
            latest = found

    def _next(
        self,
        tenant: tenant_rows.TenantRow,
        options: TenantSettings,
        integration: Integration,
        flow: Flow,
        done: bool | None,
        planned: str,
    ) -> str:
        now = self.runtime.clock.now()
        if done is False:
            return iso(now)  # the slice was over before the source was through
        after = enroll.after_run(options, tenant, integration, flow, now, planned)
        return after if done else min(after, iso(now + AGAIN))

    def _flow(
        self,
        tenant: tenant_rows.TenantRow,
        options: TenantSettings,
        integration: Integration,
        flow: Flow,
        deadline: datetime,
    ) -> bool | None:
        """Read a flow: true when through, false when the slice ended, None when it failed."""
        pair: TenantIntegration | None = None
        try:
            pair = self._incomplete(tenant, options, integration)
            return self._poll(pair, flow, deadline)
        except OutOfTime:
            return False
        except ConnectorError as error:
            self._failed(tenant.name, flow.name, str(error))
            self.refused += isinstance(error, LoginRefused) and not isinstance(error, Closed)
            self.faults += isinstance(error, Misconfigured)
            if pair is not None and isinstance(error, (Unreachable, Throttled)):
                pair.breakers[self.system].failed(error)
            return None
        except Exception as error:  # a fault of ours: the tenant's other flows are read, and so are other tenants
            log.exception("unexpected", extra={"tenant": tenant.name, "flow": flow.name})
            self._failed(tenant.name, flow.name, f"Internal error ({type(error).__name__}); see the log.")
            self.faults += 1
            return None

    def _failed(self, tenant: str, flow: str, reason: str) -> None:
        self.failures.append(f"{tenant}/{flow}")
        log.warning("%s/%s: flow failed", tenant, flow, extra={"tenant": tenant, "flow": flow, "reason": reason})

    def _poll(self, pair: TenantIntegration, flow: Flow, deadline: datetime) -> bool:
        try:
            if registry.notifies(self.system) and not pair.shadow:
                for line in subscribe(self.runtime, pair):
                    log.warning("subscription: %s", line, extra={"tenant": pair.tenant})
            return Poll(pair, flow, iso(self.runtime.clock.now()), self.prefetch, deadline).read()
        finally:
            pair.close()
