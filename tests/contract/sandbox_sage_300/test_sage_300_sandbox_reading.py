"""Lists, options, pages and keys (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import pytest


def test_a_page_has_at_most_100_rows_whatever_top_says(api):
    assert len(api.rows("AP/APVendors")) == 100
    page = api.read("AP/APVendors?$top=250")
    assert (len(page["value"]), "@odata.nextLink" in page) == (100, True)
    page = api.read("AP/APVendors?$top=7")
    assert (len(page["value"]), "@odata.nextLink" in page) == (7, False)


def test_the_next_link_has_an_internal_host_and_lost_the_other_options(api):
    page = api.read("AP/APVendors?$filter=Status eq 'Active'&$select=VendorNumber&$skip=100")
    assert page["@odata.nextLink"] == "http://localhost/Sage300WebApi/v1.0/-/SAMLTD/AP/APVendors?$skip=200"
    assert page["@odata.context"].endswith("$metadata#APVendors(VendorNumber)")


def test_a_next_link_can_keep_the_options_and_still_lead_nowhere(world, api):
    world.next_link = "keep"
    link = api.read("AP/APVendors?$count=true")["@odata.nextLink"]
    assert link == "http://localhost/Sage300WebApi/v1.0/-/SAMLTD/AP/APVendors?$count=true&$skip=100"


def test_skipping_gives_every_row_once_and_ends_without_a_link(api):
    found = []
    for skip in range(0, 400, 100):
        page = api.read(f"AP/APVendors?$skip={skip}")
        found += [row["VendorNumber"] for row in page["value"]]
        assert ("@odata.nextLink" in page) == (skip < 300)
    assert len(set(found)) == len(found) == 303


def test_the_count_is_a_number_and_in_the_older_spelling_a_text(world, api):
    assert api.read("AP/APVendors?$count=true&$top=1")["@odata.count"] == 303
    world.annotations = "odata."
    page = api.read("AP/APVendors?$count=true&$top=1")
    assert (page["odata.count"], "odata.context" in page, "@odata.count" in page) == ("303", True, False)
    assert "odata.nextLink" in api.read("AP/APVendors")


def test_without_count_there_is_none(api):
    assert "@odata.count" not in api.read("AP/APTerms")
    assert "@odata.count" not in api.read("AP/APTerms?$count=false")


def test_an_administrator_may_raise_the_page_size(world, api):
    world.page_size = 1000
    assert len(api.rows("AP/APVendors")) == 303


@pytest.mark.parametrize(
    "query",
    [
        "$orderby=VendorNumber",
        "$expand=VendorOptionalFieldValues",
        "$skip=0&$skip=100",
        "$filter=Status eq 'Active'&$filter=OnHold eq 'OnHold'",
        "$inlinecount=allpages",
        "$format=json",
        "$apply=x",
        "top=5",
        "$top=-1",
        "$top=ten",
        "$skip=1.5",
        "$count=yes",
        "$select=VendorNumber,Nonsense",
        "$select=vendornumber",
    ],
)
def test_other_options_are_refused(api, expect_refusal, query):
    expect_refusal(api.get(f"AP/APVendors?{query}"), 400, "InvalidParameters")


def test_select_gives_the_named_properties_only(api):
    row = api.rows("AP/APVendors?$select=VendorNumber,Terms&$top=1")[0]
    assert list(row) == ["VendorNumber", "Terms"]


def test_details_come_inline(api):
    order = api.rows("PO/POPurchaseOrders?$top=1")[0]
    assert order["PurchaseOrderLines"][0]["QuantityOrdered"] > 0


@pytest.mark.parametrize("key", ["'1200'", "1200", "VendorNumber='1200'", " VendorNumber = '1200' "])
def test_a_text_key_may_be_quoted_bare_or_named(api, key):
    body = api.read(f"AP/APVendors({key})")
    assert body["VendorNumber"] == "1200"
    assert "value" not in body


def test_keys_with_quotes_slashes_and_spaces_can_be_addressed(api):
    assert api.read("AP/APVendors('O''BRIEN')")["VendorNumber"] == "O'BRIEN"
    assert api.read("AP/APVendors('A%2FB 7')")["VendorNumber"] == "A/B 7"


@pytest.mark.parametrize(
    "key", ["10021001", "PurchaseOrderSequenceKey=10021001", "PurchaseOrderSequenceKey = 10021001"]
)
def test_a_number_key_is_bare(api, key):
    assert api.read(f"PO/POPurchaseOrders({key})")["PurchaseOrderNumber"] == "PO000001"


@pytest.mark.parametrize("key", ["'000002','CC100'", "SegmentCodeKey='CC100',SegmentNumber='000002'", "000002, CC100"])
def test_a_key_of_two_parts_is_in_order_or_named(api, key):
    assert api.read(f"GL/GLSegmentCodes({key})")["SegmentCodeKey"] == "CC100"


@pytest.mark.parametrize(
    "path",
    [
        "PO/POPurchaseOrders('10021001')",
        "PO/POPurchaseOrders(PO000001)",
        "PO/POPurchaseOrders(PurchaseOrderNumber='PO000001')",
        "GL/GLSegmentCodes('000002')",
        "GL/GLSegmentCodes(SegmentNumber='000002')",
        "AP/APVendors()",
        "AP/APVendors('O'BRIEN')",
        "AP/APVendors('1200',)",
    ],
)
def test_a_key_that_does_not_fit_is_refused(api, expect_refusal, path):
    expect_refusal(api.get(path), 400, "InvalidEntityKey")


def test_an_unknown_key_is_not_found_word_for_word(api, expect_refusal):
    text = "A Record cannot be found for the specified entity key"
    expect_refusal(api.get("AP/APVendors('NOPE')"), 404, "RecordNotFound", text)


def test_an_entry_takes_select_and_nothing_else(api, expect_refusal):
    body = api.read("AP/APVendors('1200')?$select=VendorName")
    assert [name for name in body if "odata" not in name] == ["VendorName"]
    expect_refusal(api.get("AP/APVendors('1200')?$top=1"), 400, "InvalidParameters")


def test_dates_are_midnights_and_empty_ones_null(world, api):
    vendor = api.read("AP/APVendors('1200')")
    assert vendor["DateLastMaintained"].endswith("T00:00:00Z")
    assert vendor["InactiveDate"] is None
    world.date_tail = "T00:00:00"
    assert api.read("AP/APVendors('1200')")["DateLastMaintained"].endswith("T00:00:00")


def test_every_property_is_there_and_empty_ones_have_their_default(api):
    vendor = api.read("AP/APVendors('1200')")
    assert (vendor["FaxNumber"], vendor["DaysRetained"], vendor["TaxType"]) == ("", 0, "Unknown")
    assert vendor["VendorOptionalFieldValues"] == []


def test_accounts_have_no_stamp_of_change(api):
    row = api.rows("GL/GLAccounts?$filter=UnformattedAccount eq '400001CC101'")[0]
    assert (row["AccountNumber"], row["AccountSegmentCode1"], row["AccountSegmentCode2"]) == (
        "400001-CC101",
        "400001",
        "CC101",
    )
    assert [name for name in row if "Date" in name] == ["DateCreated"]


def test_a_query_longer_than_iis_takes_is_not_found(api):
    reply = api.get(f"AP/APVendors?$filter=VendorName eq '{'x' * 2100}'")
    assert (reply.status_code, reply.headers["Content-Type"][:9]) == (404, "text/html")
