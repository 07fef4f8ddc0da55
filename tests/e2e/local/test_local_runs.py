"""A run delivers, balances, and a second one right after finds nothing to do; in every dialect of the vendors."""

import json
import time
from decimal import Decimal

import pytest

COUNTS = {"read", "delivered", "unchanged", "held", "rejected", "failed", "pending"}
MONEY = {"invoices", "payments"}


def filled(stage):
    """Enter two orders, one of them received in part, and three invoices."""
    stage.order({}, {"Quantity": Decimal(3)})
    stage.order(
        {"LineTotal": Decimal("80.10"), "ItemCode": None, "Quantity": None, "UnitPrice": None},
        DocType="dDocument_Service",
    )
    return [stage.invoice("120.00"), stage.invoice("10.01", "20.02", supplier="V10002"), stage.invoice("7.00")]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_first_run_delivers_and_a_second_one_right_after_writes_nothing(small, version):
    small.write("sap_b1", service_layer_url=f"{small.erp_url}/b1s/{version}")
    invoices = filled(small)
    first = small.flows(small.ran())
    assert {name: row["delivered"] for name, row in first.items()} == {
        "vendors": 5,
        "accounts": 10,
        "cost_centers": 3,
        "purchase_orders": 2,
        "invoices": 3,
        "payments": 0,
    }
    assert [len(small.posted(key)) for key in invoices] == [1, 1, 1]
    assert {small.document(key).status for key in invoices} == {"Transferred"}
    before = small.writes()
    second = small.ran()
    assert small.writes() == before
    for name, row in small.flows(second).items():
        assert row["read"] == row["unchanged"], (name, row)
    assert small.flows(second)["accounts"]["unchanged"] == 10
    assert [second["held"], second["rejected"], second["failed"]] == [[], [], []]


def test_a_second_run_over_the_whole_company_writes_nothing(stage):
    for name, fate in stage.fates.items():
        # An invoice on an order closes the order's lines, which the next run must tell Basware.
        if fate.fate != "post" or stage.ap.documents[name].record.get("orderNumbers"):
            del stage.ap.documents[name]
    stage.ap.verdict_delay = 0.05
    stage.ran()
    before = stage.writes()
    flows = stage.flows(stage.ran())
    assert stage.writes() == before
    assert flows["accounts"]["read"] == flows["accounts"]["unchanged"] > 100
    assert all(row["delivered"] == row["pending"] == 0 for row in flows.values())


@pytest.mark.parametrize(("version", "style"), [("v1", "drop"), ("v1", "path"), ("v2", "relative"), ("v2", "path")])
def test_every_page_is_read_in_each_style_of_next_links(small, version, style):
    small.write("sap_b1", service_layer_url=f"{small.erp_url}/b1s/{version}")
    small.erp.next_link_style, small.erp.shuffle_ties = style, True
    template = small.erp.tables["BusinessPartners"]["V10000"]
    for number in range(1100):
        small.erp.put("BusinessPartners", template | {"CardCode": f"V2{number:04d}", "CardName": f"Nr. {number}"})
    assert small.flows(small.ran())["vendors"]["delivered"] == 1105
    assert len(small.imported("vendors")) == 1105
    assert small.erp.calls["GET BusinessPartners"] == 3


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_flat_errors_of_a_dead_session_are_understood(small, version):
    small.write("sap_b1", service_layer_url=f"{small.erp_url}/b1s/{version}")
    small.erp.flat_errors_on_v1 = True
    small.erp.faults.add("401", "ChartOfAccounts")
    key = small.invoice("12.00")
    assert small.flows(small.ran())["accounts"]["delivered"] == 10
    assert len(small.posted(key)) == 1


def test_flat_refusals_on_v1_are_understood(small):
    small.write("sap_b1", service_layer_url=f"{small.erp_url}/b1s/v1")
    small.erp.flat_errors_on_v1 = True
    small.erp.tables["BusinessPartners"]["V10001"]["Frozen"] = "tYES"
    key = small.invoice("12.00")
    report = small.ran()
    assert [line["key"] for line in report["held"]] == [key]
    assert report["held"][0]["waiting_for"] == "supplier:V10001"


