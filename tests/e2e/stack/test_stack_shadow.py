"""The deployed template with a tenant in shadow, and one whose password is wrong."""

import json

import pytest

from infra.local import stack_run

pytestmark = pytest.mark.stack


@pytest.mark.long
def test_a_shadow_shows_what_it_would_send_and_a_refused_login_is_said(company, tmp_path):
    world = company.world
    with stack_run.deployed(tmp_path / "stack") as local:
        company.put_secrets(local, "acme")
        company.put_secrets(local, "beta", password="not-the-password")
        local.put_secret("acme", "settings", json.dumps({"shadow": True}))
        local.enroll()
        local.start_flows()
        assert local.until_idle(240)
        report = local.outcome(cut=False).sheets
        again = local.outcome(cut=False).sheets
    rows = {name: report["acme", "sap_b1-basware", name].as_row() for name in ("vendors", "accounts", "invoices")}
    assert rows["vendors"]["would_send"] == rows["vendors"]["pending"] == company.suppliers()
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
