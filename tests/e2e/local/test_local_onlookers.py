"""What somebody sees who starts a run without a terminal: what is tried and waited for, and why nothing ran."""

import json
import socket

import pytest


@pytest.fixture
def nobody():
    """Find a port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.long
def test_a_server_that_is_away_is_named_within_seconds_and_no_time_is_in_raw_form(small, nobody):
    small.write("sap_b1", service_layer_url=f"http://127.0.0.1:{nobody}/b1s/v2")
    small.invoice("12.00")
    ran = small.cli("local", "run", "--secrets", str(small.folder), "--max-seconds", "12")
    assert ran.returncode == 1
    first, *more = ran.stderr.splitlines()
    assert first.startswith(f"acme vendors: SAP Business One at 127.0.0.1:{nobody} cannot be reached")
    assert first.endswith("It is tried again in 2 s.")
    assert any(line.startswith("acme vendors: still the same. It is tried again in ") for line in more)
    assert any(line.startswith("waiting for SAP Business One to answer (acme vendors), for ") for line in more)
    assert "+00:00" not in ran.stdout + ran.stderr


def test_a_run_in_which_all_is_well_says_nothing_beside_its_figures(small):
    ran = small.cli("local", "run", "--secrets", str(small.folder))
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("secrets", "why"),
    [
        ({}, "There is no tenant yet: make a folder for one"),
        ({"sap_b1": {}}, "Nothing of acme moves: it has sap_b1, and the secret of the other system is missing: write"),
        ({"settings": {}}, "Nothing of acme moves: it has settings alone; write acme/basware, and its ERP's secret"),
        ({"sap_b1": {}, "basware": {}, "settings": {"paused": True}}, "acme is paused, so nothing of it was run: take"),
        (
            {
                "sap_b1": {},
                "basware": {},
                "settings": {
                    "schedules": dict.fromkeys(
                        ("vendors", "accounts", "cost_centers", "purchase_orders", "invoices", "payments"), "off"
                    )
                },
            },
            "Every flow of acme is off, so nothing of it was run: change 'schedules' in acme/settings.",
        ),
    ],
    ids=["no tenant", "half a pair", "settings alone", "paused", "off"],
)
def test_a_run_with_nothing_to_run_says_why_and_what_to_do(small, tmp_path, secrets, why):
    for path in (small.folder / "acme").glob("*.json"):
        path.unlink()
    (small.folder / "acme").rmdir()
    for system, changes in secrets.items():
        small.write(system, **changes)
    ran = small.cli("local", "run", "--secrets", str(small.folder), "--report", str(tmp_path / "r.html"))
    assert ran.returncode == 0
    assert why in ran.stdout
    assert why.replace("'", "&#x27;") in (tmp_path / "r.html").read_text("utf-8")
    code, report = small.run()
    assert (code, report["reconciled"]) == (0, True), json.dumps(report)
