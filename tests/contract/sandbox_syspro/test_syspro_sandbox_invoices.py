"""APSTIN: what an invoice must say, which numbers it may have, periods, warnings, parameters, answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.syspro import back_office
from tests.contract.sandbox_syspro.conftest import balance, counts, errors, line, parsed, posted, xml

NOTHING = {"ItemsProcessed": 0, "ItemsInvalid": 1, "ItemsRejectedWithWarnings": 0, "ItemsProcessedWithWarnings": 0}


def test_an_invoice_makes_a_liability_and_a_journal(api, world, entry):
    key = posted(api.invoice(entry()))
    assert key == {"Supplier": "V10000", "Invoice": "INV-1", "Journal": "1001", "TrnYear": "2026", "TrnMonth": "02"}
    row = world.find("ApInvoice", "V10000", "INV-1")
    assert (row["OrigInvValue"], row["MthInvBal1"], row["InvoiceStatus"]) == (Decimal(119), Decimal(119), "0")
    assert (row["Reference"], row["InvoiceDate"], row["JournalDate"]) == ("our-key", "2026-02-01", "2026-02-10")
    assert (row["Currency"], row["FirstTaxCode"], row["Branch"]) == ("EUR", "A", "10")
    lines = [(one["GlCode"], one["EntryValue"], one["Reference"]) for one in world.rows("GenJournalDetail")]
    assert lines == [
        ("400001-CC101", Decimal(100), "our-key"),
        ("1540", Decimal(19), "our-key"),
        ("2010", Decimal(-119), "our-key"),
    ]
    assert world.find("ApSupplier", "V10000")["CurrentBalance"] == 119
    assert world.find("GenMaster", "A", "400001-CC101")["PtdDrValue"] == 100


def test_the_answer_has_a_root_in_lower_case_and_the_counts_after_the_items(api, entry):
    text = api.invoice(entry())
    assert [node.tag for node in parsed(text)] == ["Item", "StatusOfItems"]
    assert parsed(text).tag == "postapinvoice"
    assert "<ItemNumber>00001</ItemNumber>" in text and "<ItemsProcessed>00001</ItemsProcessed>" in text


def test_counts_may_have_six_digits_or_be_absent(api, world, entry):
    world.digits, world.status_of_items = 6, "refused"
    assert counts(api.invoice(entry())) is None
    assert "<ItemsInvalid>000001</ItemsInvalid>" in api.invoice(entry())
    world.status_of_items = "never"
    text = api.invoice(entry())
    assert counts(text) is None and errors(text)


def test_the_journal_may_be_missing_in_the_answer(api, world, entry):
    world.journal_in_answer = False
    assert posted(api.invoice(entry())) == {"Supplier": "V10000", "Invoice": "INV-1"}


def test_a_number_that_exists_is_refused_below_the_field_in_lower_case(api, world, entry):
    api.invoice(entry())
    text = api.invoice(entry())
    (item,) = parsed(text).findall("Item")
    assert item.findtext("invoice/Value") == "INV-1"
    assert item.findtext("invoice/ErrorDescription") == "Invoice 'INV-1' already exists for supplier 'V10000'"
    assert counts(text) == NOTHING and len(world.rows("ApInvoice")) == 1
    world.error_case = "own"
    assert parsed(api.invoice(entry())).find("Item/Invoice/ErrorDescription") is not None


def test_numbers_differ_by_case_unless_the_collation_says_otherwise(api, world, entry):
    api.invoice(entry())
    posted(api.invoice(entry(Invoice="inv-1")))
    world.binary_collation = False
    assert "already exists" in errors(api.invoice(entry(Invoice="Inv-1")))[0]


def test_two_items_of_one_document_cannot_share_a_number(api, world, entry):
    text = api.invoice(entry(), entry(), ApplyIfEntireDocumentValid="N")
    assert (counts(text)["ItemsProcessed"], counts(text)["ItemsInvalid"]) == (1, 1)
    assert len(world.rows("ApInvoice")) == 1


@pytest.mark.parametrize(
    ("fields", "path", "number", "text"),
    [
        ({"Supplier": ""}, "supplier", "100030", "XML element '{Item}{Supplier}' cannot be spaces"),
        ({"Supplier": "S9"}, "supplier", None, "Supplier 'S9' not found"),
        ({"Supplier": "1200"}, "supplier", None, "Supplier '1200' not found"),
        ({"Supplier": "00001"}, "supplier", None, "Supplier '00001' not found"),
        ({"Supplier": "v10000"}, "supplier", None, "Supplier 'v10000' not found"),
        ({"TransactionCode": None}, "transactioncode", None, "'' is not one of I, A, C, D, P"),
        ({"Invoice": None}, "invoice", "100030", "XML element '{Item}{Invoice}' cannot be spaces"),
        ({"Invoice": "R" * 21}, "invoice", None, f"Invoice '{'R' * 21}' is longer than 20 characters"),
        ({"TransactionValue": None}, "transactionvalue", "100030",
         "XML element '{Item}{TransactionValue}' cannot be spaces"),
        ({"TransactionValue": "1,190.00"}, "transactionvalue", None, "is not a number"),
        ({"TransactionValue": "119.001"}, "transactionvalue", None, "at most 2 decimals"),
        ({"TransactionValue": "-119.00"}, "transactionvalue", None, "cannot be negative"),
        ({"InvoiceDate": "01.02.2026"}, "invoicedate", "100028", "not in the format CCYY-MM-DD"),
        ({"DueDate": "2026-02-30"}, "duedate", "100028", "not in the format CCYY-MM-DD"),
        ({"Branch": "77"}, "branch", None, "Branch '77' not found"),
        ({"TaxCode": "V2"}, "taxcode", None, "Tax code 'V2' not found"),
        ({"TaxCode": "Q"}, "taxcode", None, "Tax code 'Q' not found"),
        ({"TransactionCode": "P"}, "invoice", None, "Registered invoice 'INV-1' not found"),
        ({"LedgerDistribution": [line("100.00", "999999")]}, "LedgerDistribution/ledgercode", None,
         "Ledger code '999999' not found"),
        ({"LedgerDistribution": [line("100.00", "700000-CC900")]}, "LedgerDistribution/ledgercode", None, "not found"),
        ({"LedgerDistribution": [line("100.00", "RETAINED")]}, "LedgerDistribution/ledgercode", None, "not found"),
        ({"LedgerDistribution": [line("100.00", "")]}, "LedgerDistribution/ledgercode", "100030",
         "XML element '{LedgerDistribution}{LedgerCode}' cannot be spaces"),
        ({"LedgerDistribution": None}, "LedgerDistribution/ledgercode", "100030", "cannot be spaces"),
        ({"LedgerDistribution": [line("99.00")]}, "LedgerDistribution/ledgervalue", None,
         "Distribution of 118.00 does not equal the transaction value of 119.00"),
        ({"LedgerDistribution": [line("100.00", "1900")]}, "LedgerDistribution/ledgercode", None, "Password"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_below_its_field(api, world, entry, fields, path, number, text):
    reply = api.invoice(entry(**fields))
    found = parsed(reply).find(f"Item/{path}")
    assert found is not None, reply
    assert text in (found.findtext("ErrorDescription") or "")
    assert number in (None, found.findtext("ErrorNumber"))
    assert counts(reply) == NOTHING and not world.rows("ApInvoice") and not world.rows("GenJournalDetail")


def test_keys_are_sent_as_they_are_kept(api, entry):
    for supplier in ("0000001200", " 00001", "O'BRIEN", "A/B 7"):
        assert posted(api.invoice(entry(Supplier=supplier)))["Supplier"] == supplier.strip()


def test_misspelt_elements_are_ignored_in_silence(api, world, entry):
    posted(api.invoice(entry(TransactionReference=None, Transactionreference="our-key", PostDate="2025-01-01")))
    assert world.find("ApInvoice", "V10000", "INV-1")["Reference"] == ""
    empty = api.post("APSTIN", xml("PostApInvoice", {"Items": entry(Invoice="INV-2")}))
    assert not errors(empty) and counts(empty)["ItemsProcessed"] == 0 and len(world.rows("ApInvoice")) == 1


@pytest.mark.parametrize("document", ["<PostApInvoice><Item>", "<PostApRegisterInvoice/>", "", "no xml"])
def test_what_is_no_document_is_an_error(api, document):
    assert api.post("APSTIN", document).startswith("ERROR: XmlIn")


@pytest.mark.parametrize(
    "options",
    [
        {"LedgerDistributionCurrency": "X"},
        {"IgnoreWarnings": "yes"},
        {"PermissibleTaxVariance": "a bit"},
        {"ValidateOnly": "T"},
    ],
)
def test_a_parameter_with_a_value_that_it_cannot_have_is_an_error(api, world, entry, options):
    assert api.invoice(entry(), **options).startswith("ERROR: Parameter")
    assert not world.rows("ApInvoice")


def test_parameters_of_another_root_are_an_error(api, entry):
    document = xml("PostApInvoice", {"Item": entry()})
    assert api.post("APSTIN", document, "<Parameters/>").startswith("ERROR: XmlParameters")


def test_a_blank_date_is_the_systems_and_a_blank_due_date_the_terms(api, world, entry):
    api.invoice(entry(InvoiceDate=None))
    row = world.find("ApInvoice", "V10000", "INV-1")
    assert (row["InvoiceDate"], row["DueDate"]) == ("2026-02-10", "2026-03-12")  # terms 30
    api.invoice(entry(Invoice="INV-2", DueDate="2026-02-20"))
    assert world.find("ApInvoice", "V10000", "INV-2")["DueDate"] == "2026-02-20"


def test_a_reference_is_cut(api, world, entry):
    api.invoice(entry(TransactionReference="k" * 36))
    assert world.find("ApInvoice", "V10000", "INV-1")["Reference"] == "k" * 30


# ── periods ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("letter", "month"), [("C", 2), ("P", 1), ("B", 12), ("", 2)])
def test_a_period_is_the_current_one_or_one_of_the_two_before(api, world, entry, letter, month):
    posted(api.invoice(entry(InvoiceDate="2025-06-01"), PostingPeriod=letter))
    row = world.find("ApInvoice", "V10000", "INV-1")
    assert (row["InvoiceMonth"], row["InvoiceYear"]) == (month, 2025 if month == 12 else 2026)
    assert {(one["GlYear"], one["GlPeriod"]) for one in world.rows("GenJournalDetail")} == {(row["InvoiceYear"], month)}


@pytest.mark.parametrize("period", ["202602", "2", "2026-02-01", "N"])
def test_a_period_is_no_date(api, world, entry, period):
    assert errors(api.invoice(entry(), PostingPeriod=period)) == ["Posting period must be C, P or B"]
    assert not world.rows("ApInvoice")


def test_nothing_is_posted_into_a_closed_period(api, world, entry):
    back_office.close_period(world, "2026-01")
    assert errors(api.invoice(entry(), PostingPeriod="P")) == ["Posting period 2026-01 is not open for posting"]
    posted(api.invoice(entry()))
    back_office.reopen_period(world, "2026-01")
    posted(api.invoice(entry(Invoice="INV-2"), PostingPeriod="P"))


def test_a_month_end_moves_the_letters(api, world, entry):
    assert back_office.month_end(world) == "2026-03"
    posted(api.invoice(entry(), PostingPeriod="P"))
    assert world.find("ApInvoice", "V10000", "INV-1")["InvoiceMonth"] == 2


# ── warnings, dry runs, whole documents ─────────────────────────────────────────────────────────────────────────


def test_a_warning_rejects_unless_it_is_ignored(api, world, entry):
    held = entry(Supplier="V10007", LedgerDistribution=[line("100.00")])
    world.find("ApSupplier", "V10007")["Currency"] = "EUR"
    text = api.invoice(held)
    assert parsed(text).findtext("Item/WarningMessages/WarningDescription") == "Supplier 'V10007' is on hold"
    assert errors(text) == [] and counts(text)["ItemsRejectedWithWarnings"] == 1
    assert counts(text)["ItemsProcessed"] == counts(text)["ItemsInvalid"] == 0
    assert not world.rows("ApInvoice")
    told = api.invoice(held, IgnoreWarnings="W")
    assert counts(told)["ItemsProcessedWithWarnings"] == 1 and parsed(told).find("Item/WarningMessages") is not None
    quiet = api.invoice(held | {"Invoice": "INV-2"}, IgnoreWarnings="Y")
    assert parsed(quiet).find("Item/WarningMessages") is None and len(world.rows("ApInvoice")) == 2


def test_a_dry_run_is_answered_like_a_success_and_books_nothing(api, world, entry):
    text = api.invoice(entry(), ValidateOnly="Y")
    assert counts(text)["ItemsProcessed"] == 1 and posted(text) == {}
    assert not world.rows("ApInvoice") and not world.rows("GenJournalDetail")
    assert errors(api.invoice(entry(Supplier="S9"), ValidateOnly="Y")) == ["Supplier 'S9' not found"]


def test_one_wrong_item_keeps_the_others_out_unless_the_document_says_otherwise(api, world, entry):
    items = [entry(), entry(Invoice="INV-2", Supplier="S9")]
    text = api.invoice(*items)
    assert counts(text) == NOTHING and posted_numbers(text) == [] and not world.rows("ApInvoice")
    text = api.invoice(*items, ApplyIfEntireDocumentValid="N")
    assert counts(text) == NOTHING | {"ItemsProcessed": 1} and posted_numbers(text) == ["INV-1"]


def posted_numbers(text: str) -> list[str]:
    return [node.text or "" for node in parsed(text).findall("Item/Key/Invoice")]


# ── credits, debits, adjustments ────────────────────────────────────────────────────────────────────────────────


def test_a_credit_needs_an_invoice_or_re_establishes_one(api, world, entry):
    credit = entry(TransactionCode="C", Invoice="CN-1", TransactionReference="credit-key")
    assert errors(api.invoice(credit)) == ["Invoice 'CN-1' not found for supplier 'V10000'"]
    posted(api.invoice(credit | {"ReestablishInvoice": "Y"}))
    row = world.find("ApInvoice", "V10000", "CN-1")
    assert (row["OrigInvValue"], row["Reference"]) == (Decimal(-119), "credit-key")
    assert balance(world) == 0 and world.rows("GenJournalDetail")[0]["EntryValue"] == -100


def test_a_credit_on_an_invoice_takes_from_it_and_nothing_guards_a_second_one(api, world, entry):
    api.invoice(entry())
    part = {"TransactionValue": "11.90", "TaxValue": "1.90", "LedgerDistribution": [line("10.00")]}
    for left in ("107.10", "95.20"):
        posted(api.invoice(entry(TransactionCode="C", TransactionReference="c" * 36, **part)))
        row = world.find("ApInvoice", "V10000", "INV-1")
        assert (row["MthInvBal1"], row["OrigInvValue"], row["InvoiceStatus"]) == (Decimal(left), Decimal(119), "1")
    pays = [(one["TrnType"], one["TrnValue"], one["PaymentReference"]) for one in world.rows("ApInvoicePay")]
    assert pays == [("C", Decimal("-11.90"), "c" * 30)] * 2
    assert balance(world) == 0


def test_a_debit_adds_and_an_adjustment_has_a_sign(api, world, entry):
    api.invoice(entry())
    posted(api.invoice(entry(TransactionCode="D")))
    minus = {"TransactionValue": "-19.00", "TaxValue": "0", "LedgerDistribution": [line("-19.00")]}
    posted(api.invoice(entry(TransactionCode="A", **minus)))
    assert world.find("ApInvoice", "V10000", "INV-1")["MthInvBal1"] == 219


def test_protected_and_analysed_accounts(api, world, entry):
    posted(api.invoice(entry(line("100.00", "1900", PasswordForLedgerCode="opensesame"))))
    plain = line("100.00", "6950")
    entries = {
        "AnalysisLineEntry": [
            {"AnalysisCode1": "P1", "EntryAmount": "60.00"},
            {"AnalysisCode1": "P2", "EntryAmount": "40.00"},
        ]
    }
    for lines, options in ((plain, {}), (plain, {"IgnoreAnalysis": "N"}), (plain | entries, {})):
        assert "requires analysis" in errors(api.invoice(entry(lines, Invoice="INV-2"), **options))[0]
    short = {"AnalysisLineEntry": entries["AnalysisLineEntry"][:1]}
    assert errors(api.invoice(entry(plain | short, Invoice="INV-2"), IgnoreAnalysis="N"))
    posted(api.invoice(entry(plain | entries, Invoice="INV-2"), IgnoreAnalysis="N"))
