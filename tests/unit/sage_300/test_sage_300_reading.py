"""Pages, filters and answers that are not to be believed."""

from __future__ import annotations

from itertools import pairwise

import httpx
import pytest

from ml_connector.errors import Misconfigured, Throttled, Transient
from ml_connector.records import Account, CostCenter, Supplier

INNER = "http://localhost/Sage300WebApi/v1.0/-/SAMLTD/AP/APVendors"


def vendors(first, last):
    return [{"VendorNumber": f"{n:05d}", "VendorName": f"Vendor {n}"} for n in range(first, last)]


def paged(total, size=100, link="@odata.nextLink", count="@odata.count", as_text=False):
    """A list that pages as the server does: the link names the inner host and loses filter and selection."""

    def answer(request):
        skip = int(request.url.params.get("$skip", 0))
        body = {count: str(total) if as_text else total, "value": vendors(skip, min(total, skip + size))}
        if skip + size < total:
            body[link] = f"{INNER}?$skip={skip + size}"
        return httpx.Response(200, json=body)

    return answer


@pytest.mark.parametrize(
    ("link", "count", "as_text"),
    [("@odata.nextLink", "@odata.count", False), ("odata.nextLink", "odata.count", True)],
)
def test_all_pages_are_read_in_both_spellings_of_the_annotations(bench, link, count, as_text):
    bench.server.answers["AP/APVendors"] = paged(250, link=link, count=count, as_text=as_text)
    assert [one.key for one in bench.all(Supplier)] == [f"{n:05d}" for n in range(250)]


def test_a_next_link_is_used_for_its_number_only(bench):
    bench.server.answers["AP/APVendors"] = paged(250)
    bench.all(Supplier, since="2026-02-05")
    assert {r.url.host for r in bench.server.requests} == {"erp.example"}
    assert len(set(bench.server.asked("AP/APVendors", "$filter"))) == 1
    assert len(set(bench.server.asked("AP/APVendors", "$select"))) == 1
    assert bench.server.asked("AP/APVendors", "$skip")[0] is None
    assert "$top" not in str(bench.server.requests[-1].url)


def test_a_list_goes_on_where_the_link_is_missing_but_the_count_says_more(bench):
    def answer(request):
        skip = int(request.url.params.get("$skip", 0))
        return httpx.Response(200, json={"@odata.count": 150, "value": vendors(skip, min(150, skip + 100))})

    bench.server.answers["AP/APVendors"] = answer
    assert len(bench.all(Supplier)) == 150


@pytest.mark.parametrize("total", [99, 100, 101, 199, 250])
@pytest.mark.parametrize("skips", [True, False])
def test_a_list_that_tells_neither_link_nor_count_is_read_to_its_end(bench, total, skips):
    def answer(request):
        skip = int(request.url.params.get("$skip", 0))
        return httpx.Response(
            200, json={"value": vendors(skip, min(total, skip + 100)) if skips else vendors(0, total)}
        )

    bench.server.answers["AP/APVendors"] = answer
    assert [one.key for one in bench.all(Supplier)] == [f"{n:05d}" for n in range(total)]
    assert len(bench.server.requests) <= total // 99 + 1


def test_a_row_that_leaves_between_two_pages_hides_no_other(bench):
    there = vendors(0, 250)

    def answer(request):
        skip = int(request.url.params.get("$skip", 0))
        body = {"value": there[skip : skip + 100]}
        if skip + 100 < len(there):
            body["@odata.nextLink"] = f"{INNER}?$skip={skip + 100}"
        if not skip and len(there) == 250:
            del there[:3]
        return httpx.Response(200, json=body)

    bench.server.answers["AP/APVendors"] = answer
    assert {one.key for one in bench.all(Supplier)} == {f"{n:05d}" for n in range(250)}


def test_a_list_whose_end_was_deleted_meanwhile_simply_ends(bench):
    def answer(request):
        skip = int(request.url.params.get("$skip", 0))
        there = vendors(0, 95 if skip or len(bench.server.requests) > 1 else 103)
        body = {"value": there[skip : skip + 100]}
        if skip + 100 < len(there):
            body["@odata.nextLink"] = f"{INNER}?$skip={skip + 100}"
        return httpx.Response(200, json=body)

    bench.server.answers["AP/APVendors"] = answer
    assert len(bench.all(Supplier)) == 100


