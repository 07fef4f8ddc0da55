"""The deployed template, with its workers killed while they write: nothing is lost and nothing is there twice."""

import os
import random
import signal
import threading
import time
from collections import Counter

import pytest

from infra.local import stack_run

pytestmark = pytest.mark.stack
LEASE, VISIBILITY = 8, 4


@pytest.mark.long
def test_killed_workers_lose_nothing_and_double_nothing(company, tmp_path):
    world = company.world
    with stack_run.deployed(tmp_path / "stack") as local:
        _impatient(local)
        company.put_secrets(local, "acme", timeout_seconds=4)
        local.enroll()
        over = threading.Event()
        killer = threading.Thread(target=_kill, args=(local, over), daemon=True)
        killer.start()
        local.start_flows()
        time.sleep(8)
        over.set()
        killer.join()
        assert killer_count(local) >= 3
        assert local.until_idle(240)
        outcome = local.outcome(cut=False)
    booked = Counter(r["NumAtCard"] for t in ("PurchaseInvoices", "PurchaseCreditNotes") for r in world.erp.rows(t))
    assert [n for n, count in booked.items() if count > 1] == []
    transferred = {d.record["invoiceNumber"] for d in world.ap.documents.values() if d.status == "Transferred"}
    assert set(booked) >= transferred
    assert {n for n in booked if n.startswith("RE-")} == transferred
    posts = {f.invoice_number for f in world.fates.values() if f.fate == "post"}
    assert len(posts - transferred) <= 1, "all but the one that asks for a rounding account"
    left = {
        name: (s.counts, s.error, s.failed, s.held)
        for name, s in outcome.sheets.items()
        if not s.reconciled or s.counts["failed"] or s.counts["pending"]
    }
    assert left == {}
    assert len(world.ap.imported["vendors"]) == company.suppliers()


_killed: Counter[int] = Counter()


def killer_count(local) -> int:
    return _killed[id(local)]


def _kill(local, over) -> None:
    """Kill writers at random moments."""
    draw = random.Random(5)
    while not over.wait(draw.uniform(0.3, 0.9)):
        workers = [pid for pid, name in local.stack.workers().items() if name.split("-")[-1] == "write"]
        if workers:
            os.kill(draw.choice(workers), signal.SIGKILL)
            _killed[id(local)] += 1


def _impatient(local) -> None:
    """Shorten what a killed worker is waited for, so that the test does not last for minutes."""
    sqs, functions = local.stack.client("sqs"), local.stack.client("lambda")
    for name in ("RecordsQueueUrl", "RunsQueueUrlSapB1", "RunsQueueUrlBasware"):
        sqs.set_queue_attributes(QueueUrl=local.outputs[name], Attributes={"VisibilityTimeout": str(VISIBILITY)})
    for function in ("write", "poll-sap_b1", "poll-basware"):
        name = f"{stack_run.NAME}-{function}"
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        variables["ML_LEASE_SECONDS"] = str(LEASE)
        functions.update_function_configuration(FunctionName=name, Timeout=12, Environment={"Variables": variables})
