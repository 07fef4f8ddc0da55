"""Servers that misbehave: nothing is lost, nothing is posted twice, and the run balances."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from infra.sandbox.basware.model import Fault

DOCUMENTS = "/v1/accountingDocuments"


def all_delivered(stage, keys):
    """Run once; everything must have come through, each invoice once."""
    flows = stage.flows(stage.ran())
    assert [flows[name]["delivered"] for name in ("vendors", "accounts", "cost_centers")] == [5, 10, 3]
    assert flows["invoices"]["delivered"] == len(keys)
    assert [len(stage.posted(key)) for key in keys] == [1] * len(keys)
    assert len(stage.booked()) == len(keys)
    assert {stage.document(key).status for key in keys} == {"Transferred"}


@pytest.mark.parametrize(
    "kinds",
    [("500", "401"), ("502", "200-html"), ("503", "200-error"), ("504", "truncated"), ("drop-before", "drop")],
    ids="+".join,
)
def test_a_fault_of_sap_while_reading_loses_nothing(small, kinds):
    for path in ("BusinessPartners", "ChartOfAccounts", "PurchaseOrders", "PurchaseInvoices\\?"):
        for kind in kinds:
            small.erp.faults.add(kind, path, "GET")
    small.order()
    all_delivered(small, [small.invoice("10.00"), small.invoice("20.00", supplier="V10002")])


@pytest.mark.parametrize("kind", ["html", "error_envelope", "truncated", "drop", "act_then_drop"])
def test_a_fault_of_basware_while_reading_loses_nothing(small, kind):
    small.ap.faults += [Fault(kind, f"{DOCUMENTS}.*", "GET"), Fault(kind, f"{DOCUMENTS}.*", "GET", skip=2)]
    all_delivered(small, [small.invoice("10.00"), small.invoice("20.00", supplier="V10002")])


@pytest.mark.parametrize("status", [500, 502, 503, 429, 401])
def test_a_bad_status_of_basware_anywhere_loses_nothing(small, status):
    small.ap.faults += [
        Fault("status", path, method, status=status, times=1)
        for path, method in (
            (f"{DOCUMENTS}.*", "GET"),
            ("/v1/vendors", "POST"),
            (".*/acknowledge", "POST"),
            (".*/transferResponses", "POST"),
            ("/v1/requestStatus.*", "GET"),
        )
    ]
    all_delivered(small, [small.invoice("10.00"), small.invoice("20.00", supplier="V10002")])


@pytest.mark.parametrize("status", [503, 429])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured_in_both_forms(small, status, form):
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=6), usegmt=True)
    small.ap.faults.append(
        Fault("status", "/v1/vendors", "POST", status=status, retry_after="3" if form == "seconds" else when)
    )
    small.ran()
    posts = [e for e in small.ap.log if e.path == "/v1/vendors" and e.method == "POST"]
    assert [e.status for e in posts] == [status, 200]
    assert len(small.imported("vendors")) == 5


def test_retry_after_of_sap_is_honoured(small):
    small.erp.faults.add("503", "BusinessPartners").headers["Retry-After"] = "2"
    small.ran()
    first, second = [c.at for c in small.erp.log if c.path.endswith("BusinessPartners")][:2]
    assert second - first >= timedelta(seconds=1.9)


@pytest.mark.parametrize("style", ["401", "-5002"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_session_that_died_between_two_runs_is_renewed_once(small, style, version):
    small.write("sap_b1", service_layer_url=f"{small.erp_url}/b1s/{version}")
    small.erp.dead_session_style = style
    small.ran()
    logins = small.erp.logins
    small.erp.expire_sessions()
    key = small.invoice("10.00")
    assert small.flows(small.ran())["invoices"]["delivered"] == 1
    assert len(small.posted(key)) == 1
    assert small.erp.logins == logins + 1
    assert small.erp.login_failures == 0


def test_a_session_that_dies_right_before_a_post_does_not_post_twice(small):
    small.ran()
    key = small.invoice("10.00")
    small.erp.faults.add("401", "PurchaseInvoices", "POST")
    all_ = small.flows(small.ran())
    assert all_["invoices"]["delivered"] == 1
    assert len(small.posted(key)) == 1


def test_a_business_refusal_with_5002_is_never_replayed(small):
    small.ran()
    from decimal import Decimal

    from infra.sandbox.basware.seed_invoices import Coding
    from infra.sandbox.sap_b1 import changes

    order = small.order()
    changes.act(small.erp, "PurchaseOrders", order["DocEntry"], "Close")
    logins = small.erp.logins
    coding = Coding("400002", "CC101", Decimal("250.00"), "V0", str(order["DocNum"]), "0")
    key = small.invoice(rows=[coding], orderNumbers=[str(order["DocNum"])])
    report = small.ran()
    assert small.posted(key) == []
    assert small.erp.calls["POST PurchaseInvoices"] <= 1
    assert small.erp.logins == logins
    assert len(report["held"]) + len(report["rejected"]) == 1


@pytest.mark.long
def test_posts_in_doubt_end_in_exactly_one_document_each(small):
    small.write("sap_b1", in_doubt_seconds=3)
    kinds = ["drop", "truncated", "504", "late", "drop-before", "500", "502", "200-html"]
    keys = [small.invoice(f"{n}.00", supplier=f"V1000{n % 5}") for n in range(len(kinds))]
    for kind in kinds:
        small.erp.faults.add(kind, "PurchaseInvoices", "POST", seconds=1)
    all_delivered(small, keys)
    assert small.erp.faults.hit == dict.fromkeys(kinds, 1)
    assert {len(small.document(key).answers["transferResponses"]) for key in keys} == {1}


@pytest.mark.long
def test_an_error_envelope_with_200_on_a_post_is_neither_success_nor_refusal(small):
    """The server says two things of it: it is looked for, and sent again after the settle time."""
    small.write("sap_b1", in_doubt_seconds=2)
    small.ran()
    key = small.invoice("10.00")
    small.erp.faults.add("200-error", "PurchaseInvoices", "POST")
    assert small.ran()["rejected"] == []
    assert small.erp.faults.hit == {"200-error": 1}
    assert len(small.posted(key)) == 1
    assert [one["success"] for one in small.document(key).answers["transferResponses"]] == [True]


@pytest.mark.long
def test_a_post_that_is_carried_out_after_the_settle_time_is_found_and_reported(small):
    small.write("sap_b1", in_doubt_seconds=2)
    small.ran()
    key = small.invoice("10.00")
    small.erp.faults.add("late", "PurchaseInvoices", "POST", seconds=3)
    report = small.ran()
    numbers = [str(row["DocNum"]) for row in small.posted(key)]
    if len(numbers) == 1:
        assert report["held"] == []
    else:
        (line,) = report["held"]
        assert line["waiting_for"] == f"conflict:{key}"
        assert all(number in line["reason"] for number in numbers)


def test_answers_in_doubt_are_given_once_each(small):
    kinds = ["act_then_drop", "truncated", "drop", "html", "error_envelope"]
    keys = [small.invoice(f"{n}.00", supplier=f"V1000{n % 5}") for n in range(len(kinds))]
    small.ap.faults += [Fault(kind, ".*/transferResponses", "POST") for kind in kinds]
    all_delivered(small, keys)
    assert {len(small.document(key).answers["transferResponses"]) for key in keys} == {1}


def test_a_hang_is_cut_by_the_timeout(small):
    small.write("sap_b1", timeout_seconds=2, in_doubt_seconds=3)
    small.ran()
    key = small.invoice("10.00")
    small.erp.faults.add("hang", "BusinessPartners", "GET", seconds=5)
    small.erp.faults.add("hang", "PurchaseInvoices", "POST", seconds=5)
    flows = small.flows(small.ran())
    assert flows["vendors"]["error"] is None
    assert flows["invoices"]["delivered"] == 1
    assert len(small.posted(key)) == 1


@pytest.mark.parametrize("kind", ["page-loop", "empty-page", "wrong-host"])
def test_pages_of_sap_that_lead_nowhere_end_and_lose_nothing(small, kind):
    template = small.erp.tables["BusinessPartners"]["V10000"]
    for number in range(1100):
        small.erp.put("BusinessPartners", template | {"CardCode": f"V2{number:04d}", "CardName": f"Nr. {number}"})
    small.erp.faults.add(kind, "BusinessPartners").skip = 1
    assert small.flows(small.ran())["vendors"]["delivered"] == 1105
    assert len(small.imported("vendors")) == 1105


@pytest.mark.parametrize("kind", ["page_loop", "empty_page"])
def test_pages_of_basware_that_lead_nowhere_end_and_lose_nothing(small, kind):
    small.ap.coding_rows_per_page = 2
    keys = [small.invoice(f"{n}.00") for n in range(1, 9)]
    small.ap.faults.append(Fault(kind, DOCUMENTS, "GET", skip=1))
    small.ran()
    if kind == "empty_page":  # such a page hides its records from this pass; the next one finds them
        small.ran()
    assert [len(small.posted(key)) for key in keys] == [1] * 8


@pytest.mark.long
def test_trouble_that_lasts_is_an_error_of_its_flow_and_neither_a_hang_nor_an_empty_list(small_for_all):
    loop, turning, page = (small_for_all(name) for name in ("sap-loop", "basware-loop", "page"))
    template = loop.erp.tables["BusinessPartners"]["V10000"]
    for number in range(600):
        loop.erp.put("BusinessPartners", template | {"CardCode": f"V2{number:04d}", "CardName": f"Nr. {number}"})
    loop.erp.faults.add("page-loop", "BusinessPartners", times=10_000)
    turning.ap.coding_rows_per_page = 1
    for _ in range(3):
        turning.invoice("1.00")
    turning.ap.faults.append(Fault("page_loop", DOCUMENTS, "GET", times=-1))
    page.erp.faults.add("200-html", "ChartOfAccounts", times=10_000)
    code, report = page.run()
    assert code == 1
    assert "loop" in loop.flows(report)["vendors"]["error"]
    assert loop.flows(report)["accounts"]["delivered"] == 10
    assert turning.flows(report)["invoices"]["error"]
    assert turning.flows(report)["accounts"]["delivered"] == 10
    assert "Something else than SAP Business One answered" in page.flows(report)["accounts"]["error"]
    assert page.flows(report)["vendors"]["delivered"] == 5
