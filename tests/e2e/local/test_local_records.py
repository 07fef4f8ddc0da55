"""Records that are wrong, each with an outcome of its own while everything else goes on."""

from decimal import Decimal

import pytest

from infra.sandbox.basware.seed_invoices import Coding


def beside_good(stage):
    """Run with a good invoice beside what the test has prepared; the good one must be posted."""
    good = stage.invoice("77.00", supplier="V10004")
    report = stage.ran()
    assert len(stage.posted(good)) == 1
    assert stage.document(good).status == "Transferred"
    return report


def refused(stage, report, key):
    """Check that an invoice was rejected, and Basware told once."""
    (line,) = [one for one in report["rejected"] if one["key"] == key]
    assert stage.posted(key) == []
    document = stage.document(key)
    assert document.status == "TransferFailed"
    (answer,) = document.answers["transferResponses"]
    assert answer["success"] is False
    return line["reason"], answer["responseMessage"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"codingRows": []}, "coding rows"),
        ({"invoiceDate": "2026-02-30T00:00:00"}, "2026-02-30"),
        ({"invoiceNumber": "RE-" + "7" * 117}, "invoiceNumber"),
        ({"grossSum": "a lot"}, "grossSum"),
        ({"invoiceNumber": "   "}, "invoiceNumber"),
    ],
)
def test_an_invoice_that_cannot_be_posted_as_it_is_is_refused_with_the_reason(small, changes, word):
    key = small.invoice("50.00", **changes)
    report = beside_good(small)
    reason, told = refused(small, report, key)
    assert word in reason
    assert word in told
    before = small.writes()
    small.ran()
    assert small.writes() == before


def test_rows_with_six_decimals_are_refused_and_never_rounded(small):
    key = small.invoice(
        rows=[Coding("400002", "CC102", Decimal("33.333333"), "V0")] * 3,
        netSum=Decimal("100.00"),
        grossSum=Decimal("100.00"),
    )
    reason, _ = refused(small, beside_good(small), key)
    assert "33.333333" in reason


def test_totals_that_differ_by_more_than_the_tolerance_are_a_conflict(small):
    key = small.invoice("50.00", netSum=Decimal("55.00"), grossSum=Decimal("55.00"))
    (line,) = beside_good(small)["held"]
    assert line["waiting_for"] == f"conflict:{key}"
    assert line["amount"] == "55.00"
    assert small.posted(key) == []
    assert small.document(key).status == "WaitingForTransfer"


def test_an_invoice_of_another_company_is_left_alone(small):
    key = small.invoice("50.00", companyCode="9999")
    report = beside_good(small)
    assert small.flows(report)["invoices"]["read"] == 1
    assert small.document(key).status == "WaitingForTransfer"


@pytest.mark.parametrize("second", ["60.00", "50.00"])
def test_an_invoice_number_that_comes_twice_is_posted_once_and_the_other_is_a_conflict(small, second):
    first = small.invoice("50.00", invoiceNumber="RE-TWICE")
    other = small.invoice(second, invoiceNumber="RE-TWICE")
    report = beside_good(small)
    assert len(small.posted(first)) == 1
    (line,) = report["held"]
    assert line["key"] in {first, other}
    assert line["waiting_for"] == f"conflict:{line['key']}"
    small.ran()
    assert len(small.posted(first)) == 1


def test_a_supplier_that_does_not_parse_is_rejected_alone(small):
    small.erp.tables["BusinessPartners"]["V10002"]["PayTermsGrpCode"] = "thirty"
    report = beside_good(small)
    row = small.flows(report)["vendors"]
    assert [row["delivered"], row["rejected"]] == [4, 1]
    (line,) = report["rejected"]
    assert line["key"] == "V10002"
    assert "PayTermsGrpCode" in line["reason"]
    before = small.writes()
    second = small.ran()
    assert small.writes() == before
    assert small.flows(second)["vendors"]["delivered"] == 0


def test_a_supplier_name_over_the_limit_is_cut_and_delivered(small):
    small.erp.tables["BusinessPartners"]["V10002"]["CardName"] = "Ä" * 300
    row = small.flows(beside_good(small))["vendors"]
    assert row["delivered"] == 5
    assert small.vendor("V10002")["name"] == "Ä" * 250


def test_a_supplier_code_over_the_limit_is_rejected_and_never_cut(small):
    template = small.erp.tables["BusinessPartners"]["V10001"]
    small.erp.put("BusinessPartners", template | {"CardCode": "V" + "9" * 29})
    report = beside_good(small)
    assert [line["key"] for line in report["rejected"]] == ["V" + "9" * 29]
    assert small.flows(report)["vendors"]["delivered"] == 5


