"""The gauges: from rows of the index, whatever their number, in slices where there are many."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk, dump, iso
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import gauges, passes
from ml_connector.engine.schedule.gauges import gauges_of
from ml_connector.engine.schedule.tenant_rows import PK, IntegrationRow, TenantRow
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.ports import Item
from tests.clock import Clock

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


class Counting(SqliteStore):
    """A store that counts the rows that are read of the index, and the partitions that are read."""

    indexed, partitions = 0, 0

    def due(self, *args, **more):
        found = super().due(*args, **more)
        self.indexed += len(found)
        return found

    def query(self, *args, **more):
        self.partitions += 1
        return super().query(*args, **more)


@pytest.fixture
def runtime():
    clock = Clock(NOW)
    store = Counting(":memory:", clock)
    return Runtime(store, MemoryQueue(clock), MemoryBlobs(), clock, SeededRandom(1), boot="b")


def enroll(runtime, name, active=("invoices",)):
    pair = IntegrationRow(
        scope="s",
        epoch="",
        companies=[],
        erp_company="",
        in_doubt_seconds={},
        lanes={},
        active=list(active),
        shadow=False,
    )
    runtime.store.put(Item(PK, name, dump(TenantRow(name=name, pairs={"sap_b1-basware": pair}))))


def put(runtime, name, key, system="sap_b1", age=0.0, **fields):
    ledger = Ledger(runtime.store, runtime.clock, tenant=name, integration="sap_b1-basware", scope="s", flow="invoices")
    since = iso(runtime.clock.now() - timedelta(seconds=age))
    given = {"due_at": since, "state": "open", **fields}
    chunk = Chunk(
        id=key,
        key=key,
        tenant=name,
        integration="sap_b1-basware",
        flow="invoices",
        run="",
        created=since,
        lane=f"{name}.{system}.documents.0",
        **given,
    )
    assert ledger.add(chunk)
    return ledger


def value(runtime, name, system="sap_b1"):
    return gauges_of(runtime, [system])[system].values[name]


def test_each_system_has_every_gauge_also_where_there_is_nothing(runtime):
    found = gauges_of(runtime, ["basware", "sage_300"])
    assert set(found["basware"].values) == {
        "OldestDueSeconds",
        "OldestHeldSeconds",
        "HeldRecords",
        "OldestDeferredSeconds",
        "FailedRecords",
        "OldestFailedSeconds",
        "PassOverdueSeconds",
        "FailingFlows",
    }
    assert set(found["sage_300"].values.values()) == {0}


def test_work_is_measured_by_its_system_and_by_why_it_waits(runtime):
    enroll(runtime, "acme")
    put(runtime, "acme", "due", age=50)
    put(runtime, "acme", "later", age=-50)
    put(runtime, "acme", "held", age=500, state="waiting", waiting_for="account:1", amount="10.10", currency="EUR")
    put(runtime, "acme", "held2", age=400, state="waiting", waiting_for="account:1", amount="-0.10", currency="EUR")
    put(runtime, "acme", "held3", age=300, state="waiting", waiting_for="account:1", amount="7", currency="USD")
    put(runtime, "acme", "parked", state="waiting", age=-60, parked_at=iso(NOW - timedelta(seconds=600)))
    put(runtime, "acme", "dead", age=900, state="failed", died_at=iso(NOW - timedelta(seconds=700)), count=4)
    put(runtime, "acme", "other", "basware", age=70)
    found = gauges_of(runtime, ["sap_b1", "basware"])
    assert found["sap_b1"].values | {"PassOverdueSeconds": 0} == {
        "OldestDueSeconds": 50,
        "OldestHeldSeconds": 500,
        "HeldRecords": 3,
        "OldestDeferredSeconds": 600,
        "FailedRecords": 4,
        "OldestFailedSeconds": 700,
        "PassOverdueSeconds": 0,
        "FailingFlows": 0,
    }
    assert found["sap_b1"].held == {"EUR": Decimal("10.00"), "USD": Decimal(7)}
    assert found["basware"].values["OldestDueSeconds"] == 70


def test_what_nobody_works_on_counts_for_nothing(runtime):
    enroll(runtime, "acme", active=())
    put(runtime, "acme", "off", age=5000)
    put(runtime, "gone", "ended", age=5000, state="failed")
    assert value(runtime, "OldestDueSeconds") == value(runtime, "FailedRecords") == 0


def test_a_dead_row_leaves_the_index_with_its_redrive(runtime):
    enroll(runtime, "acme")
    ledger = put(runtime, "acme", "dead", age=900, state="failed", died_at=iso(NOW))
    assert value(runtime, "FailedRecords") == 1
    assert wake_due(runtime) == 0

    def reopen(chunk):
        chunk.state, chunk.due_at = "waiting", iso(NOW)
        return True

    ledger.change("dead", reopen)
    assert value(runtime, "FailedRecords") == 0
    assert wake_due(runtime) == 1


def test_a_backlog_of_thousands_hides_neither_the_oldest_nor_what_is_held_or_failed(runtime, monkeypatch):
    monkeypatch.setattr(gauges, "ROWS", 400)
    monkeypatch.setattr(gauges, "PAGE", 100)
    for n in range(30):
        enroll(runtime, f"t{n}")
    for n in range(3000):  # all of one tick: they stand in the index under one time
        put(runtime, f"t{n % 30}", f"k{n}", age=100)
    put(
        runtime,
        "t3",
        "held",
        age=4000,
        state="waiting",
        waiting_for="x:1",
        due_at=iso(NOW + timedelta(hours=1)),
        amount="5",
        currency="EUR",
    )
    put(runtime, "t4", "failed", age=4000, state="failed", died_at=iso(NOW - timedelta(seconds=3000)))
    put(runtime, "t5", "oldest", age=1000)
    runtime.store.indexed = runtime.store.partitions = 0
    first = gauges_of(runtime, ["sap_b1"])["sap_b1"].values
    assert first["OldestDueSeconds"] == 1000  # at once: it stands at the front
    assert first["FailedRecords"] == 1
    assert runtime.store.indexed <= 400 + 8 * gauges.FRONT + 2
    assert runtime.store.partitions == 0
    for _ in range(8):
        found = gauges_of(runtime, ["sap_b1"])["sap_b1"]
    assert found.values["OldestHeldSeconds"] == 4000
    assert found.values["HeldRecords"] == 1
    assert found.held == {"EUR": 5}
    assert found.values["OldestDueSeconds"] == 1000


def test_after_a_backlog_the_figures_are_those_of_now_again(runtime, monkeypatch):
    monkeypatch.setattr(gauges, "ROWS", 100)
    enroll(runtime, "acme")
    for n in range(250):
        put(runtime, "acme", f"k{n}", age=100)
    for _ in range(4):
        assert value(runtime, "OldestDueSeconds") == 100
    for n in range(250):
        runtime.store.delete("f#acme#sap_b1-basware#invoices#s", f"c#k{n}")
    for _ in range(2):
        value(runtime, "OldestDueSeconds")
    assert value(runtime, "OldestDueSeconds") == 0
    assert runtime.store.get(gauges.PK, "due") is None


# ── passes ───────────────────────────────────────────────────────────────────────────────────────────────────


def note(runtime, done, next_in=15.0, flow="i/vendors", tenant="acme"):
    planned = iso(runtime.clock.now() + timedelta(minutes=next_in))
    passes.note(runtime, tenant, "sap_b1", {flow: done}, {flow: planned})


def late(runtime):
    return passes.late(runtime.store, "sap_b1", runtime.clock.now())


def test_a_flow_is_late_from_when_it_was_due_and_failing_tries_change_nothing(runtime):
    passes.expect(runtime.store, "acme", "sap_b1", {"i/vendors": iso(NOW)}, usable=True)
    note(runtime, True, next_in=60)
    for _ in range(30):
        runtime.clock.moment += timedelta(minutes=5)
        note(runtime, None)
    assert late(runtime) == (90 * 60, 1)
    note(runtime, True)
    assert late(runtime) == (0.0, 0)


def test_a_slice_that_ended_is_no_failure_and_no_pass(runtime):
    passes.expect(runtime.store, "acme", "sap_b1", {"i/vendors": iso(NOW)}, usable=True)
    for _ in range(20):
        runtime.clock.moment += timedelta(minutes=4)
        note(runtime, False)
    assert late(runtime) == (80 * 60, 0)


def test_most_runs_that_are_well_write_nothing_and_are_never_half_an_hour_late(runtime):
    passes.expect(runtime.store, "acme", "sap_b1", {"i/vendors": iso(NOW)}, usable=True)
    seen, written = [], []
    for _ in range(40):
        note(runtime, True)
        written.append(runtime.store.get("passes#acme", "sap_b1").rev)
        runtime.clock.moment += timedelta(minutes=15)
        seen.append(late(runtime)[0])
    assert max(seen) <= 30 * 60
    assert written[-1] <= 22


def test_a_daily_flow_is_not_late_until_it_is_due(runtime):
    passes.expect(runtime.store, "acme", "sap_b1", {"i/vendors": iso(NOW)}, usable=True)
    note(runtime, True, next_in=24 * 60)
    runtime.clock.moment += timedelta(hours=20)
    assert late(runtime) == (0.0, 0)


def test_flows_that_end_are_not_late_but_those_whose_secret_broke_are(runtime):
    flows = {"i/vendors": iso(NOW), "i/accounts": iso(NOW)}
    passes.expect(runtime.store, "acme", "sap_b1", flows, usable=True)
    passes.expect(runtime.store, "acme", "sap_b1", {}, usable=False)
    runtime.clock.moment += timedelta(hours=5)
    assert late(runtime)[0] == 5 * 3600
    passes.expect(runtime.store, "acme", "sap_b1", {"i/accounts": iso(NOW)}, usable=True)
    assert late(runtime)[0] == 5 * 3600
    passes.expect(runtime.store, "acme", "sap_b1", {}, usable=True)
    assert late(runtime) == (0.0, 0)
    assert runtime.store.get("passes#acme", "sap_b1") is None


def test_the_latest_of_ten_thousand_tenants_is_one_row_to_read(runtime):
    for n in range(10_000):
        due = NOW - timedelta(hours=4) if n == 7777 else NOW + timedelta(minutes=n % 15)
        passes.expect(runtime.store, f"t{n}", "sap_b1", {"i/vendors": iso(due)}, usable=True)
    passes.note(runtime, "t7777", "sap_b1", {"i/vendors": None}, {})
    runtime.store.indexed = 0
    assert late(runtime) == (4 * 3600, 0)  # it began to fail just now
    assert runtime.store.indexed == 2
    runtime.clock.moment += timedelta(minutes=31)
    assert late(runtime)[1] == 1
