"""Records in Basware's words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.context import TenantSettings
from ml_connector.engine.ledger.codes import Asked
from ml_connector.errors import Held, Rejected
from ml_connector.records import Account, Address, BankAccount, CostCenter, OrderLine, PurchaseOrder, Receipt, Supplier
from ml_connector.systems.basware.payloads import names


def vendor(bench: Any, touch: str | None = None, **more: Any) -> Any:
    record = Supplier(key="V1", code="V1", name="Acme", **more)
    return bench.connection.target(Supplier).render(record, bench.codes, touch).entities["vendors"][0]


def order(bench: Any, line: dict[str, Any] | None = None, **more: Any) -> Any:
    given: dict[str, Any] = {"key": "0", "number": "1", "quantity": Decimal(2), "net": Decimal("0.60"), **(line or {})}
    record = PurchaseOrder(key="7", number="PO7", supplier="V1", currency="EUR", lines=(OrderLine(**given),), **more)
    made = bench.connection.target(PurchaseOrder).render(record, bench.codes).entities
    return made["orders"][0], made["lines"][0]


def test_a_supplier_says_only_what_is_known(bench: Any) -> None:
    made = vendor(bench)
    code = made.pop("externalCode")
    assert len(code) <= 36 and code.startswith("V1-")
    assert made == {
        "vendorCode": "V1",
        "name": "Acme",
        "sourceSystem": "ERP1",
        "companies": [{"companyCode": "1000"}],
        "processingStatus": {"active": True},
    }


def test_a_supplier_says_what_it_has(bench: Any) -> None:
    long = "Rue de la Longueur Extraordinaire " * 3
    made = vendor(
        bench,
        active=False,
        vat_number="DE1",
        tax_id="DE1",
        payment_term="N30",
        payment_term_name="30 days",
        email="a@b.c",
        addresses=(Address(key="a", street=long, country="Germany", kind="remittance"),),
    )
    assert made["processingStatus"] == {"active": False}
    assert made["identifiers"] == [{"id": "DE1", "schemeId": "VAT"}]
    assert made["paymentTerms"] == {"paymentTermCode": "N30!", "description": "30 days"}
    assert made["contacts"] == [{"name": "Acme", "role": "PrimaryContact", "email": "a@b.c"}]
    (address,) = made["addresses"]
    assert len(address["streetName"]) <= 50 and address["addressLine1"] == long.strip()
    assert "countryId" not in address and address["addressType"] == "RemittanceAddress"


def test_bank_details_leave_only_where_the_tenant_said_so(bench: Any) -> None:
    bank = (BankAccount(iban="DE89", bic="NDEA", bank_name="Nordea"), BankAccount(bank_name="none"))
    assert "paymentMeans" not in vendor(bench, bank_accounts=bank, currency="EUR")
    bench.connection.context = replace(bench.context, options=TenantSettings(send_bank_details=True))
    (means,) = vendor(bench, bank_accounts=bank, currency="EUR")["paymentMeans"]
    assert means["currencyCode"] == "EUR"
    assert means["financialAccounts"] == [
        {
            "financialInstitution": {"name": "Nordea", "id": "NDEA", "schemeId": "BIC"},
            "financialAccountIdentifiers": [{"schemeId": "IBAN", "id": "DE89"}],
        }
    ]


def test_the_currency_of_bank_details_crosses_by_its_mapping_and_holds_nobody_without_any(bench: Any) -> None:
    bench.connection.context = replace(bench.context, options=TenantSettings(send_bank_details=True))
    bench.codes.missing = ("currency",)
    assert "paymentMeans" not in vendor(bench, currency="$")
    with pytest.raises(Held) as held:
        vendor(bench, bank_accounts=(BankAccount(iban="DE89"),), currency="$")
    assert held.value.waiting_for == "currency:$"


def test_a_code_is_never_cut(bench: Any) -> None:
    target = bench.connection.target(Supplier)
    with pytest.raises(Rejected, match=r"VendorEntity\.vendorCode.*25"):
        target.render(Supplier(key="k", code="V" * 26, name="n"), bench.codes)
    made = target.render(Supplier(key="k", code="V", name="n" * 300), bench.codes)
    assert len(made.entities["vendors"][0]["name"]) == 250


def test_a_nameless_supplier_is_rejected_and_a_short_account_name_helped(bench: Any) -> None:
    with pytest.raises(Rejected, match="no name"):
        bench.connection.target(Supplier).render(Supplier(key="k", code="V", name=" "), bench.codes)
    assert names("X", "4000", "en-US") == [{"language": "en-US", "translation": "4000 X"}]
    assert [n["language"] for n in names("Papier", "4000", "de-DE")] == ["en-US", "de-DE"]
    assert all(len(n["translation"]) >= 2 for n in names("", "A", "en-US"))


def test_accounts_and_cost_centres_carry_their_flags(bench: Any) -> None:
    account = bench.connection.target(Account).render(
        Account(key="_SYS1", code="4000", name="Paper", active=False), bench.codes, "2026-03-02"
    )
    (entity,) = account.entities["accounts"]
    assert account.target_id == "4000" and entity["text5"] == "replayed 2026-03-02"
    assert entity["companies"] == [{"companyCode": "1000", "inherit": True, "active": False}]
    center = bench.connection.target(CostCenter).render(CostCenter(key="c", code="C1", name="Sales"), bench.codes)
    assert center.entities["costCenters"][0]["companies"] == [{"companyCode": "1000", "active": True}]


def test_with_several_companies_the_erps_own_must_be_mapped(make: Any, server: Any) -> None:
    bench = make(server, companies=["1000", "2000"])
    assert vendor(bench)["companies"] == [{"companyCode": "!"}], "the empty code asks for the ERP's own company"
    bench.codes.missing = ("company",)
    with pytest.raises(Held):
        vendor(bench)


def test_an_order_says_header_line_coding_and_receipts(bench: Any) -> None:
    receipts = (
        Receipt(key="r1", number="GR1", quantity=Decimal(2), net=Decimal("0.60")),
        Receipt(key="r2", number="GR2", quantity=Decimal(-1), reverses="r1"),
    )
    header, line = order(
        bench,
        {"account": "A", "cost_center": "C", "tax_code": "V2", "unit_price": Decimal("0.30"), "receipts": receipts},
    )
    assert header["organizationElementCode"] == header["companyCode"] == "1000"
    assert header["supplierCode"] == "V1!" and header["isClosed"] is False
    assert line["orderExternalCode"] == header["externalCode"]
    assert line["isDeleted"] is False and line["isClosed"] is False
    assert (line["matchingMode"], line["isReceiptRequired"], line["isReceiptBasedMatching"]) == ("Standard", True, True)
    (coding,) = line["orderLineCoding"]
    assert (coding["accountCode"], coding["costCenterCode"], str(coding["netTotal"])) == ("A!", "C!", "0.60")
    first, back = line["goodsReceipts"]
    assert back["referenceGRExternalCode"] == first["externalCode"] and back["quantity"] == -1
    assert "referenceGRExternalCode" not in first


def test_a_cancelled_order_is_closed_and_its_lines_deleted(bench: Any) -> None:
    header, line = order(bench, status="cancelled")
    assert header["isClosed"] and line["isClosed"] and line["isDeleted"]
    header, line = order(bench, status="closed")
    assert header["isClosed"] and line["isClosed"] and not line["isDeleted"]
    header, line = order(bench, {"closed": True})
    assert not header["isClosed"] and line["isClosed"]


def test_a_service_line_is_matched_by_its_sum(bench: Any) -> None:
    _, line = order(bench, {"service": True, "quantity": Decimal(0)})
    assert (line["matchingMode"], line["quantity"], line["isReceiptRequired"]) == ("Blanket", 1, False)
    assert line["netPrice"] == line["netSum"] == Decimal("0.60")


@pytest.mark.parametrize("change", [{"net": Decimal(-3)}, {"quantity": Decimal(-3), "net": Decimal(3)}])
def test_a_negative_line_is_a_return(bench: Any, change: dict[str, Any]) -> None:
    _, line = order(bench, change)
    assert line["matchingMode"] == "Return" and line["quantity"] > 0 and line["netSum"] == Decimal(-3)


@pytest.mark.parametrize(("net", "mode"), [("500.00", "Blanket"), ("0", "Blanket"), ("-20.00", "Return")])
def test_a_line_without_quantity_goes_as_a_sum_of_one(bench: Any, net: str, mode: str) -> None:
    came = (
        Receipt(key="1", number="G1", quantity=Decimal(0), net=Decimal(net) / 4),
        Receipt(key="2", number="G2", quantity=Decimal(0)),
        Receipt(key="3", number="G3", quantity=Decimal(0), reverses="2"),
    )
    _, line = order(
        bench, {"quantity": Decimal(0), "net": Decimal(net), "unit_price": None, "account": "A", "receipts": came}
    )
    assert (line["matchingMode"], line["quantity"], line["netSum"], line["netPrice"]) == (
        mode,
        1,
        Decimal(net),
        Decimal(net),
    )
    assert line["orderLineCoding"][0]["allocatedQuantity"] == 1
    shares = [Decimal("0.25") if Decimal(net) else 1, 1, -1]
    assert [receipt["quantity"] for receipt in line["goodsReceipts"]] == shares
    assert not line["isReceiptRequired"]


@pytest.mark.parametrize("kind", ["supplier", "account", "cost_center", "tax"])
def test_a_code_without_counterpart_holds(bench: Any, kind: str) -> None:
    bench.codes.missing = (kind,)
    with pytest.raises(Held) as caught:
        order(bench, {"account": "A", "cost_center": "C", "tax_code": "V2"})
    assert caught.value.waiting_for.startswith(f"{kind}:")


def test_a_company_of_one_character_needs_an_organization_element(make: Any, server: Any) -> None:
    with pytest.raises(Rejected, match="organization_element_code"):
        order(make(server, companies=["1"]))
    header, _ = order(make(server, companies=["1"], organization_element_code="HQ"))
    assert header["organizationElementCode"] == "HQ"


def test_a_text_of_spaces_is_none(bench: Any) -> None:
    assert "paymentTerms" not in vendor(bench, payment_term=" ", payment_term_name="30 days")
    bench.connection.context = replace(bench.context, options=TenantSettings(send_bank_details=True))
    (means,) = vendor(bench, bank_accounts=(BankAccount(iban="DE89", bic="NDEA", bank_name=" "),))["paymentMeans"]
    assert means["financialAccounts"][0]["financialInstitution"]["name"] == "NDEA"


def test_figures_of_an_order_that_cannot_be_reckoned_with_are_its_own_fault(bench: Any) -> None:
    receipt = Receipt(key="r1", number="GR1", quantity=Decimal(0), net=Decimal("1E30"))
    line = {"quantity": Decimal(0), "net": Decimal("1E-30"), "receipts": (receipt,)}
    with pytest.raises(Rejected, match="Order PO7 has amounts"):
        order(bench, line)


def test_a_rehearsal_asks_for_the_codes_behind_a_company_that_is_mapped(make: Any, server: Any) -> None:
    """Else what was delivered is read code by code, for each tenant with more than one company."""
    bench, asked = make(server, companies=["1000", "2000"]), Asked()
    record = PurchaseOrder(key="7", number="PO7", supplier="V1", currency="EUR")
    bench.connection.target(PurchaseOrder).render(record, asked)
    assert set(asked.codes) == {("company", ""), ("currency", "EUR"), ("supplier", "V1")}
