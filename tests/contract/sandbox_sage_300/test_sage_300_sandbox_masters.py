"""Master data by the API: insert, PATCH, PUT, DELETE (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from infra.sandbox.sage_300 import back_office

SMALL = {"VendorNumber": "1401", "ShortName": "1401", "GroupCode": "INV", "OnHold": "NotOnHold", "VendorName": "N"}


def test_a_small_vendor_defaults_from_its_group(api):
    made = api.made("AP/APVendors", SMALL)
    assert (made["Terms"], made["AccountSet"], made["TaxGroup"], made["CurrencyCode"]) == ("N30", "TRADE", "V2", "EUR")
    assert (made["Status"], made["DateLastMaintained"][:10]) == ("Active", "2026-02-10")


def test_a_second_vendor_with_the_number_is_a_duplicate(api, expect_refusal):
    api.made("AP/APVendors", SMALL)
    expect_refusal(api.call("POST", "AP/APVendors", SMALL), 409, "RecordDuplicate")


def test_vendors_have_registration_codes_not_numbers(api, expect_refusal):
    wrong = SMALL | {"TaxRegistrationNumber1": "DE1"}
    expect_refusal(api.call("POST", "AP/APVendors", wrong), 400, "InvalidPayload", "TaxRegistrationNumber1")
    wrong = SMALL | {"TermsCode": "N30"}
    expect_refusal(api.call("POST", "AP/APVendors", wrong), 400, "InvalidPayload", "TermsCode")
    assert api.made("AP/APVendors", SMALL | {"TaxRegistrationCode1": "DE1"})["TaxRegistrationCode1"] == "DE1"


def test_codes_of_a_vendor_must_exist(api, expect_refusal):
    for change in ({"GroupCode": "NOPE"}, {"Terms": "NOPE"}, {"TaxGroup": "NOPE"}, {"VendorNumber": ""}):
        expect_refusal(api.call("POST", "AP/APVendors", SMALL | change), 400, "RecordInvalid")


def test_a_patch_changes_what_it_names_and_the_day(api, clock):
    before = api.read("AP/APVendors('1200')")
    clock.forward(days=2)
    api.changed("AP/APVendors('1200')", {"Terms": "N60"})
    after = api.read("AP/APVendors('1200')")
    assert (after["Terms"], after["DateLastMaintained"][:10]) == ("N60", "2026-02-12")
    assert {**before, "Terms": "", "DateLastMaintained": ""} == {**after, "Terms": "", "DateLastMaintained": ""}


def test_details_are_changed_one_by_one_by_patch_and_purged_by_put(api):
    rows = [{"OptionalField": "C01", "Value": "a"}, {"OptionalField": "C02", "Value": "b"}]
    api.made("AP/APVendors", SMALL | {"VendorOptionalFieldValues": rows})
    path = "AP/APVendors('1401')"
    changes = [
        {"OptionalField": "C01", "Value": "x"},
        {"OptionalField": "C02", "UpdateOperation": "Delete"},
        {"OptionalField": "C03", "Value": "c", "UpdateOperation": "Insert"},
    ]
    api.changed(path, {"VendorOptionalFieldValues": changes})
    found = {row["OptionalField"]: row["Value"] for row in api.read(path)["VendorOptionalFieldValues"]}
    assert found == {"C01": "x", "C03": "c"}
    api.changed(path, {"GroupCode": "INV", "VendorName": "New"}, "PUT")
    after = api.read(path)
    assert (after["VendorName"], after["VendorOptionalFieldValues"], after["ShortName"]) == ("New", [], "")


def test_a_detail_that_is_not_there_cannot_be_updated(api, expect_refusal):
    body = {"VendorOptionalFieldValues": [{"OptionalField": "C09", "Value": "x", "UpdateOperation": "Update"}]}
    expect_refusal(api.call("PATCH", "AP/APVendors('1200')", body), 400, "RecordInvalid", "C09")


def test_a_record_can_be_deleted_while_nothing_hangs_on_it(api, ready, expect_refusal):
    api.made("AP/APVendors", SMALL)
    assert api.call("DELETE", "AP/APVendors('1401')").status_code == 204
    expect_refusal(api.get("AP/APVendors('1401')"), 404, "RecordNotFound")
    api.posted(ready())
    expect_refusal(api.call("DELETE", "AP/APVendors('V10000')"), 400, "RecordInvalid", "documents")


def test_the_key_of_body_and_address_must_agree(api, expect_refusal):
    expect_refusal(api.call("PATCH", "AP/APVendors('1200')", {"VendorNumber": "1201"}), 400, "InvalidPayload")
    expect_refusal(api.call("PATCH", "AP/APVendors", {}), 400, "InvalidEntityKey")
    expect_refusal(api.call("POST", "AP/APVendors('1200')", SMALL), 400, "InvalidEntityKey")


def test_accounts_and_segment_codes_can_be_made(api):
    account = {"UnformattedAccount": "499000CC101", "AccountNumber": "499000-CC101", "Description": "New"}
    made = api.made("GL/GLAccounts", account)
    assert (made["DateCreated"][:10], made["Status"]) == ("2026-02-10", "Active")
    code = {"SegmentNumber": "000002", "SegmentCodeKey": "CC777", "Description": "New"}
    api.made("GL/GLSegmentCodes", code)
    assert api.read("GL/GLSegmentCodes('000002','CC777')")["Description"] == "New"


def test_payment_batches_need_their_selector(api, expect_refusal):
    path = "AP/APPaymentAndAdjustmentBatches"
    expect_refusal(api.call("POST", path, {"Description": "x"}), 400, "RecordInvalid", "BatchSelector")
    made = api.made(path, {"BatchSelector": "PY", "PaymentsAdjustments": [{"VendorNumber": "1200"}]})
    key = f"{path}(BatchSelector='PY', BatchNumber={made['BatchNumber']})"
    api.changed(key, {"BatchStatus": "ReadyToPost"})
    assert api.read(key)["BatchStatus"] == "ReadyToPost"
    expect_refusal(api.call("PATCH", key, {"PaymentsAdjustments": []}), 400, "RecordInvalid")


def test_the_calendar_tells_the_days_of_each_period(api):
    year = api.read("CS/CSFiscalCalendars('2026')")
    assert (year["NumberOfFiscalPeriods"], year["Active"]) == (12, "Yes")
    assert (year["FiscalPeriod2StartDate"][:10], year["FiscalPeriod2EndDate"][:10]) == ("2026-02-01", "2026-02-28")
    assert year["FiscalPeriod12EndDate"][:10] == "2026-12-31"


def test_a_record_can_vanish_without_a_trace(api, world, expect_refusal):
    back_office.remove(world, "APVendors", world.find("APVendors", "1200"))
    expect_refusal(api.get("AP/APVendors('1200')"), 404, "RecordNotFound")
    assert api.read("AP/APVendors?$count=true&$top=1")["@odata.count"] == 302
