"""The deployed template with a tenant in shadow, and one whose password is wrong."""

import json
from contextlib import ExitStack

import pytest

from infra.local import stack_run
from infra.sandbox import basware, sap_b1
from infra.sandbox.fixtures import COMPANY, PASSWORD, USER, seeded_systems
from infra.sandbox.server import serving

pytestmark = pytest.mark.stack


def test_a_shadow_shows_what_it_would_send_and_a_refused_login_is_said(tmp_path):
    with ExitStack() as stack:
        world = seeded_systems()
        erp_url = stack.enter_context(serving(sap_b1.create_app(world.erp)))
        ap_url = stack.enter_context(serving(basware.create_app(world.ap)))
        local = stack.enter_context(stack_run.deployed(tmp_path / "stack"))
        for tenant, password in (("acme", PASSWORD), ("beta", "not-the-password")):
            local.put_secret(tenant, "sap_b1", json.dumps({
                "service_layer_url": f"{erp_url}/b1s/v2", "company_db": COMPANY, "user_name": USER,
                "password": password, "timezone": "Europe/Berlin"}))  # fmt: skip
            local.put_secret(tenant, "basware", json.dumps({
                "region": "EU", "client_id": "sandbox-client", "client_secret": "sandbox-secret",
                "companies": ["1000"], "source_system": "SAPB1", "base_url": ap_url}))  # fmt: skip
        local.put_secret("acme", "settings", json.dumps({"shadow": True}))
        local.enroll()
        local.start_flows()
        assert local.until_idle(240)
        report = local.outcome(cut=False).sheets
        again = local.outcome(cut=False).sheets
    rows = {name: report["acme", "sap_b1-basware", name].as_row() for name in ("vendors", "accounts", "invoices")}
    assert rows["vendors"]["would_send"] == rows["vendors"]["pending"] == 300
    assert rows["accounts"]["would_send"] > 100
    assert rows["invoices"]["would_send"] > 20
    assert all(row["delivered"] == 0 and row["error"] is None for row in rows.values())
    assert again.keys() == report.keys()
    assert world.ap.imported.get("vendors", {}) == {}
    assert not world.erp.rows("PurchaseInvoices")
    assert {d.status for d in world.ap.documents.values()} == {"WaitingForTransfer"}
    refused = report["beta", "sap_b1-basware", "vendors"]
    assert "password" in (refused.error or "")
    assert not refused.reconciled
