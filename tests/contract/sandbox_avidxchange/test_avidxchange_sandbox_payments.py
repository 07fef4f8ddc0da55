"""Payments: windows of whole days, states that are not monotone, discounts, reissues, and payments of other people."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.avidxchange import back_office, paying
from infra.sandbox.avidxchange.back_office import Refused

DAY = "lastModifiedFrom=2026-02-10&lastModifiedTo=2026-02-10"


@pytest.fixture
def paid(api, world, bill):
    """Two approved invoices of V10000 and their payment over both, with 5.00 of discount on the second."""
    for number in (1, 2):
        api.submit(bill(externalId=f"p{number}", invoiceNumber=f"INV-{number}"))
        back_office.approve(world, 5500 + number)
    return paying.pay(world, [5501, ("V10000", "INV-2")], discounts={1: Decimal("5.00")})


def state(api):
    api.log_in()
    return api.get("/invoices/5501")["status"]


def test_a_payment_over_two_invoices_is_net_of_its_discount(api, paid):
    (found,) = api.items(f"/payments?{DAY}")
    assert (found["id"], found["amount"], found["state"], found["method"]) == (
        "901",
        "495.00",
        "Pending Approval",
        "Check",
    )
    assert found["vendorExternalCode"] == "V10000" and found["paymentDate"] == "2026-02-10"
    parts = [(p["invoiceNumber"], p["externalId"], p["amountApplied"]) for p in found["invoices"]]
    assert parts == [("INV-1", "p1", "250.00"), ("INV-2", "p2", "245.00")]
    assert found["invoices"][1] | {} == found["invoices"][1] and found["invoices"][1]["discount"] == "5.00"
    assert found["invoices"][1]["gross"] == "250.00" and api.get("/payments/901") == found
    assert api.refused(api.raw("GET", "/payments/9"), 404) == "NOT_FOUND"


def test_an_invoice_is_paid_when_its_payment_has_cleared_and_unpaid_again_afterwards(api, world, paid):
    for step in paying.STEPS["Check"][1:-1]:
        assert paying.advance(world, 901).state == step and state(api) == "Approved"
    assert world.payments[901].state == "Issued to Supplier" and world.payments[901].check == "77101"
    assert paying.advance(world, 901).state == "Cleared" and state(api) == "Paid"
    assert world.invoices[5502].state == "paid", "the discount counts"
    with pytest.raises(Refused):
        paying.advance(world, 901)
    paying.void(world, 901)
    assert state(api) == "Approved" and api.get("/payments/901")["state"] == "Void"
    with pytest.raises(Refused):
        paying.clear(world, 901)
    paying.pay(world, [5501], method="Direct")
    paying.clear(world, 902)
    assert state(api) == "Paid"
    paying.give_back(world, 902)
    assert state(api) == "Approved" and world.payments[902].state == "Returned"


def test_a_part_is_not_all(api, world, paid):
    paying.void(world, 901)
    paying.pay(world, [5501], amounts={0: Decimal(100)})
    assert paying.clear(world, 902).amount == 100 and state(api) == "Approved"
    paying.clear(world, paying.pay(world, [5501], amounts={0: Decimal(150)}).id)
    assert state(api) == "Paid"


def test_an_error_is_not_final(api, world, paid):
    paying.fail(world, 901, 6)
    found = api.get("/payments/901")
    assert found["state"] == "Error" and found["exceptions"] == [
        {"reasonCode": 6, "description": "Bank account inactive"}
    ]
    assert paying.recover(world, 901).exceptions == [] and world.payments[901].state == "Processing"
    with pytest.raises(Refused):
        paying.recover(world, 901)


def test_a_reissue_keeps_the_payment_or_makes_another(api, world, paid):
    paying.clear(world, 901)
    assert paying.reissue(world, 901).check == "77102"
    found = api.get("/payments/901")
    assert (found["checkNumber"], found["state"], found["clearedDate"]) == ("77102", "Issued to Supplier", None)
    assert state(api) == "Approved"
    second = paying.reissue(world, 901, keep_id=False)
    assert (second.id, second.check, second.reissue_of) == (902, "77103", 901)
    assert world.payments[901].state == "Reissued"
    with pytest.raises(Refused):
        paying.void(world, 901)


def test_nobody_pays_what_is_not_approved_or_two_vendors_at_once(api, world, paid, bill):
    api.submit(bill(externalId="p3", invoiceNumber="INV-3", vendorExternalCode="V10001"))
    with pytest.raises(Refused, match="is received"):
        paying.pay(world, [("V10001", "INV-3")])
    back_office.approve(world, 5503)
    with pytest.raises(Refused, match="one vendor"):
        paying.pay(world, [5501, 5503])
    with pytest.raises(Refused):
        paying.pay(world, [])


def test_payments_of_other_peoples_invoices(api, world):
    made = paying.pay_other(world, "V10000", [("INV-1", Decimal(75))], state="Cleared")
    (found,) = api.items("/payments?modifiedSince=2026-02-10")
    assert (
        found["invoices"][0]["externalId"] is None and found["amount"] == "75.00" and made.external_id == "acme-88901"
    )
    assert (
        len(api.items("/payments?externalId=acme-88901")) == len(api.items("/payments?vendorExternalCode=V10000")) == 1
    )
    assert api.items("/payments?externalId=x") == [] == api.items("/payments?vendorExternalCode=V10001")


@pytest.mark.parametrize("pair", [("lastModifiedFrom", "lastModifiedTo"), ("modifiedFrom", "modifiedTo")])
def test_a_window_has_two_ends_and_thirty_days_at_most(api, world, paid, pair):
    first, last = pair

    def ask(start, end):
        query = "&".join(f"{name}={value}" for name, value in ((first, start), (last, end)) if value)
        return api.raw("GET", f"/payments?{query}")

    assert len(ask("2026-01-12", "2026-02-10").json()["items"]) == 1
    assert ask("2026-02-11", "2026-02-11").json()["items"] == [] == ask("2026-02-01", "2026-02-09").json()["items"]
    assert len(ask("2026-02-10T09:30:00Z", "2026-02-10T09:30:00Z").json()["items"]) == 1
    assert api.refused(ask("2026-01-11", "2026-02-10"), 400) == "INVALID_RANGE"
    assert api.refused(ask("2026-02-11", "2026-02-10"), 400) == "INVALID_RANGE"
    assert api.refused(ask("2026-02-10", ""), 400) == api.refused(ask("", "2026-02-10"), 400) == "INVALID_DATE"


def test_the_state_may_be_spelt_otherwise(api, world, paid):
    world.state_style = "upper"
    assert api.get("/payments/901")["state"] == "PENDING APPROVAL"
    world.state_style = "padded"
    assert api.get("/payments/901")["state"] == " Pending Approval "
    paying.move(world, 901, "Void - stop payment")
    assert api.get("/payments/901")["state"] == " Void - stop payment "


# ── the older interface ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def old(api, paid):
    api.log_in_old()
    return api


def test_a_payment_of_the_older_interface(old, world):
    paying.clear(world, 901)
    (found,) = old.get(f"/v1/payments?{DAY}")["Items"]
    assert (
        found["PaymentId"] == 901 and found["Amount"] == 495 and found["Status"] == {"Id": 27, "Description": "Cleared"}
    )
    assert (found["CheckNumber"], found["AvidPayChecknumber"]) == ("88901", "77101")
    assert found["ExternalPaymentIds"] == [{"Value": "acme-88901"}] and found["ClearedDate"] == "2026-02-10T09:30:00"
    assert [(r["Number"], r["Gross"], r["Discount"], r["Net"]) for r in found["Remittances"]] == [
        ("INV-1", 250, 0, 250),
        ("INV-2", 250, 5, 245),
    ]
    assert found["BuyerVendor"]["VendorExternalSystemID"] == "V10000" and found["HasClearedCheckImages"] is True
    assert old.get("/v1/payments?paymentIds=7,901")["Items"] == [found]
    world.payments[901].batch = "b1"
    assert len(old.get("/v1/payments?batchId=b1")["Items"]) == 1 and old.get("/v1/payments?batchId=b")["Items"] == []


def test_an_error_names_its_reason(old, world):
    paying.fail(world, 901, 4)
    (found,) = old.get(f"/v1/payments?{DAY}")["Items"]
    assert found["Exceptions"] == [{"ReasonCode": {"Id": 4, "Description": "Bank account missing"}}]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "lastModifiedFrom=2026-02-10",
        "lastModifiedTo=2026-02-10",
        "lastModifiedFrom=2026-01-11&lastModifiedTo=2026-02-10",
        "lastModifiedFrom=2026-02-11&lastModifiedTo=2026-02-10",
        "lastModifiedFrom=2026-02-10T00:00:00&lastModifiedTo=2026-02-10",
        f"{DAY}&state=Cleared",
    ],
)
def test_the_older_list_takes_whole_days_and_thirty_at_most(old, query):
    assert old.raw("GET", f"/v1/payments?{query}").status_code == 400


def test_a_window_has_its_first_and_its_last_day_whole(old, world, clock):
    assert len(old.get("/v1/payments?lastModifiedFrom=2026-01-12&lastModifiedTo=2026-02-10")["Items"]) == 1
    clock.forward(hours=14, minutes=29, seconds=59)
    paying.advance(world, 901)
    old.log_in_old()
    assert len(old.get(f"/v1/payments?{DAY}")["Items"]) == 1
    clock.forward(seconds=1)
    paying.advance(world, 901)
    assert old.get(f"/v1/payments?{DAY}")["Items"] == []
    assert len(old.get("/v1/payments?lastModifiedFrom=2026-02-11&lastModifiedTo=2026-02-11")["Items"]) == 1


def test_history_is_a_bare_list_and_an_image_that_is_not_there_a_500(old, world):
    paying.void(world, 901)
    history = old.get("/v1/payments/901/paymenthistory")
    assert [entry["Description"] for entry in history] == ["Pending Approval", "Void"]
    assert history[1]["Comment"] == "Stopped by the buyer" and history[0]["InsertDateTime"] == "2026-02-10T09:30:00"
    reply = old.raw("GET", "/v1/payments/901/getclearedcheckimage")
    assert (reply.status_code, reply.json()["exception"]["detail"]) == (500, "Nullable object must have a value.")
    paying.clear(world, paying.pay(world, [5501]).id)
    assert old.get("/v1/payments/902/getclearedcheckimage")["Front"]["Image"]
    assert old.raw("GET", "/v1/payments/9/paymenthistory").status_code == 404


# ── payment batches ─────────────────────────────────────────────────────────────────────────────────────────────


def payment(number="1", **fields):
    row = {"Number": "INV-1", "Gross": 250, "Discount": 0, "Net": 250, "Date": "2026-01-30"}
    parts = {part: {"Name": "x"} for part in ("Payer", "Payee", "Check", "BankAccount", "DeliveryMethod")}
    return {"ExternalId": {"Value": number}, "Remittance": [row], **parts} | fields


@pytest.mark.parametrize(
    ("payments", "code"),
    [
        ([], "REQUIRED"),
        ([payment(Payee=None)], "REQUIRED"),
        ([payment(Remittance=[])], "REQUIRED"),
        ([payment(Remittance=[{"Number": "x"}])], "REQUIRED"),
        ([payment(Remittance=[payment()["Remittance"][0] | {"Number": "9" * 51}])], "TOO_LONG"),
        ([payment("")], "REQUIRED"),
        ([payment(ExternalId={"Value": "1", "SchemeOwner": "Nobody"})], "INVALID"),
        ([payment(), payment()], "DUPLICATE"),
    ],
)
def test_each_payment_batch_succeeds_or_fails_for_itself_under_200(api, world, payments, code):
    good, bad = {"ExternalId": {"Value": "b1"}, "Payments": [payment()]}, {"ExternalId": {"Value": "b2"}}
    reply = api.post("/payment-batches", {"Items": [good, bad | {"Payments": payments}]})
    assert reply.status_code == 200
    first, second = reply.json()["Results"]
    assert first["Successful"] and not second["Successful"] and second["Errors"][0]["code"] == code
    assert api.get(f"/payment-batches/{first['Id']['Value']}")["items"][0]["ExternalId"] == {"Value": "b1"}
    assert api.refused(api.raw("GET", "/payment-batches"), 400) == "FILTER_REQUIRED"
    assert (
        len(api.items("/payment-batches?externalId=b1"))
        == len(api.items("/payment-batches?modifiedSince=2026-02-10"))
        == 1
    )
    assert api.refused(api.raw("GET", "/payment-batches/x"), 404) == "NOT_FOUND"
    again = api.post("/payment-batches", {"Items": [good]}).json()["Results"][0]
    assert again["Errors"][0]["code"] == "DUPLICATE"
    assert api.refused(api.post("/payment-batches", {"Items": []}), 400) == "REQUIRED"
    api.log_in_old()
    (listed,) = api.get("/v1/payments/batches?batchIds=b1,b2")["Items"]
    assert listed == {"ExternalIdentifier": {"Value": "b1"}, "Status": {"Description": "Processing"}}
    assert api.raw("GET", "/v1/payments/batches").status_code == 400