def test_a_record_that_basware_refuses_later_is_rejected_with_its_words(small):
    from infra.sandbox.basware.model import ForcedVerdict

    small.ap.forced.append(ForcedVerdict("Vendor", "Error", "The IBAN is wrong", code=".*V10002.*"))
    small.ap.forced.append(ForcedVerdict("Account", "Error", "Not wanted"))
    report = beside_good(small)
    reasons = {line["flow"]: line["reason"] for line in report["rejected"]}
    assert "Not wanted" in reasons["accounts"]
    assert small.flows(report)["accounts"]["delivered"] == 9


@pytest.mark.parametrize(
    ("changes", "entity"),
    [
        ({"invoiceTypeCode": "ZX-UNHEARD-OF"}, "PurchaseInvoices"),
        ({"p2pProcessingMode": "Standard", "removalReason": "SomethingNew"}, "PurchaseInvoices"),
        ({"aFieldOfNextYear": {"deep": [1, 2]}}, "PurchaseInvoices"),
    ],
)
def test_unknown_values_and_fields_do_no_harm(small, changes, entity):
    key = small.invoice("50.00", **changes)
    beside_good(small)
    assert len(small.posted(key, entity)) == 1


def test_unknown_enum_values_of_sap_do_no_harm(small):
    small.erp.tables["BusinessPartners"]["V10002"] |= {"VatLiable": "vNewKind", "Valid": None, "Frozen": None}
    small.erp.tables["ChartOfAccounts"]["400003"]["AccountType"] = "at_Something"
    flows = small.flows(beside_good(small))
    assert [flows["vendors"]["delivered"], flows["accounts"]["delivered"]] == [5, 10]


def test_an_invoice_that_was_recalled_between_poll_and_write_is_not_posted(small):
    key = small.invoice("50.00", account="6999")
    small.ran()
    small.ops("mappings", "set", "acme", "account", "6999", "400005")
    small.change_invoice(key, processingStatus="InDocumentFilter")
    report = beside_good(small)
    assert small.posted(key) == []
    assert report["held"] == []
    assert small.flows(report)["invoices"]["unchanged"] == 1
    assert "transferResponses" not in small.document(key).answers


def test_an_invoice_that_was_corrected_after_its_refusal_and_offered_again_is_posted(small):
    key = small.invoice("50.00", invoiceDate="2026-02-30T00:00:00")
    refused(small, beside_good(small), key)
    small.change_invoice(key, invoiceDate="2026-02-28T00:00:00", processingStatus="WaitingForTransfer")
    report = small.ran()
    assert small.flows(report)["invoices"]["delivered"] == 1
    assert len(small.posted(key)) == 1
    document = small.document(key)
    assert document.status == "Transferred"
    assert [one["success"] for one in document.answers["transferResponses"]] == [False, True]


def test_an_invoice_offered_again_unchanged_after_its_refusal_is_refused_again(small):
    key = small.invoice("50.00", codingRows=[])
    refused(small, beside_good(small), key)
    small.change_invoice(key, processingStatus="WaitingForTransfer")
    small.ran()
    document = small.document(key)
    assert document.status == "TransferFailed"
    assert len(document.answers["transferResponses"]) == 2


def test_an_invoice_offered_again_after_its_delivery_is_answered_again_and_never_posted(small):
    key = small.invoice("50.00")
    small.ran()
    small.change_invoice(key, processingStatus="WaitingForTransfer")
    small.ran()
    assert len(small.posted(key)) == 1
    assert small.document(key).status == "Transferred"
    assert len(small.document(key).answers["transferResponses"]) == 2


def test_the_seeded_invoices_each_meet_the_fate_they_deserve(stage):
    stage.ap.verdict_delay = 0.05
    stage.write("sap_b1", rounding_account="400100")  # where the 0.03 of one invoice goes
    report = stage.ran()
    held = {line["key"]: line["waiting_for"] for line in report["held"] if line["flow"] == "invoices"}
    wrong = {}
    for key, fate in stage.fates.items():
        booked = len(stage.posted(key)) + len(stage.posted(key, "PurchaseCreditNotes"))
        status = stage.document(key).status
        match fate.fate:
            case "post":
                fine = status == "Transferred" and booked == 1
            case "reject":
                fine = status == "TransferFailed" and booked == 0
            case "conflict":
                fine = held.get(key) == f"conflict:{key}" and booked == 0
            case "not ours":
                fine = status == "WaitingForTransfer" and booked == 0 and key not in held
            case "post or conflict":
                fine = booked == 1 and (status == "Transferred") != (held.get(key) == f"conflict:{key}")
            case hold:
                fine = held.get(key) == hold.removeprefix("hold:") and status == "WaitingForTransfer" and booked == 0
        if not fine:
            wrong[fate.invoice_number] = (fate, status, booked, held.get(key))
    assert wrong == {}
