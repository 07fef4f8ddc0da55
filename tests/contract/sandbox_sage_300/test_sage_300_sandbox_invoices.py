"""A/P invoice batches: insert, order of properties, rules, changes (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.sage_300 import back_office

BATCHES = "AP/APInvoiceBatches"


def entry_of(batch):
    (one,) = batch["Invoices"]
    return one


def test_numbers_are_the_servers_and_come_back(api, invoice):
    body = {"BatchNumber": 109, "BatchDate": "2026-02-09", "Description": "from Basware"} | invoice()
    body["Invoices"][0] |= {"BatchNumber": 109, "EntryNumber": 7}
    body["Invoices"][0]["InvoiceDetails"][0] |= {"BatchNumber": 109, "EntryNumber": 7, "LineNumber": 5}
    made = api.made(BATCHES, body)
    assert (made["BatchNumber"], made["BatchStatus"], made["NumberOfEntries"]) == (101, "Open", 1)
    one = entry_of(made)
    assert (one["BatchNumber"], one["EntryNumber"], one["InvoiceDetails"][0]["LineNumber"]) == (101, 1, 20)
    stored = api.read(f"{BATCHES}(101)")
    assert {**stored, "@odata.context": ""} == {**made, "@odata.context": ""}
    assert api.made(BATCHES, invoice(DocumentNumber="INV-2"))["BatchNumber"] == 102


def test_defaults_follow_the_vendor(api, invoice):
    one = entry_of(api.made(BATCHES, invoice()))
    assert (one["Terms"], one["DueDate"][:10], one["CurrencyCode"]) == ("N30", "2026-03-03", "EUR")
    assert (one["TaxGroup"], one["TaxAuthority1"], one["TaxAmount1"]) == ("V2", "VAT19", Decimal("47.5"))
    assert (one["PostingDate"][:10], one["FiscalYear"], one["FiscalPeriod"]) == ("2026-02-01", "2026", "02")
    assert (one["DocumentTotalBeforeTaxes"], one["TotalTaxAmount"], one["AccountSet"]) == (
        250,
        Decimal("47.5"),
        "TRADE",
    )


def first(body, **fields):
    """Put fields in front of all others of the entry."""
    body["Invoices"][0] = fields | {k: v for k, v in body["Invoices"][0].items() if k not in fields}
    return body


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("Terms", "N60", "N30"),
        ("TaxGroup", "V1", "V2"),
        ("DueDate", "2026-12-24", "2026-03-03T00:00:00Z"),
        ("AccountSet", "", "TRADE"),
    ],
)
def test_a_field_put_before_the_vendor_is_lost(api, invoice, name, value, default):
    early = entry_of(api.made(BATCHES, first(invoice(), **{name: value})))
    late = entry_of(api.made(BATCHES, invoice(DocumentNumber="INV-2", **{name: value})))
    assert early[name] == default
    assert late[name][:10] == value


def test_a_due_date_put_before_terms_or_document_date_is_lost(api, invoice):
    body = invoice()
    body["Invoices"][0] |= {"DueDate": "2026-12-24", "Terms": "N60"}
    assert entry_of(api.made(BATCHES, body))["DueDate"][:10] == "2026-04-02"


def test_a_posting_date_put_before_the_document_date_is_lost(api, invoice):
    early = entry_of(api.made(BATCHES, first(invoice(), PostingDate="2026-02-08")))
    late = entry_of(api.made(BATCHES, invoice(DocumentNumber="INV-2", PostingDate="2026-02-08")))
    assert (early["PostingDate"][:10], late["PostingDate"][:10]) == ("2026-02-01", "2026-02-08")


def test_a_tax_amount_put_before_the_tax_group_is_lost(api, invoice):
    body = invoice()
    body["Invoices"][0] |= {"TaxAmount1": Decimal("47.51"), "TaxGroup": "V2"}
    assert entry_of(api.made(BATCHES, body))["TaxAmount1"] == Decimal("47.5")
    body = invoice(DocumentNumber="INV-2", TaxGroup="V2", TaxAmount1=Decimal("47.51"))
    assert entry_of(api.made(BATCHES, body))["TaxAmount1"] == Decimal("47.51")


def test_account_and_amount_put_before_the_distribution_code_are_lost(api, invoice):
    wrong = {"GLAccount": "400001CC101", "DistributedAmount": 80, "DistributionCode": "INV"}
    row = entry_of(api.made(BATCHES, invoice(wrong)))["InvoiceDetails"][0]
    assert (row["GLAccount"], row["DistributedAmount"], row["DistributionDescription"]) == (
        "1300",
        0,
        "Purchase of inventory",
    )
    right = {"DistributionCode": "INV", "GLAccount": "400001CC101", "DistributedAmount": 80}
    row = entry_of(api.made(BATCHES, invoice(right, DocumentNumber="INV-2")))["InvoiceDetails"][0]
    assert (row["GLAccount"], row["DistributedAmount"]) == ("400001CC101", 80)


def test_tax_of_several_classes_is_summed_by_class_and_rounded_once(api, invoice):
    body = invoice(TaxGroup="VAT", DocumentTotalIncludingTax=Decimal("3.46"))
    rows = [(1, "0.33"), (1, "0.33"), (1, "0.33"), (2, "1.01"), (3, "1.00")]
    body["Invoices"][0]["InvoiceDetails"] = [
        {"GLAccount": "400001CC101", "DistributedAmount": Decimal(amount), "TaxClass1": code} for code, amount in rows
    ]
    one = entry_of(api.made(BATCHES, body))
    assert one["TaxAmount1"] == Decimal("0.19") + Decimal("0.07")


def test_an_amount_is_kept_to_the_last_digit(api, invoice):
    amount = Decimal("12345678901.23")
    line = {"GLAccount": "400001CC101", "DistributedAmount": amount}
    body = invoice(line, TaxGroup="V0", DocumentTotalIncludingTax=amount)
    assert entry_of(api.made(BATCHES, body))["DocumentTotalIncludingTax"] == amount


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"VendorNumber": "V99999"}, "does not exist"),
        ({"VendorNumber": "V10039"}, "inactive"),
        ({"VendorNumber": ""}, "does not exist"),
        ({"DocumentNumber": ""}, "blank"),
        ({"Terms": "NOPE"}, "Terms code 'NOPE'"),
        ({"TaxGroup": "NOPE"}, "Tax group 'NOPE'"),
        ({"TaxClass1": 9}, "Tax class 9"),
        ({"TaxAmount2": 5}, "no tax authority 2"),
        ({"CurrencyCode": "USD"}, "not the currency"),
        ({"AccountSet": "NOPE"}, "Account set"),
        ({"ApplytoDocument": "NOPE"}, "to apply to"),
        ({"DocumentTotalIncludingTax": Decimal("-1")}, "negative"),
        ({"DocumentTotalIncludingTax": Decimal("1.001")}, "decimals"),
        ({"InvoiceOptionalFields": [{"OptionalField": "KEY", "Value": "1"}]}, "Optional field 'KEY'"),
        ({"line": {"DistributedAmount": 1}}, "distribution code or a G/L account"),
        ({"line": {"GLAccount": "400001-CC101", "DistributedAmount": 1}}, "does not exist"),
        ({"line": {"GLAccount": "400118CC100", "DistributedAmount": 1}}, "inactive"),
        ({"line": {"GLAccount": "4000", "DistributedAmount": 1}}, "prohibited"),
        ({"line": {"DistributionCode": "NOPE", "DistributedAmount": 1}}, "Distribution code"),
        ({"PostingDate": "2031-01-01"}, "Fiscal year 2031"),
    ],
)
def test_what_breaks_a_rule_is_invalid_and_leaves_nothing(api, invoice, expect_refusal, change, text):
    expect_refusal(api.call("POST", BATCHES, invoice(**change)), 400, "RecordInvalid", text)
    assert api.rows(BATCHES) == []


@pytest.mark.parametrize(
    "change",
    [
        {"Nonsense": 1},
        {"documentNumber": "x"},
        {"DocumentTotalBeforeTax": 1},
        {"DocumentNumber": "X" * 23},
        {"DocumentNumber": 5},
        {"DocumentType": "Rechnung"},
        {"DocumentDate": "2026-02-30"},
        {"DocumentDate": "01.02.2026"},
        {"DocumentTotalIncludingTax": "297.50"},
        {"DocumentTotalIncludingTax": None},
        {"DocumentTotalIncludingTax": Decimal(10) ** 15},
        {"InvoiceOptionalFields": {}},
        {"line": {"Account": "1300"}},
    ],
)
def test_what_the_model_does_not_have_is_an_invalid_payload(api, invoice, expect_refusal, change):
    expect_refusal(api.call("POST", BATCHES, invoice(**change)), 400, "InvalidPayload")


def test_a_body_that_is_not_json_is_an_invalid_payload(api, expect_refusal):
    for text in (b"", b"{", b"[]", b'{"BatchNumber":1,"BatchNumber":2}', b'{"BatchNumber":NaN}'):
        reply = api.http.request("POST", BATCHES, content=text, headers=api.headers)
        expect_refusal(reply, 400, "InvalidPayload")


def test_a_vendor_on_hold_can_be_invoiced(api, invoice):
    assert api.made(BATCHES, invoice(VendorNumber="V10032"))["BatchTotal"] == Decimal("297.5")


def test_the_currency_of_the_vendor_may_be_stated(api, invoice):
    one = entry_of(api.made(BATCHES, invoice(VendorNumber="V10017", CurrencyCode="USD")))
    assert (one["CurrencyCode"], one["ExchangeRate"]) == ("USD", Decimal("0.9215"))


def test_an_optional_field_that_is_defined_is_kept(world, api, invoice):
    world.optional_fields = {"KEY"}
    rows = [{"OptionalField": "KEY", "Value": "abc"}]
    one = entry_of(api.made(BATCHES, invoice(InvoiceOptionalFields=rows)))
    assert one["InvoiceOptionalFields"][0]["Value"] == "abc"


def test_a_document_number_comes_once_for_each_vendor(world, api, invoice, expect_refusal):
    api.made(BATCHES, invoice())
    expect_refusal(api.call("POST", BATCHES, invoice()), 409, "RecordDuplicate", "INV-1")
    expect_refusal(api.call("POST", BATCHES, invoice(DocumentType="CreditNote")), 409, "RecordDuplicate")
    api.made(BATCHES, invoice(VendorNumber="V10004"))
    both = invoice(DocumentNumber="TWICE")
    both["Invoices"] *= 2
    expect_refusal(api.call("POST", BATCHES, both), 409, "RecordDuplicate", "TWICE")
    world.duplicates = "posting"
    api.made(BATCHES, invoice())


def test_a_deleted_batch_frees_its_numbers(world, api, invoice):
    number = api.made(BATCHES, invoice())["BatchNumber"]
    api.changed(f"{BATCHES}({number})", {"BatchStatus": "Deleted"})
    number = api.made(BATCHES, invoice())["BatchNumber"]
    back_office.delete_batch(world, number)
    api.made(BATCHES, invoice())


def test_a_locked_period_refuses_at_insert_or_leaves_it_to_the_posting(world, api, invoice, expect_refusal):
    world.closed_periods = {"2026-02"}
    expect_refusal(api.call("POST", BATCHES, invoice()), 400, "RecordInvalid", "2026 - 02")
    api.made(BATCHES, invoice(PostingDate="2026-03-01"))
    world.locked_period = "posting"
    api.made(BATCHES, invoice(DocumentNumber="INV-2"))


def test_a_year_that_is_not_active_is_closed(world, api, invoice, expect_refusal):
    world.tables["CSFiscalCalendars"]["2026"]["Active"] = "No"
    expect_refusal(api.call("POST", BATCHES, invoice()), 400, "RecordInvalid", "Fiscal year 2026")


def test_ready_to_post_is_set_by_patch_or_with_the_insert(api, invoice):
    number = api.made(BATCHES, invoice())["BatchNumber"]
    api.changed(f"{BATCHES}({number})", {"BatchNumber": number, "BatchStatus": "ReadyToPost"})
    assert api.read(f"{BATCHES}({number})")["BatchStatus"] == "ReadyToPost"
    made = api.made(BATCHES, {"BatchStatus": "ReadyToPost"} | invoice(DocumentNumber="INV-2"))
    assert made["BatchStatus"] == "ReadyToPost"


def test_a_version_before_2021_refuses_ready_to_post(world, api, invoice, expect_refusal):
    world.ready_to_post = False
    number = api.made(BATCHES, invoice())["BatchNumber"]
    body = {"BatchNumber": number, "BatchStatus": "ReadyToPost"}
    expect_refusal(api.call("PATCH", f"{BATCHES}({number})", body), 400, "RecordInvalid")
    expect_refusal(api.call("POST", BATCHES, body | invoice(DocumentNumber="INV-2")), 400, "RecordInvalid")
    assert len(api.rows(BATCHES)) == 1


@pytest.mark.parametrize("status", ["Posted", "PostInProgress"])
def test_a_status_that_only_posting_gives_cannot_be_set(api, invoice, expect_refusal, status):
    number = api.made(BATCHES, invoice())["BatchNumber"]
    expect_refusal(api.call("PATCH", f"{BATCHES}({number})", {"BatchStatus": status}), 400, "RecordInvalid")


def test_a_batch_that_somebody_has_open_cannot_be_changed(world, api, invoice, expect_refusal):
    number = api.made(BATCHES, invoice())["BatchNumber"]
    world.locked_batches = {number}
    expect_refusal(api.call("PATCH", f"{BATCHES}({number})", {"BatchStatus": "ReadyToPost"}), 500, "General", "in use")


def test_a_ready_batch_is_opened_before_it_is_changed(api, ready, expect_refusal):
    number = ready()
    expect_refusal(api.call("PATCH", f"{BATCHES}({number})", {"Description": "x"}), 400, "RecordInvalid")
    api.changed(f"{BATCHES}({number})", {"BatchStatus": "Open", "Description": "x"})
    assert api.read(f"{BATCHES}({number})")["Description"] == "x"


def test_entries_are_changed_by_their_number(api, invoice):
    number = api.made(BATCHES, invoice())["BatchNumber"]
    path = f"{BATCHES}({number})"
    api.changed(path, {"Invoices": [{"EntryNumber": 1, "InvoiceDescription": "changed"}]})
    one = entry_of(api.read(path))
    assert (one["InvoiceDescription"], one["DocumentNumber"], one["TaxAmount1"]) == (
        "changed",
        "INV-1",
        Decimal("47.5"),
    )
    more = invoice(DocumentNumber="INV-2")["Invoices"][0] | {"UpdateOperation": "Insert"}
    api.changed(path, {"Invoices": [more]})
    assert api.read(path)["NumberOfEntries"] == 2
    api.changed(path, {"Invoices": [{"EntryNumber": 1, "UpdateOperation": "Delete"}]})
    assert entry_of(api.read(path))["DocumentNumber"] == "INV-2"


def test_a_patch_names_the_batch_of_the_address(api, invoice, expect_refusal):
    number = api.made(BATCHES, invoice())["BatchNumber"]
    expect_refusal(api.call("PATCH", f"{BATCHES}({number})", {"BatchNumber": 5}), 400, "InvalidPayload")
    expect_refusal(api.call("PATCH", f"{BATCHES}(5)", {"BatchStatus": "Open"}), 404, "RecordNotFound")


def test_batches_can_be_found_by_status_and_day_of_the_last_change(api, invoice, clock):
    api.made(BATCHES, invoice())
    clock.forward(days=1)
    api.made(BATCHES, {"BatchStatus": "ReadyToPost"} | invoice(DocumentNumber="INV-2"))
    ready_ = api.rows(f"{BATCHES}?$filter=BatchStatus eq 'ReadyToPost'")
    recent = api.rows(f"{BATCHES}?$filter=DateLastEdited ge 2026-02-11T00:00:00Z")
    assert [row["BatchNumber"] for row in ready_] == [row["BatchNumber"] for row in recent] == [102]
