"""What a run is asked to move: everything, one tenant, one flow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ml_connector.errors import Misconfigured
from ml_connector.flow import Flow, Integration
from ml_connector.integrations import INTEGRATIONS
from ml_connector.tenant import Tenant

from ..ops.suggest import suggest


@dataclass(frozen=True)
class Selection:
    """`tenant`: only this one. `flow`: only this one, as `invoices` or `sap_b1-basware/invoices`. None: all."""

    tenant: str | None = None
    flow: str | None = None

    def takes(self, integration: Integration, flow: Flow) -> bool:
        """Tell whether a flow is asked for."""
        return self.flow in {None, flow.name, f"{integration.name}/{flow.name}"}

    def among(self, every: Iterable[Tenant]) -> list[Tenant]:
        """Give the tenants asked for. All are read first, or two that would post the same invoices went unnoticed.

        Raises `Misconfigured` where no tenant, or no flow of those asked for, has the name.
        """
        read = list(every)
        found = [one for one in read if self.tenant in {None, one.name}]
        if self.tenant is not None and not found:
            raise Misconfigured(f"There is no tenant '{self.tenant}'; {suggest(self.tenant, (t.name for t in read))}")
        flows = [(i, f) for i in INTEGRATIONS if any(_has(one, i) for one in found) for f in i.flows]
        if self.flow is not None and flows and not any(self.takes(*one) for one in flows):
            names = suggest(self.flow, (flow.name for _, flow in flows))
            raise Misconfigured(f"There is no flow '{self.flow}' in {self.tenant or 'any tenant'}; {names}")
        return found


def _has(tenant: Tenant, integration: Integration) -> bool:
    return integration.name in tenant.faults or any(pair.integration is integration for pair in tenant.pairs)


EVERYTHING = Selection()
