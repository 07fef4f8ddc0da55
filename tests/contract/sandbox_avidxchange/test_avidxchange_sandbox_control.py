"""What another process may have people do, the seeded customer, and the sandbox behind a real socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.sandbox.avidxchange import create_app, seeded_world
from infra.sandbox.kit.codec import decode, encode
from infra.sandbox.server import serving

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def remote(api):
    def call(path, status=200, verb="POST", **body):
        reply = api.http.request(verb, f"/_sandbox/{path}", content=encode(body))
        assert reply.status_code == status, reply.text
        return decode(reply.content)

    return call


def test_people_work_on_invoices_and_batches(api, world, remote, bill):
    api.submit(bill())
    which = {"vendor": "V10000", "number": "INV-7731"}
    assert remote("invoices/change", **which, values={"description": "x"})["description"] == "x"
    assert remote("invoices/approve", **which)["state"] == "approved"
    guid = remote("batches/close")[0]["guid"]
    assert remote("batches/reopen", guid=guid)[0]["closed"] is None
    assert remote("invoices/leave", id=5501)["state"] == "received"
    assert remote("invoices/reject", id=5501, reason="no")["errors"] == ["no"]
    captured = remote("invoices", vendor="V10001", number="CAP-1", lines=[["6100", "10.00"]], dated="2026-02-01")
    assert captured["captured"] and captured["dated"] == "2026-02-01"
    assert remote("invoices/approve", id=5502, close=True)["batch"] == guid
    assert remote("batches/reopen", guid=guid) and remote("batches/close", guid=guid)[0]["closed"]
    remote("invoices/remove", id=5502)
    assert "Refused" in remote("invoices/leave", 400, id=5501)["error"]
    found = remote("state", verb="GET")
    assert [one["state"] for one in found["invoices"]] == ["rejected"] and found["counts"]["batches"] == 1


def test_people_work_on_payments(api, world, remote, bill):
    api.submit(bill())
    remote("invoices/approve", id=5501)
    made = remote("payments", invoices=[["V10000", "INV-7731"]], method="Direct", discounts={"0": "2.00"})
    assert (made["id"], made["state"], made["method"]) == (901, "Pending Approval", "Direct")
    for act, state in (
        ("advance", "Processing"),
        ("fail", "Error"),
        ("recover", "Processing"),
        ("issue", "ACH Credit Issued"),
        ("clear", "Cleared"),
        ("reissue", "Issued to Supplier"),
        ("return", "Returned"),
        ("move", "Held"),
        ("void", "Void"),
    ):
        assert remote(f"payments/{act}", id=901, state="Held")["state"] == state
    assert remote("payments", vendor="V10001", parts=[["X-1", "5.00"]], state="Cleared")["id"] == 902
    assert [one["amount"] for one in remote("state", verb="GET")["payments"]] == [248, 5]
    assert remote("payments", invoices=[5501], amounts={"0": "1.00"})["parts"][0]["gross"] == 1


def test_people_keep_master_data_users_and_time(api, world, remote, bill, clock):
    remote("vendors", externalVendorCode="V3", name="Three")
    remote("codes", group="GL Account", value="6300")
    remote("orders", purchaseOrderNumber="1", vendorExternalCode="V3")
    assert "REQUIRED" not in remote("codes", 400, group="GL Account")["error"]
    assert remote("vendors/deactivate", code="V3")["active"] is False
    remote("codes/remove", group="GL Account", value="6300")
    assert ("GL Account", "6300") not in world.codes and not world.vendor_is_usable("V3")
    remote("vendors/deactivate", 400, code="V4")
    remote("users", user="mlconn", password="new", expired=True, locked=True)
    assert world.logins.locked == {"mlconn"} == world.logins.expired_passwords
    remote("users", user="mlconn")
    assert api.authorize("new").status_code == 200
    remote("tokens/expire")
    assert world.logins.sessions == {}
    remote("companies", id="103", name="Third")
    assert world.company(" third ").id == "103"
    world.validation = "later"
    api.submit(bill(vendorExternalCode="V3"))
    assert remote("days", days=2)["now"] == "2026-02-12T09:30:00Z" and world.today().day == 12
    assert remote("state", verb="GET")["invoices"][0]["state"] == "rejected"
    clock.forward(days=1)
    assert world.today().day == 13


def test_switches_and_faults(api, world, remote):
    remote("switches", paging="cursor", forbidden=["payments"], modes=["login"], refusal=401)
    assert (world.paging, world.forbidden, world.logins.modes, world.logins.refusal) == (
        "cursor",
        {"payments"},
        {"login"},
        401,
    )
    assert "no switch" in remote("switches", 400, lock=1)["error"]
    assert remote("faults", kind="503")["rules"] == 1 and remote("faults", verb="DELETE")["rules"] == 0


# ── the seeded customer ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_gives_the_same_customer(clock):
    first, second, other = (seeded_world(seed, clock=clock) for seed in (3, 3, 4))
    assert first.invoices == second.invoices != other.invoices and first.payments == second.payments
    assert first.guid() == second.guid()
    first.vendors["V20000"]["name"] = "Changed"
    assert seeded_world(3, clock=clock).vendors == second.vendors


def test_the_customer_has_documents_in_every_state_and_none_of_today(clock):
    world = seeded_world(1, clock=clock)
    assert {one.state for one in world.invoices.values()} == {"received", "approved", "rejected", "paid"}
    assert {one.state for one in world.payments.values()} >= {"Cleared", "Void", "Returned", "Error", "Processing"}
    moments = [one.changed for one in world.invoices.values()] + [one.modified for one in world.payments.values()]
    moments += [one.closed for one in world.batches.values()]
    assert max(moments).date() < world.today() and len(world.batches) > 5


def test_a_dropped_connection_reaches_the_client_at_once(world):
    with serving(create_app(world)) as url, httpx.Client(base_url=url, timeout=5) as client:
        world.faults.add("drop", "token")
        form = {"grant_type": "client_credentials"}
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/token", data=form, auth=("sandbox-client", "sandbox-secret"))
        assert client.post("/token", data=form, auth=("sandbox-client", "sandbox-secret")).status_code == 200


@pytest.mark.parametrize("small", [False, True])
def test_the_module_serves_until_it_is_told_to_stop(small):
    command = [sys.executable, "-m", "infra.sandbox.avidxchange", "--port", "0", *(["--small"] if small else [])]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        line = json.loads(process.stdout.readline())
        signed = httpx.post(
            line["token_url"],
            data={"grant_type": "client_credentials"},
            auth=(line["client_id"], line["client_secret"]),
        ).json()["access_token"]
        headers = {"Authorization": f"Bearer {signed}"}
        reply = httpx.get(f"{line['base_url']}/vendors?modifiedSince=2026-01-01", headers=headers)
        assert reply.status_code == 200
        assert httpx.get(f"{line['base_url']}/v1/accountingSystems", headers=line["token_headers"]).status_code == 200
        assert httpx.get(f"{line['control']}/state").json()["counts"]["vendors"] == (0 if small else 43)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
