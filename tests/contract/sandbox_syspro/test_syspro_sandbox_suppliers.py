"""APSSSP."""

from __future__ import annotations

import pytest

from tests.contract.sandbox_syspro.conftest import counts, errors, parsed

READ = {"RecordsRead": 1, "RecordsInvalid": 0}


def test_only_what_is_sent_changes(api, world):
    before = dict(world.find("ApSupplier", "V10001"))
    text = api.supplier("V10001", {"TermsCode": "60", "TaxRegnNum": "GB123"})
    assert counts(text) == READ and parsed(text).tag == "setupapsupplier"
    assert "<RecordsRead>1</RecordsRead>" in text
    after = world.find("ApSupplier", "V10001")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"TermsCode", "TaxRegnNum", "TimeStamp"}


def test_an_empty_element_empties_the_field(api, world):
    api.supplier("V10001", {"TaxRegnNum": ""})
    assert world.find("ApSupplier", "V10001")["TaxRegnNum"] == ""


def test_an_installation_may_empty_what_is_not_sent(api, world):
    world.blanks_omitted = True
    api.supplier("V10001", {"TermsCode": "60"})
    after = world.find("ApSupplier", "V10001")
    assert (after["TermsCode"], after["BankAccount"], after["TaxRegnNum"]) == ("60", "", "")
    assert after["SupplierName"] and after["Currency"] == "EUR"


def test_the_address_lies_in_a_table_of_its_own(api, world):
    api.supplier("V10001", {"SupAddr1": "2 High Street", "Nonsense": "x"})
    assert world.find("ApSupplierAddr", "V10001")["SupAddr1"] == "2 High Street"


@pytest.mark.parametrize(
    ("code", "fields", "field", "text"),
    [
        ("S9", {"TermsCode": "60"}, "supplier", "Supplier 'S9' not found"),
        ("v10001", {"TermsCode": "60"}, "supplier", "not found"),
        ("", {"TermsCode": "60"}, "Key/supplier", "cannot be spaces"),
        ("V10001", {"TermsCode": "99"}, "termscode", "Terms code '99' not found"),
        ("V10001", {"TermsCode": ""}, "termscode", "not found"),
        ("V10001", {"TaxRegnNum": "G" * 21}, "taxregnnum", "longer than 20"),
        ("V10001", {"Currency": "JPY"}, "currency", "Currency 'JPY' not found"),
        ("V10001", {"OnHold": "J"}, "onhold", "neither Y nor N"),
        ("V10001", {"SupplierName": ""}, "suppliername", "cannot be spaces"),
        ("V10001", {"MerchGlCode": "nowhere"}, "merchglcode", "not found"),
    ],
)
def test_what_is_wrong_stands_below_a_field_in_lower_case(api, world, code, fields, field, text):
    before = {key: dict(row) for key, row in world.tables["ApSupplier"].items()}
    reply = api.supplier(code, {"Telephone": "1", **fields})
    assert text in (parsed(reply).findtext(f"item/{field}/ErrorDescription") or ""), reply
    assert counts(reply) == {"RecordsRead": 1, "RecordsInvalid": 1}
    assert world.tables["ApSupplier"] == before


def test_warnings_are_ignored_unless_one_asks(api, world):
    world.supplier_warnings["V10001"] = "Supplier has open invoices"
    assert errors(api.supplier("V10001", {"TermsCode": "60"})) == []
    assert world.find("ApSupplier", "V10001")["TermsCode"] == "60"
    text = api.supplier("V10001", {"TermsCode": "14"}, IgnoreWarnings="N")
    assert parsed(text).findtext("item/warningmessages/WarningDescription") == "Supplier has open invoices"
    assert counts(text)["RecordsInvalid"] == 1 and world.find("ApSupplier", "V10001")["TermsCode"] == "60"


def test_a_dry_run_changes_nothing(api, world):
    assert counts(api.supplier("V10001", {"TermsCode": "60"}, ValidateOnly="Y")) == READ
    assert world.find("ApSupplier", "V10001")["TermsCode"] == "14"


def test_suppliers_are_added_and_deleted(api, world):
    assert errors(api.supplier("NEW1", {"SupplierName": "New", "TermsCode": "30"}, "Add")) == []
    assert world.find("ApSupplier", "NEW1")["DateSuppAdded"] == "2026-02-10"
    assert "already exists" in errors(api.supplier("NEW1", {"SupplierName": "New"}, "Add"))[0]
    assert errors(api.supplier("NEW1", {}, "Delete")) == []
    assert world.get("ApSupplier", "NEW1") is None
    ordered = world.rows("PorMasterHdr")[0]["Supplier"]
    assert "has invoices or orders" in errors(api.supplier(ordered, {}, "Delete"))[0]


def test_a_supplier_is_kept_in_windows_1252(api, world):
    api.supplier("V10001", {"SupplierName": "Łódź €"})
    assert world.find("ApSupplier", "V10001")["SupplierName"] == "?ód? €"
