"""The seeded company, and the sandbox behind a real socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from infra.sandbox.server import serving
from infra.sandbox.syspro import create_app, order_lines, seeded_world
from tests.contract.sandbox_syspro.conftest import REST, xml

REPOSITORY = Path(__file__).parents[3]


def test_the_same_seed_gives_the_same_company(clock):
    first, second, other = (seeded_world(seed, clock=clock) for seed in (3, 3, 4))
    assert first.tables == second.tables != other.tables
    first.find("ApSupplier", "V10000")["SupplierName"] = "Changed"
    assert seeded_world(3, clock=clock).tables == second.tables


def test_nothing_is_dated_in_the_future(world):
    today = world.today().isoformat()
    for name, column in (
        ("PorMasterHdr", "OrderEntryDate"),
        ("GrnDetails", "OrigReceiptDate"),
        ("ApSupplier", "DateSuppAdded"),
    ):
        assert all(row[column] < today for row in world.rows(name))


def test_order_lines_tell_what_an_invoice_must_say(world):
    lines = order_lines(world)
    assert len(lines) > 2000 and sum(line.open for line in lines) > 1000
    for line in lines[:50]:
        row = world.find("PorMasterDetail", line.order_number, line.line_number)
        assert line.extended == (row["MOrderQty"] * row["MForeignPrice"]).quantize(Decimal("0.01"))
        assert line.ledger_code == f"{line.account}-{line.cost_center}" == row["MGlCode"]
        assert world.get("GenMaster", "A", line.ledger_code)
    foreign = next(line for line in lines if line.currency == "USD")
    row = world.find("PorMasterDetail", foreign.order_number, foreign.line_number)
    assert row["MPrice"] == round(row["MForeignPrice"] * Decimal("0.9215"), 5)


def test_the_company_has_its_own_date(clock):
    from zoneinfo import ZoneInfo

    clock.now = datetime(2026, 2, 10, 23, 30, tzinfo=UTC)
    assert seeded_world(1, clock=clock, zone=ZoneInfo("Europe/Berlin")).today().isoformat() == "2026-02-11"


def test_a_dropped_connection_reaches_the_client_at_once(world, entry):
    with serving(create_app(world)) as url, httpx.Client(base_url=url, timeout=5) as client:
        args = {"Operator": "MLCONN", "OperatorPassword": "sandbox-only", "CompanyId": "A", "CompanyPassword": ""}
        session = client.get(f"{REST}/Logon", params=args).text
        world.faults.add("drop", "APSTIN")
        document = {"BusinessObject": "APSTIN", "XmlParameters": "", "XmlIn": xml("PostApInvoice", {"Item": entry()})}
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(f"{REST}/Transaction/Post", params={"UserId": session, **document})
        assert len(world.rows("ApInvoice")) == 1
        assert client.get(f"{REST}/Query/Query", params={"XmlIn": "x" * 17000}).status_code == 414


def test_the_module_serves_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "infra.sandbox.syspro", "--port", "0", "--seed", "2"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        line = json.loads(process.stdout.readline())
        args = {
            "Operator": line["operator"],
            "OperatorPassword": line["password"],
            "CompanyId": line["company"],
            "CompanyPassword": "",
        }
        assert len(httpx.get(f"{line['url']}/Logon", params=args).text) == 36
        rows = httpx.get(
            f"{line['odata_url']}/{line['company']}/ApSupplier?$top=1",
            auth=(line["odata_user"], line["odata_password"]),
        )
        assert len(rows.json()["value"]) == 1
        assert httpx.get(f"{line['control']}/state").json()["counts"]["ApSupplier"] == 304
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
