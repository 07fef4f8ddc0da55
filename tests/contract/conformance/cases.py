"""Which system offers what, taken from the integrations' tables: whatever moves is tested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ml_connector import bootstrap
from ml_connector.integrations import INTEGRATIONS
from ml_connector.records import Invoice, InvoiceStatus, Payment, Record, SupplierInvoice
from tests.contract.conformance.finding import stand_of


@dataclass(frozen=True)
class Case:
    """One thing that a system gives or takes."""

    system: str
    record: type[Record]
    role: str
    manner: str
    stand: str = ""
    """One of `OTHERS`; the system's own where none is named."""

    def __str__(self) -> str:
        return f"{self.stand or self.system}-{self.record.__name__}"


OTHERS = {
    "basware": ("basware_extracts",),
    "sage_300": ("sage_300_bare",),
    "sage_x3": ("sage_x3_graphql", "sage_x3_import"),
    "syspro": ("syspro_enet",),
}
"""Further stands of a system, whose servers are of another make: they obey the same laws."""

ONLY = {"basware_extracts": [("source", Invoice)], "sage_x3_import": [("target", Invoice)]}
"""What such a stand is about, where that is not all."""


def _cases() -> Iterable[Case]:
    for integration, flow in ((i, flow) for i in INTEGRATIONS for flow in i.flows):
        if flow.aligns:  # it moves nothing, and reads at the platform what the flows that it compares write there
            yield from (Case(flow.target, integration.flow(n).record, "source", "master") for n in flow.aligns)
            continue
        yield Case(flow.source, flow.record, "source", flow.manner)
        yield Case(flow.target, flow.record, "target", "enrichment" if flow.enriches else flow.manner)


AWAITED: frozenset[str] = frozenset()
"""Systems whose stand does not exist yet: nothing is shown of them here, and no release has them."""
PARTLY = {
    "avidxchange": frozenset({InvoiceStatus}),
    "sage_x3": frozenset({InvoiceStatus, Payment, SupplierInvoice}),
}
"""Records of a system whose stand does not tell of them yet."""

NAMED = tuple(case for case in dict.fromkeys(_cases()) if case.system not in AWAITED)
ALL = tuple(case for case in NAMED if case.record not in PARTLY.get(case.system, ()))
SYSTEMS = tuple(system for system in bootstrap.SYSTEMS if system not in AWAITED)


def of(role: str, manner: str | None = None, records: Iterable[type[Record]] | None = None) -> tuple[Case, ...]:
    return tuple(
        case
        for case in ALL
        if case.role == role and manner in {None, case.manner} and (records is None or case.record in records)
    )


def each(cases: Iterable[Case]) -> Any:
    """Run a test for each case and stand of its system; it takes `case`, and `stand` is that one."""
    both = [
        replace(case, stand=name)
        for case in cases
        for name in ("", *OTHERS.get(case.system, ()))
        if (case.role, case.record) in ONLY.get(name, [(case.role, case.record)])
    ]
    return pytest.mark.parametrize("case", both, ids=str)


SOURCES, MASTER_SOURCES, DOCUMENT_SOURCES = of("source"), of("source", "master"), of("source", "document")
ANSWERING_SOURCES = of("source", "document", [Invoice])
"""Those that are told what became of a document; `test_conformance_cases.py` asks that no other one claims to be."""
MASTER_TARGETS, DOCUMENT_TARGETS = of("target", "master"), of("target", "document")
AT_ONCE = tuple(case for case in MASTER_TARGETS if stand_of(case.system).at_once)
"""Those that take each record by a call of its own, under the ERP's own code, and answer in it."""
BULK_TARGETS = tuple(case for case in MASTER_TARGETS if case not in AT_ONCE)
GUARDED = tuple(
    case
    for case in MASTER_TARGETS
    if any(f.guarded and (f.target, f.record) == (case.system, case.record) for i in INTEGRATIONS for f in i.flows)
)
"""Those that people edit there too, and that tell what stands there."""
ENRICHED = of("target", "enrichment")
"""Suppliers of an ERP that takes what people changed at the platform: neither bulk nor a document."""
every_system = pytest.mark.parametrize("system", SYSTEMS)
