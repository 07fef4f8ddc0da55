"""The seeded folder, and the sandbox behind a real socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from infra.sandbox.sage_x3 import create_app, order_lines, seeded_world
from infra.sandbox.server import serving
from tests.contract.sandbox_sage_x3.conftest import BASE

REPOSITORY = Path(__file__).parents[3]


def test_the_same_seed_gives_the_same_folder(clock):
    first, second, other = (seeded_world(seed, clock=clock) for seed in (3, 3, 4))
    assert first.tables == second.tables != other.tables
    first.find("BPSUPPLIER", "V10000")["BPSNAM"] = "Changed"
    assert seeded_world(3, clock=clock).tables == second.tables


def test_nothing_is_dated_in_the_future_and_all_entries_balance(world):
    for name, column in (("PORDER", "ORDDAT"), ("GACCENTRY", "ACCDAT"), ("PINVOICE", "BPRDAT"), ("PORDER", "UPDDAT")):
        assert all(row[column] <= world.today() for row in world.rows(name))
    for entry in world.rows("GACCENTRY"):
        lines = world.lines("GACCENTRYD", "GACCENTRY", entry)
        assert sum(line["SNS"] * line["AMTCUR"] for line in lines) == 0


def test_order_lines_tell_what_an_invoice_must_say(world):
    lines = order_lines(world)
    assert len(lines) > 800 and sum(line.open for line in lines) > 600
    for line in lines[:50]:
        assert line.amount == (line.quantity * line.price).quantize(Decimal("0.01"))
        assert world.get("CACCE", "CCT", line.cost_center)["ENAFLG"] == 2
    assert any(line.currency == "USD" for line in lines)


def test_a_dropped_connection_reaches_the_client_at_once(world, entry):
    with serving(create_app(world)) as url, httpx.Client(base_url=url, timeout=5) as client:
        world.faults.add("drop", "GACCENTRY", "POST")
        before = len(world.rows("GACCENTRY"))
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(
                f"{BASE}/GACCENTRY?representation=ZGACCENTRY.$create",
                content=json.dumps(entry(), default=float),
                auth=("mlconn", "sandbox-only"),
            )
        assert len(world.rows("GACCENTRY")) == before + 1


def test_the_module_serves_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "infra.sandbox.sage_x3", "--port", "0", "--seed", "2"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        line = json.loads(process.stdout.readline())
        reply = httpx.get(
            f"{line['url']}{BASE}/BPSUPPLIER?representation=BPSUPPLIER.$query&count=1",
            auth=(line["user"], line["password"]),
        )
        assert len(reply.json()["$resources"]) == 1
        assert httpx.get(f"{line['control']}/state").json()["counts"]["BPSUPPLIER"] == 305
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
