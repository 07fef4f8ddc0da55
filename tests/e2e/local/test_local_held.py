"""What waits for a person: named with its money, left where it is, and posted as soon as the cause is gone."""

from decimal import Decimal


def test_an_unmapped_account_is_held_and_the_mapping_releases_it_and_nothing_else(small):
    good = small.invoice("12.00")
    bad = small.invoice("20.00", "15.50", account="6999")
    report = small.ran()
    (line,) = report["held"]
    assert line | {"reason": ""} == line | {
        "tenant": "acme",
        "integration": "sap_b1-basware",
        "flow": "invoices",
        "key": bad,
        "waiting_for": "account:6999",
        "amount": "35.50",
        "currency": "EUR",
        "reason": "",
    }
    assert "ml-connector mappings set acme account 6999" in line["reason"]
    assert small.document(bad).status == "WaitingForTransfer"
    assert small.posted(bad) == []
    assert small.document(good).status == "Transferred"
    before = small.writes()
    report = small.ran()
    assert [one["waiting_for"] for one in report["held"]] == ["account:6999"]
    assert small.writes() == before

    small.ops("mappings", "set", "acme", "account", "6999", "400005")
    assert small.writes() == before
    report = small.ran()
    assert report["held"] == []
    (posted,) = small.posted(bad)
    assert {row["AccountCode"] for row in posted["DocumentLines"]} == {"400005"}
    assert posted["DocTotal"] == Decimal("35.50")
    assert small.document(bad).status == "Transferred"
    new = {name: n - before.get(name, 0) for name, n in small.writes().items() if n != before.get(name, 0)}
    assert new == {
        "POST PurchaseInvoices": 1,
        "POST /v1/accountingDocuments/<invoice_id>/acknowledge": 1,
        "POST /v1/accountingDocuments/<invoice_id>/transferResponses": 1,
    }
    assert small.document(bad).answers["transferResponses"][-1]["voucherNumber1"] == str(posted["DocNum"])
    assert small.document(bad).answers["transferResponses"][-1]["voucherNumber2"] == str(posted["DocEntry"])


def test_an_unknown_supplier_and_cost_centre_are_held_by_name(small):
    small.invoice("1.00", supplier="V99999")
    small.invoice("2.00", center="CC999")
    report = small.ran()
    assert {line["waiting_for"]: line["amount"] for line in report["held"]} == {
        "supplier:V99999": "1.00",
        "cost_center:CC999": "2.00",
    }


def test_a_supplier_that_is_made_later_releases_its_invoice(small):
    key = small.invoice("5.00", supplier="V10009")
    assert [line["waiting_for"] for line in small.ran()["held"]] == ["supplier:V10009"]
    template = small.erp.tables["BusinessPartners"]["V10001"]
    small.erp.upsert("BusinessPartners", template | {"CardCode": "V10009", "CardName": "Late GmbH"})
    report = small.ran()
    assert report["held"] == []
    assert len(small.posted(key)) == 1


def test_a_closed_period_holds_and_the_opened_one_releases(small):
    key = small.invoice("5.00", voucherDate="2026-01-15T00:00:00")
    small.erp.closed_periods = {"2026-01"}
    (line,) = small.ran()["held"]
    assert line["waiting_for"] == "period:2026-01"
    small.erp.closed_periods = set()
    small.ran()
    assert len(small.posted(key)) == 1
    assert small.posted(key)[0]["DocDate"] == "2026-01-15"


def test_a_closed_period_moves_to_the_next_open_one_where_that_is_configured(small):
    small.write("settings", closed_period="next_open")
    key = small.invoice("5.00", voucherDate="2026-01-15T00:00:00")
    small.erp.closed_periods = {"2026-01"}
    assert small.ran()["held"] == []
    assert small.posted(key)[0]["DocDate"] == "2026-02-01"


def test_an_invoice_that_awaits_approval_in_sap_is_held_and_not_sent_again(small):
    key = small.invoice("5.00")
    small.erp.approval_for = {"V10001"}
    (line,) = small.ran()["held"]
    assert line["waiting_for"] == f"approval:{key}"
    small.ran()
    assert small.erp.calls["POST PurchaseInvoices"] == 1
    (draft,) = small.erp.rows("Drafts")
    from infra.sandbox.sap_b1 import back_office

    back_office.approve(small.erp, draft["DocEntry"])
    report = small.ran()
    assert report["held"] == []
    assert len(small.posted(key)) == 1
    assert small.document(key).status == "Transferred"
