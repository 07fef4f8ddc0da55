"""The sandbox behind a real socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from infra.sandbox.sap_b1 import create_app
from infra.sandbox.server import serving

REPOSITORY = Path(__file__).parents[3]
LOGIN = {"CompanyDB": "SBODEMO", "UserName": "manager", "Password": "sandbox-only"}


def test_a_dropped_connection_reaches_the_client_at_once(world, service):
    with serving(create_app(world)) as url, httpx.Client(base_url=f"{url}/b1s/v2/", timeout=5) as client:
        session = client.post("Login", json=LOGIN).json()["SessionId"]
        client.headers["Cookie"] = f"B1SESSION={session}"
        world.faults.add("drop", "PurchaseInvoices", "POST")
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("PurchaseInvoices", content=json.dumps(service(), default=float))
        assert len(client.get("PurchaseInvoices").json()["value"]) == 1


def test_parallel_posts_get_numbers_of_their_own(world, service):
    with serving(create_app(world)) as url, httpx.Client(base_url=f"{url}/b1s/v2/", timeout=5) as client:
        client.headers["Cookie"] = f"B1SESSION={client.post('Login', json=LOGIN).json()['SessionId']}"
        body = json.dumps(service(), default=float)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: client.post("PurchaseInvoices", content=body).json(), range(24)))
        assert len({reply["DocEntry"] for reply in replies}) == 24


def test_the_module_serves_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "infra.sandbox.sap_b1", "--port", "0", "--seed", "2"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        line = json.loads(process.stdout.readline())
        login = {"CompanyDB": line["company_db"], "UserName": line["user_name"], "Password": line["password"]}
        assert httpx.post(f"{line['url']}/Login", json=login).status_code == 200
        assert httpx.get(f"{line['control']}/state").json()["logins"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
