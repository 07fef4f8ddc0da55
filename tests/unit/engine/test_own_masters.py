"""An invoice waits for its own master records and for the first complete pass, and for nothing else of the flow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest

from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.ledger import codes
from ml_connector.engine.ledger.first_delivery import MANY, on_their_way
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.schedule.wake_up import release
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.worker import write
from ml_connector.errors import OutcomeUnknown
from ml_connector.flow import Flow, Integration, Prepared, Rendered, Verdict
from ml_connector.records import Account, Invoice
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Accounts, Bench, Papers, Place, Systems, account, invoice


class Silent(Accounts):
    """A platform that loses the request status of some records for ever."""

    def __init__(self, systems: Systems, lost: set[str]) -> None:
        super().__init__(systems)
        self.lost = lost

    def verdicts(self, stage: str, batch: list[Rendered], tokens: Any) -> dict[str, Verdict] | None:
        return None if self.lost & {r.key for r in batch} else super().verdicts(stage, batch, tokens)


class Mapped(Papers):
    """An ERP in which a document is found by codes of the ERP, so that they are translated for that as well."""

    def trace(self, record: Invoice, codes: Any) -> Prepared:
        for row in record.rows:
            codes.erp("account", row.account)
        return super().trace(record, codes)


@dataclass
class LossyBench(Bench):
    lost: set[str] = field(default_factory=set)
    off: bool = False
    chunk_of: int = 1

    def pair(self) -> TenantIntegration:
        def place() -> Place:
            made = Place(self.systems)
            made.parts[Account] = Silent(self.systems, self.lost)
            made.parts[Invoice] = Mapped(self.systems)
            return made

        pair = replace(super().pair(), connectors={"erp": place, "ap": place})
        return replace(
            pair,
            chunking={Account: (self.chunk_of, lambda _: 1)},
            active=frozenset({"invoices"} if self.off else pair.active),
        )


@pytest.fixture
def lossy(bench: Bench) -> LossyBench:
    """Accounts k1 and k2 were read; what became of k2 is not told."""
    lossy = LossyBench(bench.runtime, bench.systems, bench.clock, bench.queue, lost={"k2"})
    lossy.systems.accounts = {k: account(k) for k in ("k1", "k2")}
    lossy.compare(ACCOUNTS)
    return lossy


def on(*codes: str, key: str = "") -> Invoice:
    one = invoice(key or f"i-{'-'.join(codes)}")
    (row,) = one.rows
    share = msgspec.structs.replace(row, net=row.net / len(codes), gross=row.gross / len(codes)) if row.gross else row
    return msgspec.structs.replace(one, rows=tuple(msgspec.structs.replace(share, account=c) for c in codes))


def offered(bench: Bench, *invoices: Invoice) -> None:
    bench.systems.invoices |= {one.key: one for one in invoices}
    bench.poll(INVOICES)
    bench.work(0.01)


def chunk_of(bench: Bench, key: str) -> Chunk:
    chunk, _ = bench.pair().ledger("invoices").chunk(key) or pytest.fail("it is not under way")
    return chunk


def booked(bench: Bench) -> list[str]:
    return [prepared.key for _, prepared in bench.systems.booked]


def test_a_lost_status_stops_the_invoices_of_its_own_record_alone(lossy: LossyBench) -> None:
    offered(lossy, on("k1"), on("k2"), on("k1", "k2"), on("k9"))
    assert booked(lossy) == ["i-k1"]
    for key in ("i-k2", "i-k1-k2"):
        waits = chunk_of(lossy, key)
        assert (waits.waiting_for, waits.awaits) == ("prerequisite:accounts", "account:k2")
        assert "Account k2 is being sent" in str(waits.reason)
    assert chunk_of(lossy, "i-k9").waiting_for == "account:k9", "what nobody maps holds as before"
    assert chunk_of(lossy, "i-k9").awaits is None


def test_it_goes_on_once_its_own_record_has_arrived(lossy: LossyBench) -> None:
    offered(lossy, on("k2"))
    lossy.work(1)
    assert booked(lossy) == []
    lossy.lost.clear()
    lossy.work(0.3)
    assert booked(lossy) == ["i-k2"]


def test_while_it_waits_no_vendor_is_asked(lossy: LossyBench) -> None:
    offered(lossy, on("k2"))
    lossy.systems.faults = [("fetch", AssertionError("it was fetched again"))]
    lossy.work(1)
    assert (len(lossy.systems.faults), chunk_of(lossy, "i-k2").crashes) == (1, 0)


def test_a_mapped_code_waits_for_the_record_that_it_leads_to(lossy: LossyBench) -> None:
    mappings = lossy.pair().mappings
    for code, target in (("6999", "k2"), ("6998", "k1"), ("6997", "not-read")):
        mappings.set(Mapping(integration="erp-ap", kind="account", code=code, target=target))
    offered(lossy, on("6999"), on("6998"), on("6997"))
    assert sorted(booked(lossy)) == ["i-6997", "i-6998"]
    assert chunk_of(lossy, "i-6999").awaits == "account:k2"


def test_a_record_that_was_delivered_before_holds_nobody_while_it_goes_again(lossy: LossyBench) -> None:
    lossy.lost = {"k1"}
    lossy.systems.accounts["k1"] = account("k1", "renamed")
    lossy.compare(ACCOUNTS)
    offered(lossy, on("k1"))
    assert booked(lossy) == ["i-k1"]


def test_a_record_that_is_rejected_lets_its_invoices_be_held_for_it(lossy: LossyBench) -> None:
    lossy.systems.accounts["bad"] = account("bad", "poison")
    lossy.systems.faults = []
    offered(lossy, on("bad"))
    assert chunk_of(lossy, "i-bad").waiting_for == "account:bad"
    lossy.poll(ACCOUNTS)
    assert release(lossy.runtime, lossy.pair().ledger("invoices"), "account:bad") == 1
    lossy.queue.done(lossy.queue.take() or pytest.fail("none"))  # the account's ring is lost: the invoice comes first
    lossy.work(0.1)
    assert chunk_of(lossy, "i-bad").waiting_for == "account:bad"


def test_what_arrives_while_one_looks_who_is_on_the_way_holds_nobody(
    lossy: LossyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not there at the first look, and no more on its way at the second."""

    def looked(ledger: Ledger) -> frozenset[str] | None:
        lossy.lost.clear()
        for chunk in list(ledger.unfinished()):
            lossy.clock.moment += lossy.runtime.lease
            write(lossy.pair(), ACCOUNTS, chunk.id)
        return on_their_way(ledger)

    monkeypatch.setattr(codes, "on_their_way", looked)
    assert lossy.pair().codes().erp("account", "k2") == "k2"