@pytest.mark.parametrize("link", [f"{INNER}?$skip=100", f"{INNER}?$skip=0", INNER, None])
def test_a_page_given_twice_or_a_loop_of_pages_is_detected(bench, link):
    def answer(_):
        body = {"@odata.count": 300, "value": vendors(0, 100)}
        if link:
            body["@odata.nextLink"] = link
        return httpx.Response(200, json=body)

    bench.server.answers["AP/APVendors"] = answer
    with pytest.raises(Transient, match="loop"):
        bench.all(Supplier)


def test_a_page_given_twice_is_detected_also_where_it_begins_a_row_earlier(bench):
    def answer(request):
        skip = int(request.url.params.get("$skip", 0))
        shown = skip - 100 if skip > 150 else skip
        body = {"value": vendors(shown, shown + 100), "@odata.nextLink": f"{INNER}?$skip={skip + 100}"}
        return httpx.Response(200, json=body)

    bench.server.answers["AP/APVendors"] = answer
    with pytest.raises(Transient, match="loop"):
        bench.all(Supplier)


@pytest.mark.parametrize(
    "bad",
    [
        httpx.Response(200, text="<html>Sign in</html>", headers={"content-type": "text/html"}),
        httpx.Response(200, text='{"value": [{"VendorNumber": "1"'),
        httpx.Response(200, json={"error": {"code": "General", "message": {"value": "Something"}}}),
        httpx.Response(200, json={"Message": "hello"}),
        httpx.Response(200, text=""),
    ],
    ids=["html", "truncated", "error with 200", "no value", "empty"],
)
def test_a_good_status_is_not_believed_by_itself(bench, bad):
    bench.server.answers["AP/APVendors"] = lambda _: bad
    with pytest.raises(Transient):
        bench.all(Supplier)


def test_trouble_that_passes_is_tried_again(bench):
    good = httpx.Response(200, json={"value": vendors(0, 1)})
    bench.server.script("AP/APVendors", httpx.Response(200, text="<html>busy</html>"), httpx.Response(500), good)
    assert len(bench.all(Supplier)) == 1


@pytest.mark.parametrize("status", [429, 500, 400])
def test_too_many_requests_back_off_exponentially_whatever_the_status(bench, fault, status):
    bench.server.answers["AP/APVendors"] = lambda _: fault(status, "TooManyRequests", "flooded")
    with pytest.raises(Throttled):
        bench.all(Supplier)
    pauses = bench.clock.slept
    assert len(pauses) == 4
    assert all(later > 1.3 * earlier for earlier, later in pairwise(pauses))


def test_the_error_code_decides_and_not_the_status(bench, fault):
    bench.server.answers["AP/APVendors"] = lambda _: fault(400, "InternalServerError", "oops")
    with pytest.raises(Transient):
        bench.all(Supplier)
    bench.server.answers["AP/APVendors"] = lambda _: fault(500, "Forbidden", "no")
    with pytest.raises(Misconfigured):
        bench.all(Supplier)


@pytest.mark.parametrize(
    ("literal", "expected"),
    [("iso", "2026-02-03T00:00:00Z"), ("datetime", "datetime'2026-02-03T00:00:00'")],
)
def test_changes_are_asked_for_by_day_with_a_day_of_overlap_in_both_literals(make, literal, expected):
    bench = make(date_literal=literal)
    bench.all(Supplier, since="2026-02-05")
    assert bench.server.asked("AP/APVendors") == [f"DateLastMaintained gt {expected}"]


def test_the_stamp_of_a_page_is_its_highest_day(bench):
    days = ("2026-02-03T00:00:00Z", None, "2026-02-05T00:00:00", "2026-01-01T00:00:00Z")
    rows = [{"VendorNumber": str(n), "VendorName": "A", "DateLastMaintained": day} for n, day in enumerate(days)]
    bench.server.rows("AP/APVendors", *rows)
    assert bench.pages(Supplier)[0].stamp == "2026-02-05"


def test_a_vendor_is_read_with_terms_tax_and_address(bench):
    bench.server.rows(
        "AP/APVendors",
        {
            "VendorNumber": "1200",
            "VendorName": "Chloride Systems",
            "Status": "Inactive",
            "Terms": "N30",
            "CurrencyCode": "CAD",
            "TaxRegistrationCode1": "",
            "TaxRegistrationCode2": "GST-1",
            "Num1099CPRSTaxNumber": "",
            "BusinessRegistrationNumber": "B-9",
            "AddressLine1": "1 Road",
            "AddressLine2": "Unit 2",
            "City": "Vancouver",
            "Country": "Canada",
            "Email": "a@b.example",
        },
    )
    (one,) = bench.all(Supplier)
    assert (one.active, one.payment_term, one.currency, one.vat_number, one.tax_id) == (
        False,
        "N30",
        "CAD",
        "GST-1",
        "B-9",
    )
    assert (one.addresses[0].street, one.addresses[0].country) == ("1 Road, Unit 2", "CA")


