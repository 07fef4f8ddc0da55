"""Purchase requisitions as P2P takes them and tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from infra.sandbox.basware.exported import REQUISITIONS, decided, export

PATH, EXPORTED = "/v1/purchaseRequisitions", "/v1/exportedPurchaseRequisitions"


def line(number: str = "1", **changes: Any) -> dict[str, Any]:
    own = {"externalCode": f"L{number}", "extRequisitionLineNumber": number, "currencyCode": "EUR"}
    return {**own, "quantity": 1, "unitPrice": 5} | changes


def requisition(code: str = "R1", **changes: Any) -> dict[str, Any]:
    return {
        "externalCode": code,
        "extDocumentNumber": f"No-{code}",
        "purpose": "Paper",
        "organizationUnitCode": "1000",
        "ownerEmail": "buyer@example.com",
        "lines": [line()],
    } | changes


def test_a_requisition_is_created_once_and_never_changed(basware: Any) -> None:
    assert basware.verdicts(basware.post(PATH, [requisition()]))["R1"][0] == "Success"
    assert basware.verdicts(basware.post(PATH, [requisition()]), wait=5)["R1"][0] == "Error"
    assert basware.verdicts(basware.post(PATH, [requisition(purpose="Ink")]), wait=5)["R1"][0] == "Error"
    assert basware.get(f"{PATH}/R1").json()["purpose"] == "Ink", "the API layer takes it"
    assert basware.world.imported["purchaseRequisitions"]["R1"]["purpose"] == "Paper", "and P2P does not"
    assert basware.ask("PATCH", f"{PATH}/R1", json={"purpose": "x"}).status_code == 405


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"organizationUnitCode": None}, "organizationUnitCode or organizationIdentifier"),
        ({"organizationIdentifier": "1000"}, "not both"),
        ({"organizationUnitCode": "9"}, "Organization 9 was not found"),
        ({"ownerEmail": None}, "owner"),
        ({"lines": []}, "1 to 200 lines"),
        ({"lines": [line(str(n)) for n in range(201)]}, "1 to 200 lines"),
        ({"lines": [line(), line()]}, "used by two lines"),
        ({"lines": [line(), line("2", currencyCode="USD")]}, "the same currencyCode"),
        ({"lines": [line(quantity=0)]}, "positive quantity"),
        ({"lines": [line(refundLine=True, unitPrice=-5)]}, "no refund line"),
        ({"lines": [line(), line("2", refundLine=True)]}, "must be negative"),
        ({"lines": [line(codingRows=[{"externalCode": "a"}, {"externalCode": "b"}])]}, "only one coding row"),
    ],
)
def test_the_rules_of_a_requisition(basware: Any, changes: Any, said: str) -> None:
    status, message = basware.verdicts(basware.post(PATH, [requisition(**changes)]))["R1"]
    assert status == "Error" and said in message
    assert not basware.world.imported["purchaseRequisitions"]
    assert basware.verdicts(basware.post(PATH, [requisition()]), wait=5)["R1"][0] == "Success", "it was never created"


def test_a_number_is_unique_and_an_unknown_supplier_is_emptied(basware: Any, make: Any) -> None:
    basware.post("/v1/vendors", [make.vendor()])
    basware.later(1)
    lines = [line(supplierCode="V1"), line("2", supplierCode="V9")]
    assert basware.verdicts(basware.post(PATH, [requisition(lines=lines)]))["R1"][0] == "Warning"
    kept = basware.world.imported["purchaseRequisitions"]["R1"]["lines"]
    assert [one.get("supplierCode") for one in kept] == ["V1", None]
    again = requisition("R2", extDocumentNumber="No-R1")
    assert "already used" in basware.verdicts(basware.post(PATH, [again]))["R2"][1]


def test_a_call_takes_a_hundred_and_lists_are_filtered(basware: Any) -> None:
    assert basware.post(PATH, [requisition(f"R{n}") for n in range(101)]).status_code == 400
    assert basware.post(PATH, [requisition(f"R{n}") for n in range(100)]).status_code == 200
    assert basware.get(PATH, params={"pageSize": 101}).status_code == 400
    assert len(basware.get(PATH, params={"companyCode": "1000"}).json()["purchaseRequisitions"]) == 100
    assert basware.get(PATH, params={"companyCode": "2000"}).status_code == 404
    assert basware.ask("DELETE", PATH, json={"externalCode": "R1"}).status_code == 200
    assert basware.get(f"{PATH}/R1").status_code == 404


def read(basware: Any, path: str, **params: Any) -> list[dict[str, Any]]:
    found = basware.get(path, params=params)
    return basware.follow(found).json()["exportedPurchaseRequisitions"] if found.status_code == 302 else []


def test_what_people_decided_is_exported_told_and_acknowledged_once(basware: Any) -> None:
    hook = {
        "taskType": "ExportedPurchaseRequisitions",
        "subscriptionType": "Webhook",
        "notificationWebhookURL": "https://x.example/",
        "webhookAuthenticationToken": "s",
    }
    assert basware.post("/v1/subscriptions", [hook]).status_code == 200
    for n, status in enumerate(["Approved", "Rejected", "Canceled"]):
        basware.post(PATH, [requisition(f"R{n}")])
        basware.later(2)
        assert basware.get(EXPORTED).status_code in {302, 404}
        decided(basware.world, f"R{n}", status)
    rows = read(basware, EXPORTED, status="WaitingForExport")
    assert {row["requisitionStatus"] for row in rows} == {"Approved", "Rejected", "Canceled"}
    assert [task["taskType"] for task in basware.world.tasks.values()].count(hook["taskType"]) == 3
    (one,) = read(basware, f"{EXPORTED}/P2P-R1")
    assert (one["extRequisitionNumber"], one["documentSource"]) == ("No-R1", "ImportedAsRequisition")
    assert basware.post(f"{EXPORTED}/P2P-R1/acknowledge").status_code == 200
    assert basware.post(f"{EXPORTED}/P2P-R1/acknowledge").status_code == 405
    assert len(read(basware, EXPORTED, status="WaitingForExport")) == 2
    assert len(read(basware, EXPORTED, status="Exported")) == 1
    assert not read(basware, EXPORTED, companyCode="2000")
    assert basware.get(EXPORTED, params={"status": "Approved"}).status_code == 400


def test_what_is_in_approval_is_not_exported(basware: Any) -> None:
    with pytest.raises(ValueError, match="InApproval"):
        decided_as = {"externalCode": "x", "requisitionNumber": "1", "companyCode": "1000"}
        more = {"organizationUnitCode": "1000", "purchaseCurrency": "EUR", "requisitionStatus": "InApproval"}
        export(basware.world, {**decided_as, **more}, REQUISITIONS)
