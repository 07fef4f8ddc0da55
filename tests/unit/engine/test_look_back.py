"""What refers to our documents is read from the last pass on, and again where one became ours without being posted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ml_connector.engine.poll.run import Poll
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import OutcomeUnknown
from ml_connector.flow import DocumentPage, Flow, Integration, ListedDocument
from ml_connector.records import Payment
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Papers, Place, account, invoice

PAYMENTS = Flow("payments", Payment, "erp", "ap", "document", "documents", links="invoices")
TABLE = Integration("erp-ap", "erp", "ap", (ACCOUNTS, INVOICES, PAYMENTS))


class Source:
    """Lists payments; keeps from where on it was asked."""

    answers = False

    def __init__(self, asked: list[str | None]) -> None:
        self.asked = asked

    def list_documents(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        self.asked.append(since)
        yield DocumentPage([ListedDocument("9~1", "active:1", refers="nobody's")], stamp="000000000009")


@dataclass
class Linked(Bench):
    asked: list[str | None] = field(default_factory=list)

    def pair(self) -> TenantIntegration:
        place = Place(self.systems)
        place.parts[Payment] = Source(self.asked)  # type: ignore[assignment]
        active = frozenset({"accounts", "invoices", "payments"})
        return replace(
            super().pair(), integration=TABLE, active=active, connectors={s: lambda: place for s in ("erp", "ap")}
        )

    def payments(self) -> str | None:
        """Poll the payments; from where on they were read."""
        self.clock.moment += self.runtime.lease
        self.runs += 1
        Poll(self.pair(), PAYMENTS, f"run{self.runs}").read()
        return self.asked[-1]


@pytest.fixture
def linked(bench: Bench) -> Linked:
    linked = Linked(bench.runtime, bench.systems, bench.clock, bench.queue)
    linked.systems.accounts = {"6100": account("6100")}
    linked.compare(ACCOUNTS)
    linked.systems.invoices = {"i1": invoice("i1")}
    assert (linked.payments(), linked.payments()) == (None, "000000000009")
    return linked


def deliver(bench: Bench, hours: float = 0.1) -> None:
    bench.poll(INVOICES)
    bench.work(hours)
    (done,) = bench.pair().ledger("invoices").finished()
    assert done.outcome == "delivered"


def test_an_invoice_that_we_posted_needs_no_look_back(linked: Linked) -> None:
    deliver(linked)
    assert linked.payments() == "000000000009"


def test_one_that_was_there_already_may_have_been_paid_before(linked: Linked) -> None:
    papers: Any = Papers(linked.systems)
    papers._book(papers.prepare(linked.systems.invoices["i1"], linked.pair().codes()))  # by hand
    deliver(linked)
    assert linked.payments() is None
    assert linked.payments() == "000000000009", "once"


def test_one_that_was_in_doubt_may_have_been_paid_before(linked: Linked) -> None:
    linked.systems.faults = [("post-acted", OutcomeUnknown("no answer"))]
    deliver(linked)
    assert linked.payments() is None


def test_what_becomes_ours_while_everything_is_read_is_looked_for_once_more(linked: Linked) -> None:
    ledger = linked.pair().ledger("payments")
    ledger.look_back()
    poll = Poll(linked.pair(), PAYMENTS, "r")
    poll._begin()
    linked.clock.moment += linked.runtime.lease
    ledger.look_back()
    poll.read()
    assert linked.payments() is None
    assert linked.payments() == "000000000009"