def test_an_off_flow_holds_nobody(lossy: LossyBench) -> None:
    lossy.off = True
    offered(lossy, on("k2"))
    assert chunk_of(lossy, "i-k2").waiting_for == "account:k2"


def test_before_the_first_complete_pass_everything_waits(bench: Bench) -> None:
    bench.systems.accounts = {"k1": account("k1")}
    offered(bench, on("k1"))
    assert (chunk_of(bench, "i-k1").waiting_for, chunk_of(bench, "i-k1").awaits) == ("prerequisite:accounts", None)
    bench.compare(ACCOUNTS)
    bench.work(0.1)
    assert booked(bench) == ["i-k1"]


def test_in_a_large_load_an_unknown_code_waits(lossy: LossyBench) -> None:
    more = {f"m{n}": account(f"m{n}") for n in range(MANY + 1)}
    lossy.systems.accounts |= more
    lossy.lost |= more.keys()
    lossy.compare(ACCOUNTS)
    offered(lossy, on("k1"), on("k9"))
    assert booked(lossy) == ["i-k1"]
    assert chunk_of(lossy, "i-k9").waiting_for == "prerequisite:accounts"


def test_a_mapping_that_a_person_makes_meanwhile_counts_at_once(lossy: LossyBench) -> None:
    offered(lossy, on("k2"))
    lossy.work(0.5)
    lossy.pair().mappings.set(Mapping(integration="erp-ap", kind="account", code="k2", target="k1"))
    cause = "account:k2"
    assert release(lossy.runtime, lossy.pair().ledger("invoices"), cause, awaits={cause}) == 1
    lossy.work()
    assert booked(lossy) == ["i-k2"]


