"""The query grammar (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.sandbox.sap_b1.errors import Refusal
from infra.sandbox.sap_b1.fields import TYPES
from infra.sandbox.sap_b1.filters import compile_filter


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("CardCode eq 'V10003'", {"V10003"}),
        ("not (CardCode ne 'V10003')", {"V10003"}),
        ("CardCode eq 'V10003' or CardCode eq 'V10004' and Frozen eq 'tYES'", {"V10003"}),
        ("(CardCode eq 'V10003' or CardCode eq 'V10039') and Frozen eq 'tYES'", {"V10039"}),
        ("CardCode gt 'V10297' and CardType eq 'cSupplier'", {"V10298", "V10299"}),
        ("startswith(CardCode,'L3000') and endswith(CardCode,'4')", {"L30004"}),
        ("contains(CardName,'Söhne') and CardCode lt 'V10100'", {"V10003"}),
        ("substringof('O''Neill',CardName) and CardCode lt 'V10100'", {"V10028"}),
    ],
)
def test_filters_select_what_they_say(api, condition, expected):
    assert {row["CardCode"] for row in api.rows(f"BusinessPartners?$filter={condition}")} == expected


@pytest.mark.parametrize(
    "literal", ["'2026-01-15'", "2026-01-15", "datetime'2026-01-15'", "datetime'2026-01-15T00:00:00'"]
)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_each_form_of_a_date_literal_selects_the_same_rows(connect, world, literal, version):
    client = connect(version)
    client.login()
    expected = sum(row["UpdateDate"] >= "2026-01-15" for row in world.rows("BusinessPartners"))
    assert client.get(f"BusinessPartners/$count?$filter=UpdateDate ge {literal}").text == str(expected)


@pytest.mark.parametrize(
    "query",
    [
        "$filter=Nonsense eq 1",
        "$filter=CardCode eq V10000",
        "$filter=CardCode = 'V10000'",
        "$filter=CardType eq 'S'",
        "$filter=CardType eq cSupplier",
        "$filter=GroupCode eq '102'",
        "$filter=(CardCode eq 'V10000'",
        "$filter=CardCode eq 'V10000' trailing",
        "$filter=CardCode in ('V10000')",
        "$filter=tolower(CardCode) eq 'v10000'",
        "$filter=UpdateDate ge '15.01.2026'",
        "$filter=UpdateTime ge '10:00:00'",
        "$filter=BPAddresses/City eq 'Wien'",
        "$filter=U_ExtId eq 'x'",
        "$select=CardCode,Nonsense",
        "$orderby=Nonsense",
        "$orderby=BPAddresses",
        "$orderby=CardCode downwards",
        "$expand=BPAddresses",
        "$apply=aggregate(GroupCode with sum as X)",
        "$search=steel",
        "$top=-1",
        "$top=many",
    ],
)
def test_what_the_server_does_not_know_is_400(api, expect_refusal, query):
    expect_refusal(api.get(f"BusinessPartners?{query}"), 400, -1000)


def test_expanding_document_lines_is_an_invalid_navigation_property(api, expect_refusal):
    expect_refusal(api.get("PurchaseOrders?$expand=DocumentLines"), 400, -1000, "invalid navigation property")


def test_a_field_of_the_lines_cannot_be_filtered(api, expect_refusal):
    expect_refusal(api.get("PurchaseOrders?$filter=ItemCode eq 'I1000'"), 400, -1000, "'ItemCode' of 'Document'")


def test_lines_come_without_select_or_when_selected(api):
    assert api.rows("PurchaseOrders?$top=1")[0]["DocumentLines"]
    assert api.rows("PurchaseOrders?$top=1&$select=DocNum,DocumentLines")[0]["DocumentLines"]
    assert "DocumentLines" not in api.rows("PurchaseOrders?$top=1&$select=DocNum")[0]


def test_rows_are_ordered_by_several_keys(api, world):
    rows = api.rows("BusinessPartners?$orderby=UpdateDate desc,CardCode&$select=CardCode,UpdateDate", B1S_PageSize="0")
    by_key = sorted(world.rows("BusinessPartners"), key=lambda row: row["CardCode"])
    by_key.sort(key=lambda row: row["UpdateDate"], reverse=True)
    assert [row["CardCode"] for row in rows] == [row["CardCode"] for row in by_key]


def test_dates_are_written_in_the_form_of_the_version(api, api_v1, world):
    day = world.find("BusinessPartners", "V10000")["UpdateDate"]
    assert api_v1.get("BusinessPartners('V10000')").json()["UpdateDate"] == day
    assert api.get("BusinessPartners('V10000')").json()["UpdateDate"] == f"{day}T00:00:00Z"


def test_each_version_has_its_own_headers(api, api_v1):
    v1, v2 = api_v1.get("Currencies").headers, api.get("Currencies").headers
    assert (v1["DataServiceVersion"], "odata=minimalmetadata" in v1["Content-Type"]) == ("3.0", True)
    assert (v2["OData-Version"], "odata.metadata=minimal" in v2["Content-Type"]) == ("4.0", True)


def test_each_version_has_its_own_count_option(api, api_v1, expect_refusal):
    assert api_v1.get("Currencies?$inlinecount=allpages").json()["odata.count"] == "3"
    assert api.get("Currencies?$count=true").json()["@odata.count"] == 3
    expect_refusal(api_v1.get("Currencies?$count=true"), 400, -1000)
    expect_refusal(api.get("Currencies?$inlinecount=allpages"), 400, -1000)


def test_texts_compare_by_case_unless_the_header_says_otherwise(api):
    path = "BusinessPartners/$count?$filter=startswith(CardCode,'v1000')"
    assert api.get(path).text == "0"
    assert api.get(path, B1S_CaseInsensitive="true").text == "10"


@pytest.mark.parametrize("path", ["OutgoingPayments", "purchaseorders", "Nonsense", "PurchaseOrders/Nonsense"])
def test_an_unknown_resource_is_404(api, expect_refusal, path):
    expect_refusal(api.get(path), 404, -1000)


@pytest.mark.parametrize("path", ["PurchaseOrders(1)", "BusinessPartners('none')", "PurchaseInvoices(DocEntry=1)"])
def test_an_unknown_key_is_minus_2028(api, expect_refusal, path):
    expect_refusal(api.get(path), 404, -2028)


@pytest.mark.parametrize("path", ["PurchaseOrders('30001')", "BusinessPartners(V10000)", "BusinessPartners('a'b')"])
def test_a_key_that_is_quoted_wrongly_is_400(api, expect_refusal, path):
    expect_refusal(api.get(path), 400, -1000)


def test_a_key_may_be_named(api):
    assert api.get("PurchaseOrders(DocEntry=30001)").json()["DocNum"] == 5001


def test_leads_and_customers_are_partners_too(api):
    kinds = {
        kind: api.get(f"BusinessPartners/$count?$filter=CardType eq '{kind}'").text for kind in ("cCustomer", "cLid")
    }
    assert kinds == {"cCustomer": "20", "cLid": "5"}


def test_the_company_tells_its_local_currency(api):
    assert api.post("CompanyService_GetAdminInfo", {}).json()["LocalCurrency"] == "EUR"


WORDS = ["CardCode", "GroupCode", "UpdateDate", "eq", "ge", "and", "or", "not", "(", ")", ",", "'x'", "1", "null", "'"]


@given(st.lists(st.sampled_from([*WORDS, "startswith", "substringof", "datetime'2026-01-01'", "2026-01-01", "€"])))
def test_no_filter_text_breaks_the_parser(words):
    with contextlib.suppress(Refusal):
        compile_filter(" ".join(words), "BusinessPartner", TYPES["BusinessPartner"])({"CardCode": "x", "GroupCode": 1})


def test_a_filter_that_is_nested_too_deeply_is_refused():
    with pytest.raises(Refusal, match="nested"):
        compile_filter("(" * 5000, "BusinessPartner", TYPES["BusinessPartner"])
