"""One tenant's integration at work: its two connections, ledgers, codes and options."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ml_connector.connection import (
    Connection,
    document_source,
    document_target,
    master_source,
    master_target,
    supplier_fields,
)
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.ledger.codes import LedgerCodes
from ml_connector.engine.ledger.enqueue import lane
from ml_connector.engine.ledger.fingerprint import MAPPED
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.mappings import Mappings
from ml_connector.engine.runtime import Runtime
from ml_connector.enrichment import SupplierFields
from ml_connector.flow import Chunking, DocumentSource, DocumentTarget, Flow, Integration, MasterSource
from ml_connector.master_target import MasterTarget
from ml_connector.type_cache import resolve

if TYPE_CHECKING:
    from ml_connector.context import TenantSettings


def _no_options() -> TenantSettings:
    from ml_connector.context import TenantSettings  # noqa: PLC0415 - brings pydantic, see `bootstrap.py`

    return TenantSettings()


@dataclass
class TenantIntegration:
    """An integration of one tenant. Connections are made when first asked for.

    `shadow`: read, map and report, but send, answer and acknowledge nothing. `active` names the flows that are
    neither off nor paused. `epoch` hashes the settings that shape what is sent. `is_currency` tells a code of ISO
    4217. `zone` is the ERP's, in which its nights are. `dimensions` have lists at the platform. `endpoints` are what
    `scope` is the hash of: by system, its server, company and so on. `apart`: a shadow's state, kept away from the
    real one.
    """

    runtime: Runtime
    tenant: str
    integration: Integration
    scope: str
    connectors: Mapping[str, Callable[[], Connection]]
    breakers: Mapping[str, Breaker]
    options: TenantSettings = field(default_factory=_no_options)
    shadow: bool = False
    active: frozenset[str] = frozenset()
    epoch: str = ""
    companies: tuple[str, ...] = ()
    erp_company: str = ""
    is_currency: Callable[[str], bool] = lambda _: True
    zone: str = "UTC"
    dimensions: tuple[str, ...] = ()
    endpoints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    apart: bool = False
    chunking: Chunking = field(default_factory=dict)
    in_doubt_seconds: Mapping[str, int] = field(default_factory=dict)
    lanes: Mapping[str, int] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    _open: dict[str, Connection] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Have the records' types ready before threads use them."""
        for flow in self.integration.flows:
            resolve(list[flow.record])  # type: ignore[name-defined]

    def connection(self, system: str) -> Connection:
        """Give the connection to one of the two systems."""
        with self._lock:
            if system not in self._open:
                self._open[system] = self.connectors[system]()
            return self._open[system]

    def master_source(self, flow: Flow) -> MasterSource[Any]:
        """Give the source of a flow of master records or orders."""
        return master_source(self.connection(flow.source), flow.record)

    def master_target(self, flow: Flow) -> MasterTarget[Any]:
        """Give the target of a flow of master records or orders."""
        return master_target(self.connection(flow.target), flow.record)

    def document_source(self, flow: Flow) -> DocumentSource[Any]:
        """Give the source of a flow of documents."""
        return document_source(self.connection(flow.source), flow.record)

    def document_target(self, flow: Flow) -> DocumentTarget[Any]:
        """Give the target of a flow of documents."""
        return document_target(self.connection(flow.target), flow.record)

    def supplier_fields(self, flow: Flow) -> SupplierFields:
        """Give the ERP's side of a flow that enriches suppliers."""
        return supplier_fields(self.connection(flow.target))

    def is_enriched(self, flow: Flow) -> bool:
        """Tell whether people change what a flow sends, and another flow brings that back.

        Also while that one is off: what was changed there is not overwritten for it.
        """
        return any(other.enriches == flow.name for other in self.integration.flows)

    def title(self, system: str) -> str:
        """Name a system as people do."""
        return self.titles.get(system, system)

    def ledger(self, flow: str) -> Ledger:
        """Give the ledger of a flow."""
        return Ledger(
            self.runtime.store,
            self.runtime.clock,
            tenant=self.tenant,
            integration=self.integration.name,
            scope=self.scope,
            flow=flow,
        )

    @cached_property
    def mappings(self) -> Mappings:
        """What people mapped for this tenant and integration."""
        return Mappings(self.runtime.store, self.tenant, self.integration.name)

    def codes(self, *, waits: bool = True) -> LedgerCodes:
        """Give a translator that remembers for one attempt.

        `waits`: it holds what refers to master data on its way for the first time. What was sent is not held for it.
        """
        masters = {f.maps: self.ledger(f.name) for f in self.integration.flows if f.maps}
        return LedgerCodes(
            self.mappings,
            masters,
            tenant=self.tenant,
            companies=self.companies,
            erp_company=self.erp_company,
            is_currency=self.is_currency,
            active=self.active if waits else (),
            names=(self.title(self.integration.erp), self.title(self.integration.platform)),
        )

    def shape(self, flow: Flow) -> str:
        """Name what shapes what is sent: the settings, and what people mapped of the kinds that a flow sends.

        Where only the second part is another one, `Row.used` tells whether it matters for a record.
        """
        mapped = sorted((m.kind, m.code, m.target) for kind in flow.codes for m in self.mappings.all(kind))
        if not mapped:
            return self.epoch
        return f"{self.epoch}{MAPPED}{hashlib.blake2b(repr(mapped).encode(), digest_size=4).hexdigest()}"

    def lane(self, flow: Flow, partner: str = "") -> str:
        """Name the queue group that writes in order: one for masters, a few for documents."""
        if flow.manner == "master":
            return f"{self.tenant}.{flow.target}.master"
        return lane(self.tenant, flow.target, self.lanes.get(flow.target, 1), partner)

    def check(self, *systems: str) -> None:
        """Raise where one of the systems is parked or refuses our login."""
        for system in systems:
            self.breakers[system].check()

    def close(self) -> None:
        """Close both connections."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()