def test_what_was_sent_is_looked_for_whatever_is_on_its_way(lossy: LossyBench) -> None:
    """It was posted, its answer was lost, and its account is mapped to one that is on its way by then."""
    lossy.systems.faults = [("post-acted", OutcomeUnknown("no answer"))]
    lossy.systems.invoices = {"i-k1": on("k1")}
    lossy.poll(INVOICES)
    lossy.work()
    assert chunk_of(lossy, "i-k1").step == "unknown"
    lossy.pair().mappings.set(Mapping(integration="erp-ap", kind="account", code="k1", target="k2"))
    lossy.work(0.1)
    assert lossy.pair().ledger("invoices").chunk("i-k1") is None
    assert len(lossy.systems.booked) == 1 and [key for key, _ in lossy.systems.answers] == ["i-k1"]


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────


def orders_of(lossy: LossyBench, *codes: str) -> tuple[TenantIntegration, Flow, Systems]:
    """Two master flows, one after the other, stand for suppliers and orders: each order names a code of the first."""
    orders = replace(ACCOUNTS, name="orders", maps=None, after=("accounts",), codes=("account",))
    table = Integration("erp-ap", "erp", "ap", (ACCOUNTS, orders))

    class Orders(Accounts):
        def render(self, record: Account, codes: Any, touch: str | None = None) -> Rendered:
            codes.platform("account", record.name)
            return super().render(record, codes, touch)

    systems = Systems(accounts={f"o-{code}": account(f"o-{code}", code) for code in codes})
    place = Place(systems)
    place.parts[Account] = Orders(systems)
    pair = replace(
        lossy.pair(),
        integration=table,
        connectors={"erp": lambda: place, "ap": lambda: place},
        active=frozenset({"accounts", "orders"}),
        chunking={Account: (99, lambda _: 1)},
    )
    Poll(pair, orders, "r1").read()
    return pair, orders, systems


def written(lossy: LossyBench, pair: TenantIntegration, flow: Flow) -> None:
    lossy.clock.moment += lossy.runtime.lease
    for chunk in list(pair.ledger(flow.name).unfinished()):
        write(pair, flow, chunk.id)


def test_an_order_waits_for_its_own_records(lossy: LossyBench) -> None:
    pair, orders, systems = orders_of(lossy, "k1", "k2", "k9")
    for _ in range(3):
        written(lossy, pair, orders)
    assert set(systems.taken) == {"o-k1"}
    held = {c.awaits or c.waiting_for for c in pair.ledger("orders").unfinished()}
    assert held == {"account:k2", "account:k9"}


def test_orders_that_wait_for_many_records_stay_together_and_go_as_each_arrives(
    lossy: LossyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first load thousands of orders wait for thousands of suppliers: one chunk for each would be as many."""
    codes = [f"m{n}" for n in range(60)]
    lossy.systems.accounts = {code: account(code) for code in codes}
    lossy.lost = set(codes)
    lossy.chunk_of = 10
    lossy.compare(ACCOUNTS)
    pair, orders, systems = orders_of(lossy, *codes)
    calls: list[int] = []
    known = SqliteStore.get_many
    monkeypatch.setattr(
        SqliteStore, "get_many", lambda self, pk, sks, **k: calls.append(1) or known(self, pk, sks, **k)
    )
    for _ in range(3):
        written(lossy, pair, orders)
    (chunk,) = pair.ledger("orders").unfinished()
    assert (chunk.waiting_for, chunk.count, chunk.awaits) == ("prerequisite:accounts", 60, "account:m0")
    assert len(calls) < 15, "one call reads what is known of all codes"
    lossy.lost = {"m0"}  # which the chunk names, never arrives
    for _ in range(2):
        written(lossy, lossy.pair(), ACCOUNTS)
        written(lossy, pair, orders)
    assert set(systems.taken) == {f"o-{code}" for code in codes if code not in codes[:10]}


def test_parts_of_parts_of_parts_keep_names_that_the_table_takes(lossy: LossyBench) -> None:
    """Records that arrive one by one leave a smaller part each time; its name must not grow with each of them."""
    codes = [f"m{n:03}" for n in range(100)]
    lossy.systems.accounts = {code: account(code) for code in codes}
    lossy.lost = set(codes)
    lossy.compare(ACCOUNTS)
    pair, orders, systems = orders_of(lossy, *codes[:99])
    for code in codes:
        lossy.lost.discard(code)
        for _ in range(2):
            written(lossy, lossy.pair(), ACCOUNTS)
        written(lossy, pair, orders)
    for _ in range(3):
        written(lossy, pair, orders)
    assert set(systems.taken) == {f"o-{code}" for code in codes[:99]}
    assert max(len(c.id) for c in pair.ledger("orders").finished()) < 400