def test_bare_arrays_and_links_that_work_once_are_read(small):
    small.ap.wrapped_lists, small.ap.single_use_links = False, True
    keys = filled(small)
    assert small.flows(small.ran())["invoices"]["delivered"] == len(keys)
    before = small.writes()
    small.ran()
    assert small.writes() == before


def test_a_redirect_is_followed_without_credentials(small):
    key = small.invoice("12.00")
    small.ran()
    listed = [e for e in small.ap.log if e.path == "/v1/accountingDocuments"]
    storage = [e for e in small.ap.log if e.path.startswith("/_documents/")]
    assert {e.status for e in listed} == {302, 404}  # 404: nothing is TransferInProgress
    assert storage
    assert {e.status for e in storage} == {200}
    assert not [e for e in storage if "authorization" in {name.lower() for name in e.headers}]
    assert small.document(key).status == "Transferred"


def test_amounts_arrive_in_the_erp_to_the_cent(small):
    huge = small.invoice("12345678901.23")
    tenths = small.invoice("0.10", "0.20")
    cents = small.invoice("0.01")
    taxed = small.invoice("999.99", tax="V2")
    report = small.ran()
    totals = {key: small.posted(key)[0]["DocTotal"] for key in (huge, tenths, cents, taxed)}
    assert totals == {
        huge: Decimal("12345678901.23"),
        tenths: Decimal("0.30"),
        cents: Decimal("0.01"),
        taxed: Decimal("1189.99"),
    }
    assert [line["LineTotal"] for line in small.posted(tenths)[0]["DocumentLines"]] == [
        Decimal("0.10"),
        Decimal("0.20"),
    ]
    amounts = small.flows(report)["invoices"]["amounts"]["EUR"]
    assert amounts["delivered"] == amounts["read"] == "12345680091.53"


def test_amounts_arrive_at_the_platform_to_the_cent(small):
    small.order(
        {"Quantity": Decimal(1), "UnitPrice": Decimal("12345678901.23")},
        {"Quantity": Decimal(3), "UnitPrice": Decimal("0.1")},
    )
    small.ran()
    lines = sorted(small.imported("matchingOrderLines").values(), key=lambda line: line["lineNumber"])
    assert [Decimal(line["netSum"]) for line in lines] == [Decimal("12345678901.23"), Decimal("0.30")]
    assert Decimal(lines[0]["orderLineCoding"][0]["netTotal"]) == Decimal("12345678901.23")


def test_the_report_has_the_promised_shape(small):
    small.invoice("100.00")
    small.invoice("35.50", account="6999")
    small.erp.tables["BusinessPartners"]["V10000"]["CardName"] = "N" * 300
    small.invoice(codingRows=[])
    report = small.ran()
    promised = ["reconciled", "elapsed_seconds", "tenants", "held", "rejected", "failed"]
    assert [key for key in report if key in promised] == promised
    assert set(report) - set(promised) == {"open", "rounding_differences", "earlier_endpoints"}
    assert isinstance(report["elapsed_seconds"], float)
    flows = small.flows(report)
    assert list(flows) == ["vendors", "accounts", "cost_centers", "purchase_orders", "invoices", "payments"]
    for name, row in flows.items():
        assert set(row) == COUNTS | {"error"} | ({"amounts"} if name in MONEY else set())
    assert set(flows["invoices"]["amounts"]["EUR"]) == COUNTS
    assert all(isinstance(value, str) for value in flows["invoices"]["amounts"]["EUR"].values())
    promised = {"tenant", "integration", "flow", "key", "reason", "waiting_for", "amount", "currency"}
    assert promised <= set(report["held"][0])
    assert report["rejected"]
    assert all({"tenant", "integration", "flow", "key", "reason"} <= set(line) for line in report["rejected"])


def test_a_report_named_html_is_a_page(small, tmp_path):
    small.invoice("35.50", account="6999")
    page = tmp_path / "reports" / "x.html"
    ran = small.cli("local", "run", "--secrets", str(small.folder), "--report", str(page))
    assert ran.returncode == 0, ran.stderr
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "Everything reconciles." in text
    assert "35.50 EUR" in text
    assert "account" in ran.stdout
    assert "reconciled" in ran.stdout


