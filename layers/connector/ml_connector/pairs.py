"""The writer's pairs, kept for a while: connections and sessions are reused from one chunk to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ml_connector.engine.pair import Pair, World
from ml_connector.errors import Misconfigured
from ml_connector.flow import Flow
from ml_connector.integrations import INTEGRATIONS
from ml_connector.ports import Secrets

if TYPE_CHECKING:
    from ml_connector.bootstrap import Toolbox

AGE = timedelta(seconds=300)


@dataclass
class Pairs:
    """Pairs by tenant and integration. A secret that changed makes a new pair within five minutes."""

    world: World
    secrets: Secrets
    tools: Toolbox
    _made: dict[tuple[str, str], tuple[Pair, datetime]] = field(default_factory=dict)

    def of(self, tenant: str, integration: str, flow: str) -> tuple[Pair | None, Flow]:
        """Give a pair and one of its flows; no pair where the tenant ended or its secrets cannot be used."""
        table = next(i for i in INTEGRATIONS if i.name == integration)
        return self._pair(tenant, integration), table.flow(flow)

    def _pair(self, tenant: str, integration: str) -> Pair | None:
        from ml_connector.bootstrap import whole_pair  # noqa: PLC0415 - loaded late, as it says

        now = self.world.clock.now()
        known = self._made.get((tenant, integration))
        if known is not None and now - known[1] < AGE:
            return known[0]
        if known is not None:
            known[0].close()
        table = next(i for i in INTEGRATIONS if i.name == integration)
        try:
            pair = whole_pair(self.world, self.secrets, self.tools, tenant, table)
        except Misconfigured:
            self._made.pop((tenant, integration), None)
            return None
        self._made[tenant, integration] = (pair, now)
        return pair
