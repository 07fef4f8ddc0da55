"""Is TARGET a code of the ERP? Of accounts, cost centers and suppliers the state has what the ERP was read to have."""

from __future__ import annotations

import difflib
from functools import cached_property
from itertools import islice

from ml_connector.engine.ledger.rows import GONE
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.folding import fold
from ml_connector.systems import registry

MOST = 20_000
"""Codes that are read to find the one that was probably meant."""
NEAR = 3


class Targets:
    """The ERP's codes of one kind, as the state has them from reading the ERP."""

    def __init__(self, pair: TenantIntegration, kind: str) -> None:
        """Nothing is read yet."""
        self._kind, self._erp = kind, registry.BY_NAME[pair.integration.erp].title
        flow = next((f for f in pair.integration.flows if f.maps == kind), None)
        self._ledger = pair.ledger(flow.name) if flow is not None and flow.name in pair.active else None

    def doubtful(self, target: str) -> str | None:
        """Say why a target is probably none, and which codes are near it; None where it is one, or nobody can tell.

        Nobody can tell of kinds that no flow reads, and before a flow was read once as a whole, or while it is off.
        """
        if self._ledger is None or not self._complete:
            return None
        found = self._ledger.rows([target], consistent=True).get(target)
        words = f"{self._kind.replace('_', ' ')} {target}"
        if found is not None:
            return (
                f"The {words} was deleted in {self._erp}.{self._near(target)}"
                if found[0].delivered_fp == GONE
                else None
            )
        if fold(target) in self._codes:
            return None
        return f"{self._erp} has no {words}, as far as it was read.{self._near(target)}"

    @cached_property
    def _complete(self) -> bool:
        return self._ledger is not None and self._ledger.cursor()[0].passes > 0

    @cached_property
    def _codes(self) -> dict[str, str]:
        rows = islice(self._ledger.all_rows(), MOST) if self._ledger is not None else ()
        return {fold(key): key for key, row in rows if row.delivered_fp != GONE}

    def _near(self, target: str) -> str:
        near = difflib.get_close_matches(fold(target), list(self._codes), n=NEAR)
        return f" Did you mean {' or '.join(self._codes[one] for one in near)}?" if near else ""