def test_a_dry_run_writes_nothing_and_tells_what_it_would_send(small):
    filled(small)
    before = small.writes()
    report = small.ran("--dry-run")
    assert small.writes() == before
    flows = small.flows(report)
    assert {name: row["would_send"] for name, row in flows.items()} == {
        "vendors": 5,
        "accounts": 10,
        "cost_centers": 3,
        "purchase_orders": 2,
        "invoices": 3,
        "payments": 0,
    }
    assert all(row["delivered"] == 0 for row in flows.values())
    assert flows["invoices"]["pending"] == 3
    assert {d.status for d in small.ap.documents.values()} == {"WaitingForTransfer"}
    assert small.flows(small.ran())["invoices"]["delivered"] == 3


def test_a_run_cut_by_max_seconds_says_so_and_counts_what_is_pending(small):
    keys = [small.invoice("10.00") for _ in range(3)]
    small.erp.faults.add("hang", "PurchaseInvoices", "POST", times=9, seconds=3)
    code, report = small.run("--max-seconds", "3")
    assert code == 1
    invoices = small.flows(report)["invoices"]
    assert invoices["read"] == 3
    assert invoices["pending"] > 0
    small.erp.faults.clear()
    small.write("sap_b1", in_doubt_seconds=1)
    small.ran()
    assert [len(small.posted(key)) for key in keys] == [1, 1, 1]


def test_a_second_run_beside_a_running_one_is_told_so(small):
    with small.left_running():
        code, report = small.run()
    assert code == 2
    assert "stderr" in report
    assert len(report["stderr"].strip().splitlines()) == 1
    assert "already works with the state" in report["stderr"]


def test_two_tenants_at_once_do_not_mix(small, another):
    ours = [small.invoice(f"{n}.00") for n in range(1, 6)]
    theirs = [another.invoice(f"{n}.50", supplier="V10002") for n in range(1, 6)]
    another.erp.tables["BusinessPartners"]["V10002"]["CardName"] = "Only of beta"
    report = small.ran()
    assert small.flows(report)["invoices"]["amounts"]["EUR"]["delivered"] == "15.00"
    assert another.flows(report)["invoices"]["amounts"]["EUR"]["delivered"] == "17.50"
    assert {row["DocTotal"] % 1 for row in small.erp.rows("PurchaseInvoices")} == {Decimal(0)}
    assert {row["DocTotal"] % 1 for row in another.erp.rows("PurchaseInvoices")} == {Decimal("0.50")}
    assert small.vendor("V10002")["name"] != another.vendor("V10002")["name"] == "Only of beta"
    assert all(len(small.posted(key)) == 1 for key in ours)
    assert all(len(another.posted(key)) == 1 for key in theirs)


def test_a_test_company_that_becomes_production_starts_anew(small):
    key = small.invoice("12.00")
    small.ran()
    small.erp.company = small.erp.sessions.company = "SBOPROD"
    small.write("sap_b1", company_db="SBOPROD")
    small.ap.imported["vendors"].clear()
    small.change_invoice(key, processingStatus="WaitingForTransfer")
    small.erp.tables["PurchaseInvoices"].clear()
    flows = small.flows(small.ran())
    assert flows["vendors"]["unchanged"] == 0
    assert flows["vendors"]["delivered"] == 5
    assert flows["invoices"]["delivered"] == 1
    assert len(small.posted(key)) == 1


def test_deleting_one_secret_of_a_pair_ends_the_integration(small):
    small.ran()
    (small.folder / "acme" / "basware.json").unlink()
    before = small.writes()
    report = small.ran()
    assert report["tenants"] == {}
    assert small.writes() == before


def test_an_idle_run_is_quick(small):
    small.ran()
    begun = time.monotonic()
    small.ran()
    assert time.monotonic() - begun < 10
    assert json.loads((small.folder.parent / "out.json").read_text())["reconciled"]
