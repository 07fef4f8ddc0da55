"""A source that cannot be answered offers everything again in each pass: what is settled is not queued again.

Whether it can be answered is the source's own word, and does not follow from what its flow is linked to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import pytest

from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Rejected
from ml_connector.records import Invoice
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Place, Systems, account, invoice


class Deaf(Place):
    """A platform that takes no answers, and marks nothing as taken."""

    def __init__(self, systems: Systems) -> None:
        super().__init__(systems)
        self.parts[Invoice].answers = False


@dataclass
class DeafBench(Bench):
    def pair(self) -> TenantIntegration:
        return replace(super().pair(), connectors={s: lambda: Deaf(self.systems) for s in ("erp", "ap")})


@pytest.fixture
def deaf(bench: Bench) -> Bench:
    deaf = DeafBench(bench.runtime, bench.systems, bench.clock, bench.queue)
    deaf.systems.accounts = {"6100": account("6100")}
    deaf.compare(ACCOUNTS)
    deaf.systems.invoices = {"i1": invoice("i1")}
    return deaf


def stamped(version: str | None) -> Invoice:
    return msgspec.structs.replace(invoice("i1"), version=version)


def again(bench: Bench, *, full: bool = False) -> int:
    """Poll once more; how many chunks came of it."""
    before = len(list(bench.pair().ledger("invoices").finished()))
    bench.poll(INVOICES, full=full)
    bench.work(0.1)
    return len(list(bench.pair().ledger("invoices").finished())) - before


@pytest.mark.parametrize("version", ["2026-03-01T00:00:00Z", None])
def test_what_was_delivered_is_not_queued_anew(deaf: Bench, version: str | None) -> None:
    deaf.systems.invoices = {"i1": stamped(version)}
    assert again(deaf) == 1
    assert len(deaf.systems.booked) == 1 and deaf.systems.answers == [] and deaf.systems.acknowledged == []
    assert (again(deaf), again(deaf, full=True)) == (0, 0)
    assert deaf.sheet(INVOICES).counts["unchanged"] == 1


def test_what_changed_since_is_looked_at(deaf: Bench) -> None:
    again(deaf)
    deaf.systems.invoices = {"i1": stamped("2026-04-01T00:00:00Z")}
    assert again(deaf) == 1
    assert len(deaf.systems.booked) == 1


def test_what_was_refused_is_tried_again_once_a_day(deaf: Bench) -> None:
    deaf.systems.invoices = {"i1": stamped(None)}
    deaf.systems.faults = [("post", Rejected("It has a wrong number."))]
    assert again(deaf) == 1
    assert again(deaf) == 0
    assert deaf.pair().ledger("invoices").cursor()[0].figures.rejected == 1
    assert again(deaf, full=True) == 1
    assert len(deaf.systems.booked) == 1


def test_a_source_that_is_answered_is_asked_again(bench: Bench) -> None:
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i1": invoice("i1")}
    assert again(bench) == 1
    bench.systems.standing = {"i1": "offered"}  # offered again after our answer: it is answered again
    assert again(bench) == 1
    assert len(bench.systems.booked) == 1
