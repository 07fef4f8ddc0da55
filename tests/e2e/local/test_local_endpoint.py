"""The same company under another address, from the command line: said at each run, compared, carried over."""

from __future__ import annotations

import json
from decimal import Decimal

from infra.sandbox.sap_b1 import back_office


def moved(small, system="sap_b1"):
    """Let the tenant reach the same server by another name."""
    field = {"sap_b1": "service_layer_url", "basware": "base_url"}[system]
    small.write(system, **{field: small.defaults(system)[field].replace("127.0.0.1", "localhost")})


def test_another_address_is_said_and_the_state_is_carried_over_with_its_payments(small):
    key = small.invoice("100.00")
    small.invoice("50.00")
    assert small.ran()["earlier_endpoints"] == []
    entry = small.posted(key)[0]["DocEntry"]
    moved(small)
    back_office.pay(small.erp, entry, Decimal(40))
    ping = small.ops("ping", "acme", "sap_b1")
    report = small.ran("--dry-run")
    report = small.ran()
    (earlier,) = report["earlier_endpoints"]
    assert (earlier["documents"], earlier["systems"]) == (2, ["sap_b1"])
    for said in (ping, earlier["reason"]):
        assert "2 documents are known under the earlier endpoint (sap_b1 at server http://127.0.0.1:" in said
        assert f"`ml-connector endpoint move acme sap_b1 --secrets {small.folder}`" in said
    assert small.flows(report)["payments"]["delivered"] == 0

    refused = small.cli("endpoint", "move", "acme", "sap_b1", "--secrets", str(small.folder))
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    said = small.ops("endpoint", "move", "acme", "sap_b1", "--yes", "--by", "Ada")
    assert "2 documents" in said
    assert len(small.booked()) == 2
    report = small.ran()
    assert report["earlier_endpoints"] == []
    assert small.flows(report)["payments"]["delivered"] == 1
    assert Decimal(small.document(key).payment["paidTotal"]) == 40
    assert "✓" in small.ops("audit", "acme", "invoices", key, "--verify")
    listed = json.loads(small.ops("endpoint", "list", "acme", "--json"))
    assert [(one["state"], one["moves"][0]["by"]) for one in listed] == [("present", "Ada")]
    gone = small.cli("endpoint", "move", "acme", "sap_b1", "--yes", "--secrets", str(small.folder))
    assert gone.returncode == 1
    assert "Nothing is known of acme under an earlier endpoint of sap_b1" in gone.stderr


def test_another_company_is_refused_and_may_be_kept_apart(small, another):
    small.invoice("100.00")
    small.ran()
    small.write("sap_b1", service_layer_url=another.defaults("sap_b1")["service_layer_url"])
    refused = small.cli("endpoint", "move", "acme", "sap_b1", "--yes", "--secrets", str(small.folder))
    assert refused.returncode == 1
    assert "Nothing was carried over" in refused.stderr
    assert "(100.00 EUR)" in refused.stderr
    small.ops("endpoint", "keep-apart", "acme", "sap_b1", "--yes")
    assert small.ran()["earlier_endpoints"] == []


def test_a_company_of_another_name_needs_to_be_said_the_same(small):
    small.invoice("100.00")
    small.ran()
    small.write("sap_b1", company_db="SBOTEST")
    refused = small.cli("endpoint", "move", "acme", "sap_b1", "--yes", "--secrets", str(small.folder))
    assert refused.returncode == 1
    assert "the company of sap_b1 was SBODEMO and is SBOTEST" in refused.stderr


def test_basware_under_another_address_is_compared_with_its_own_invoices(small):
    small.invoice("100.00")
    small.ran()
    moved(small, "basware")
    said = small.ops("endpoint", "move", "acme", "basware", "--yes")
    assert "1 document" in said
    assert small.ran()["earlier_endpoints"] == []
    assert len(small.booked()) == 1
