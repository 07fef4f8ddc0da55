"""The sandbox behind a real socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.sandbox.kit.codec import encode
from infra.sandbox.sage_300 import create_app
from infra.sandbox.server import serving
from tests.contract.sandbox_sage_300.conftest import JSON, basic

REPOSITORY = Path(__file__).parents[3]
HEADERS = JSON | basic("WEBAPI", "Sandbox-Only")


def test_a_dropped_connection_reaches_the_client_at_once(world, invoice):
    base = "/Sage300WebApi/v1.0/-/SAMLTD/AP/APInvoiceBatches"
    with serving(create_app(world)) as url, httpx.Client(base_url=url, timeout=5, headers=HEADERS) as client:
        world.faults.add("drop", "APInvoiceBatches", "POST")
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(base, content=encode(invoice()))
        assert len(client.get(base).json()["value"]) == 1


def test_the_module_serves_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "infra.sandbox.sage_300", "--port", "0", "--seed", "2"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        line = json.loads(process.stdout.readline())
        headers = JSON | basic(line["user"], line["password"])
        assert httpx.get(f"{line['url']}/{line['company']}/AP/APVendors", headers=headers).status_code == 200
        assert httpx.get(f"{line['control']}/state").json()["counts"]["APVendors"] == 303
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
