"""The $filter language (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import pytest


def found(api, text: str, resource: str = "AP/APVendors", name: str = "VendorNumber") -> list[str]:
    return [row[name] for row in api.rows(f"{resource}?$filter={text}&$select={name}")]


def test_texts_enumerations_and_numbers_compare(api):
    assert found(api, "VendorNumber eq 'O''BRIEN'") == ["O'BRIEN"]
    assert found(api, "Status eq 'Inactive' and VendorNumber lt 'V10050'") == ["V10039"]
    assert found(api, "OnHold eq 'OnHold' and VendorNumber lt 'V10040'") == ["V10007", "V10032"]
    high = found(api, "CreditLimit gt 80000", name="VendorNumber")
    assert high == found(api, "CreditLimit gt 80000.00m")
    assert 0 < len(high) < 100


def test_and_binds_before_or_and_parentheses_group(api):
    text = "VendorNumber eq '1200' or VendorNumber eq 'V10000' and Status eq 'Inactive'"
    assert found(api, text) == ["1200"]
    assert found(api, "(VendorNumber eq '1200' or VendorNumber eq 'V10000') and Status eq 'Inactive'") == []


def test_many_values_of_one_field_or_of_several_are_joined_by_or(api):
    assert found(api, "VendorNumber eq 'V10003' or VendorNumber eq 'nobody' or VendorNumber eq '1200'") == [
        "1200",
        "V10003",
    ]
    assert found(api, "FaxNumber eq 'none' or FaxNumber eq ''") == found(api, "VendorNumber ne ''")
    assert found(api, "VendorNumber eq '1200' or Status eq 'Inactive' and VendorNumber lt 'V10050'") == [
        "1200",
        "V10039",
    ]
    assert found(api, "(VendorNumber eq '1200' or VendorNumber gt 'V1') and VendorNumber lt 'V10001'") == [
        "1200",
        "V10000",
    ]


def test_functions(api):
    assert found(api, "startswith(VendorNumber,'O''')") == ["O'BRIEN"]
    assert found(api, "endswith(VendorNumber,' 7')") == ["A/B 7"]
    assert found(api, "substringof('BRI',VendorNumber)") == ["O'BRIEN"]
    assert found(api, "length(VendorNumber) eq 4") == ["1200"]


def test_empty_values_compare_as_their_default(api):
    assert "1200" in found(api, "FaxNumber eq '' and VendorNumber eq '1200'")
    assert found(api, "InactiveDate ne null and VendorNumber lt 'V10050'") == ["V10039"]
    assert found(api, "InactiveDate gt 2000-01-01T00:00:00Z and VendorNumber lt 'V10050'") == ["V10039"]


def test_a_date_is_compared_by_its_day(api, clock):
    day = api.read("AP/APVendors('1200')")["DateLastMaintained"]
    assert "1200" in found(api, f"DateLastMaintained ge {day} and VendorNumber eq '1200'")
    assert found(api, f"DateLastMaintained gt {day} and VendorNumber eq '1200'") == []


def test_only_one_spelling_of_dates_is_known(world, api, expect_refusal):
    bare, old = "StartDate gt 2000-01-01T00:00:00Z", "StartDate gt datetime'2000-01-01T00:00'"
    assert api.get(f"AP/APVendors?$filter={bare}").status_code == 200
    expect_refusal(api.get(f"AP/APVendors?$filter={old}"), 400, "InvalidParameters")
    world.date_literal = "datetime"
    assert api.get(f"AP/APVendors?$filter={old}").status_code == 200
    expect_refusal(api.get(f"AP/APVendors?$filter={bare}"), 400, "InvalidParameters")


def test_ge_is_inferred_and_can_be_switched_off(world, api, expect_refusal):
    world.filter_ge = False
    expect_refusal(api.get("AP/APVendors?$filter=VendorNumber ge 'V'"), 400, "InvalidParameters", "ge")


@pytest.mark.parametrize(
    "text",
    [
        "contains(VendorName,'x')",
        "not (Status eq 'Active')",
        "Status eq Active",
        "Status eq 'Sleeping'",
        "Status gt 'Active'",
        "VendorNumber eq 1200",
        "CreditLimit eq '5'",
        "StartDate gt '2000-01-01'",
        "StartDate gt 2000-01-01",
        "Nonsense eq 'x'",
        "VendorNumber = '1200'",
        "VendorNumber eq '1200' &&",
        "VendorNumber eq '1200",
        "VendorNumber",
        "VendorOptionalFieldValues/any(x: x/Value eq '1')",
        "VendorOptionalFieldValues eq null",
        "tolower(VendorNumber) eq '1200'",
        "CreditLimit add 1 eq 5",
        "(" * 3000,
    ],
)
def test_everything_else_is_refused(api, expect_refusal, text):
    if len(text) > 2000:
        text = text[:1900]
    expect_refusal(api.get(f"AP/APVendors?$filter={text.replace('&', '%26')}"), 400, "InvalidParameters")


def test_an_installation_may_take_no_filter_by_a_field_and_know_no_or(world, api, expect_refusal):
    world.unfiltered, world.filter_or = {"VendorNumber"}, False
    expect_refusal(api.get("AP/APVendors?$filter=VendorNumber eq '1200'"), 400, "InvalidParameters", "VendorNumber")
    expect_refusal(api.get("AP/APVendors?$filter=City eq 'x' or City eq 'y'"), 400, "InvalidParameters", "'or'")