def test_a_vendor_that_cannot_be_read_is_rejected_alone(bench):
    bench.server.rows(
        "AP/APVendors", {"VendorNumber": "1", "VendorName": "A"}, {"VendorNumber": "2", "VendorName": ["?"]}
    )
    (page,) = bench.pages(Supplier)
    assert [r.key for r in page.records] == ["1"]
    assert [b.key for b in page.broken] == ["2"]


ACCOUNTS = [
    {"UnformattedAccount": "6260", "Description": "Office", "AccountSegmentCode1": "6260", "Status": "Inactive"},
    {
        "UnformattedAccount": "6260200",
        "Description": "Office 200",
        "AccountSegmentCode1": "6260",
        "AccountSegmentCode2": "200",
        "Status": "Active",
    },
    {
        "UnformattedAccount": "1300100",
        "Description": "Stock",
        "AccountSegmentCode1": "1300",
        "AccountSegmentCode2": "100",
        "Status": "Active",
    },
]


def test_accounts_are_compared_whole_each_time_since_they_carry_no_stamp(bench):
    bench.server.rows("GL/GLAccounts", *ACCOUNTS)
    (page,) = bench.pages(Account, since="2026-02-05")
    assert page.stamp is None
    assert bench.server.asked("GL/GLAccounts") == [None]
    assert [(r.code, r.active) for r in page.records] == [("6260", False), ("6260200", True), ("1300100", True)]


def test_with_a_segment_each_natural_account_is_given_once(make):
    bench = make(cost_center_segment="2")
    bench.server.rows("GL/GLAccounts", *ACCOUNTS)
    records = bench.all(Account)
    assert [(r.key, r.name, r.active) for r in records] == [("1300", "Stock", True), ("6260", "Office", True)]


def test_cost_centers_are_the_codes_of_the_named_segment(make):
    bench = make(cost_center_segment="2")
    bench.server.rows(
        "GL/GLSegmentCodes",
        {"SegmentNumber": "000001", "SegmentCodeKey": "X", "Description": "other"},
        {"SegmentNumber": "000002", "SegmentCodeKey": "200", "Description": "Sales"},
        {"SegmentNumber": 2, "SegmentCodeKey": "100", "Description": ""},
    )
    assert [(r.key, r.name) for r in bench.all(CostCenter)] == [("200", "Sales"), ("100", "100")]


def test_without_the_setting_the_flow_of_cost_centers_reads_nothing(bench):
    assert bench.all(CostCenter) == []
    assert bench.server.requests == []


@pytest.mark.parametrize("record", [Supplier, Account])
def test_very_records_are_read_again_some_to_a_call(bench, record):
    bench.server.rows("GL/GLAccounts", *ACCOUNTS)
    bench.server.rows("AP/APVendors", {"VendorNumber": "6260", "VendorName": "A"})
    keys = ["6260", *(f"gone{n}" for n in range(40))]
    pages = list(bench.connection.source(record).reread(keys))
    assert {r.key for page in pages for r in page.records} == {"6260"}
    assert 1 < len(bench.server.requests) < 5
    assert all(len(str(r.url)) < 2048 for r in bench.server.requests)


@pytest.mark.parametrize(
    ("shown", "active"),
    [
        ({}, True),
        ({"Status": "Active"}, True),
        ({"Status": "1"}, True),
        ({"Status": "inactive "}, False),
        ({"Status": "0"}, False),
        ({"Status": "Active", "InactiveDate": "2020-01-01T00:00:00Z"}, True),
        ({"Status": "Active", "StartDate": "2099-01-01T00:00:00Z", "OnHold": "OnHold"}, True),
    ],
)
def test_the_status_alone_makes_a_vendor_inactive(bench, shown, active):
    """`InactiveDate` tells since when a vendor is, or was; there is no period."""
    bench.server.rows("AP/APVendors", {"VendorNumber": "1200", "VendorName": "A", **shown})
    (one,) = bench.all(Supplier)
    assert one.active is active
