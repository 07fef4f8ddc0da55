"""What one tenant's vendor costs in time: a hang ends within the function's, a kill frees its lane with its lease."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ml_connector.deadline import LONGEST_TIMEOUT, MARGIN, Deadline
from ml_connector.embedded.clock import SeededRandom
from ml_connector.engine.access.breaker import Breaker
from ml_connector.errors import OutcomeUnknown, OutOfTime, Transient, Unreachable
from ml_connector.redact import Redactor
from ml_connector.systems.http import Call, Http
from ml_connector.systems.settings import SystemSettings
from tests.clock import Clock
from tests.unit.tenants.conftest import Site

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
POST = Call("POST", "/x", body={}, safe=False)


class Hang(httpx.BaseTransport):
    """A server that takes a request and never answers: the client waits for as long as it was told to."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.requests = clock, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        self.clock.sleep(request.extensions["timeout"]["read"])
        raise httpx.ReadTimeout("timed out", request=request)


class Killed(BaseException):
    """Lambda ends the process."""


class Kill(httpx.BaseTransport):
    """The process is killed while it waits for this server."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise Killed


def http(transport: httpx.BaseTransport, clock: Clock, deadline: Deadline, timeout: float = LONGEST_TIMEOUT) -> Http:
    return Http(
        base_url="http://erp.test",
        vendor="ERP",
        clock=clock,
        rng=SeededRandom(1),
        redactor=Redactor([]),
        timeout=timeout,
        transport=transport,
        insecure=True,
        deadline=deadline,
    )


# ── one call ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seconds", [120, 300])
def test_a_read_that_hangs_twice_is_unreachable_and_leaves_time_to_write_that_down(seconds: int) -> None:
    clock = Clock(START)
    server, end = Hang(clock), START + timedelta(seconds=seconds)
    with pytest.raises(Unreachable, match="did not answer in time"):
        http(server, clock, Deadline(end)).get("/x")
    assert server.requests == 2
    assert (end - clock.now()).total_seconds() >= MARGIN


def test_whatever_is_asked_of_a_hanging_server_no_call_outlasts_the_function() -> None:
    clock = Clock(START)
    server, end = Hang(clock), START + timedelta(seconds=120)
    client = http(server, clock, Deadline(end))
    for call in (Call("GET", "/a"), POST, Call("GET", "/b"), POST, Call("GET", "/c")):
        with pytest.raises((Transient, OutcomeUnknown)):
            client.call(call)
    assert (end - clock.now()).total_seconds() >= MARGIN


@pytest.mark.parametrize(("left", "sent"), [(64, 0), (66, 1)])
def test_what_may_not_be_repeated_is_sent_only_where_its_whole_timeout_is_left(left: float, sent: int) -> None:
    clock = Clock(START)
    server = Hang(clock)
    with pytest.raises(OutcomeUnknown if sent else OutOfTime):
        http(server, clock, Deadline(START + timedelta(seconds=left))).call(POST)
    assert server.requests == sent


def test_a_call_that_is_not_made_says_why_and_is_nobodys_trouble() -> None:
    clock = Clock(START)
    with pytest.raises(OutOfTime, match="time is nearly over, so ERP was not called") as caught:
        http(Hang(clock), clock, Deadline(START + timedelta(seconds=20))).get("/x")
    assert not isinstance(caught.value, Unreachable)
    assert clock.now() == START, "and is not tried again in vain"


def test_an_answer_that_trickles_is_cut_with_the_functions_time() -> None:
    clock = Clock(START)

    class Drops(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            for _ in range(100):
                clock.sleep(9)
                yield b" "

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Drops()))
    end = START + timedelta(seconds=60)
    with pytest.raises(Transient):
        http(transport, clock, Deadline(end)).get("/x")
    assert clock.now() < end


@pytest.mark.parametrize(("seconds", "margin"), [(12, 1.5), (120, 15), (300, 15)])
def test_a_short_invocation_keeps_less_for_itself(seconds: float, margin: float) -> None:
    deadline = Deadline()
    deadline.begin(START, seconds)
    assert deadline.cut(START + timedelta(hours=1)) == START + timedelta(seconds=seconds - margin)
    assert deadline.allowed(START, 4, safe=False, who="ERP") == 4


def test_without_a_deadline_a_call_takes_its_timeout() -> None:
    clock = Clock(START)
    with pytest.raises(Unreachable):
        http(Hang(clock), clock, Deadline()).get("/x")
    assert clock.now() - START > timedelta(seconds=2 * LONGEST_TIMEOUT)


def test_the_longest_timeout_fits_twice_into_the_writers_time() -> None:
    assert SystemSettings.model_fields["timeout_seconds"].metadata[-1].le == LONGEST_TIMEOUT
    assert 2 * LONGEST_TIMEOUT + MARGIN < 120


# ── the functions ───────────────────────────────────────────────────────────────────────────────────────────────


def door(site: Site, tenant: str, system: str) -> str | None:
    return Breaker(
        site.runtime.store, site.clock, tenant=tenant, system=system, version="", boot="b", sole=False
    ).trouble_now()


def test_a_hanging_erp_with_five_flows_costs_one_run_less_than_its_function(site: Site) -> None:
    text = site.manager.texts["ml-connector/acme/sap_b1"]
    site.spoil("acme", "sap_b1", text[:-1] + f', "timeout_seconds": {LONGEST_TIMEOUT}}}')
    site.enroll()
    site.instead["acme"] = Hang(site.clock)
    site.due()
    began = site.clock.now()
    site.runtime.deadline.at = began + timedelta(seconds=300)
    run = site.run("acme", "sap_b1")
    assert site.clock.now() - began < timedelta(seconds=300 - MARGIN)
    assert len(run.failures) >= 2 and run.faults == 0
    assert "did not answer in time" in str(door(site, "acme", "sap_b1"))
    site.runtime.deadline.at = site.clock.now() + timedelta(seconds=300)
    assert site.run("beta", "sap_b1").failures == []


def test_a_run_begins_no_flow_when_its_time_is_over_and_asks_for_another_run(site: Site) -> None:
    site.enroll()
    site.due()
    site.asked.clear()
    site.runtime.deadline.at = site.clock.now() + timedelta(seconds=MARGIN)
    run = site.run("acme", "sap_b1")
    assert run.failures == [] and site.asked == []
    item = site.runtime.store.get("schedule#acme", "sap_b1")
    assert item is not None and item.due_at is not None and item.due_at <= site.clock.now().isoformat()


@pytest.fixture
def queued(site: Site) -> Any:
    """Suppliers of acme on their way to Basware."""
    site.enroll()
    site.due()
    site.run("acme", "sap_b1")
    return next(one for one in site.queue()["acme"] if one["flow"] == "vendors")


def test_a_killed_writer_blocks_its_lane_for_its_lease_and_not_for_the_queues_time(site: Site, queued: Any) -> None:
    site.instead["acme"] = Kill()
    with pytest.raises(Killed):
        site.writes(queued, seconds=120)
    (hidden,) = site.hidden
    assert hidden == {"QueueUrl": "records", "ReceiptHandle": "1", "VisibilityTimeout": 135}
    assert site.chunk(queued).state == "sending"
    del site.instead["acme"]
    site.clock.sleep(hidden["VisibilityTimeout"])
    site.writes(queued)
    assert site.chunk(queued).state == "posted", "the ring that comes back finds the row free"


def test_a_lease_ends_with_its_function_also_after_a_step(site: Site, queued: Any) -> None:
    site.instead["acme"] = Kill()
    with pytest.raises(Killed):
        site.writes(queued, seconds=40)
    due = site.chunk(queued).due_at
    assert due is not None
    assert datetime.fromisoformat(due) == site.clock.now() + timedelta(seconds=50)
    end = site.clock.now() + timedelta(seconds=40)
    assert Deadline(end).lease_ends(end - timedelta(seconds=1), timedelta(seconds=150)) == end + timedelta(seconds=10)


def test_a_writer_without_time_leaves_the_work_to_the_next_one_and_counts_no_failure(site: Site, queued: Any) -> None:
    site.writes(queued, seconds=0.5)
    chunk = site.chunk(queued)
    assert (chunk.state, chunk.failures, chunk.attempts, chunk.cause) == ("waiting", 0, 0, None)
    assert "time is nearly over" in str(chunk.reason)
    assert door(site, "acme", "basware") is None
    site.clock.sleep(2)
    site.writes(queued, seconds=0.5)
    assert site.chunk(queued).parked_at == chunk.parked_at is not None, "an alarm tells if no time is ever enough"
    site.clock.sleep(2)
    site.writes(queued)
    assert (site.chunk(queued).state, site.chunk(queued).parked_at) == ("posted", None)


def test_a_hanging_platform_is_away_for_the_writer_and_opens_the_breaker(site: Site, queued: Any) -> None:
    site.instead["acme"] = Hang(site.clock)
    began = site.clock.now()
    site.writes(queued)
    chunk = site.chunk(queued)
    assert site.clock.now() - began < timedelta(seconds=120)
    assert (chunk.state, chunk.failures, chunk.cause) == ("waiting", 0, "away")
    assert door(site, "acme", "basware") is not None
