"""The older interface: approved invoices leave in closed batches, which may be opened again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.avidxchange import back_office
from infra.sandbox.avidxchange.back_office import Refused
from tests.contract.sandbox_avidxchange.conftest import line

CLOSED = "/v1/invoices/batches/closed/acctgSysId/101"
DAY = "closeDateFrom=2026-02-10&closeDateTo=2026-02-10"


@pytest.fixture
def old(api, bill):
    """Two invoices, and a login of the older interface."""
    api.submit(bill())
    api.submit(bill(externalId="p2", invoiceNumber="0042", lines=[line("150.00"), line("100.00", "6200")]))
    api.log_in_old()
    return api


def closed(api, query=DAY):
    return api.get(f"{CLOSED}?{query}")["Items"]


def details(api, batch):
    href = next(link["Href"] for link in batch["Links"] if link["Rel"] == "full-details")
    return api.get(href)["Items"]


def test_approved_invoices_leave_in_a_closed_batch(old, world):
    back_office.approve(world, 5501)
    assert closed(old) == []
    back_office.approve(world, 5502, close=True)
    (batch,) = closed(old)
    assert (batch["InvoiceCount"], batch["BatchTotal"], batch["DateClosed"]) == (2, 500, "2026-02-10T09:30:00")
    first, second = details(old, batch)
    assert (first["Id"], first["Number"], first["GrossAmount"], first["PONumber"]) == (5501, "INV-7731", 250, "50231")
    assert first["BuyerVendor"]["VendorExternalSystemID"] == "V10000"
    assert first["BuyerVendorAccount"] == {"AccountNo": "none"}
    groups = [
        (code["EnterpriseCodeGroups"][0]["CodeGroupName"], code["EnterpriseCodeValue"])
        for code in first["Distributions"][0]["EnterpriseCodes"]
    ]
    assert groups == [("GL Account", "6100"), ("Department", "NY_B")]
    assert [part["Amount"] for part in second["Distributions"]] == [150, 100]
    assert old.get(f"/v1/invoices/batches/{batch['BatchGUID']}") == batch


def test_amounts_are_numbers_with_their_digits(old, world):
    batch = back_office.close_batch(world, back_office.approve(world, 5501).batch)
    text = old.raw("GET", f"/v1/invoices/batches/{batch.guid}/invoices").text
    assert '"GrossAmount":250.00' in text and isinstance(details(old, closed(old)[0])[0]["GrossAmount"], Decimal)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("closeDateFrom=2026-02-10", 400),
        ("closeDateFrom=2026-02-10T00:00:00&closeDateTo=2026-02-10", 400),
        (f"{DAY}&surprise=1", 400),
    ],
)
def test_days_are_whole_and_both_are_demanded(old, query, status):
    reply = old.raw("GET", f"{CLOSED}?{query}")
    assert reply.status_code == status and reply.json()["exception"]["detail"]


def test_days_are_those_of_utc(old, world, clock):
    clock.forward(hours=14)
    back_office.approve(world, 5501, close=True)
    old.log_in_old()
    assert len(closed(old)) == 1
    clock.forward(hours=1)
    back_office.approve(world, 5502, close=True)
    old.log_in_old()
    assert len(closed(old)) == 1
    assert len(closed(old, "closeDateFrom=2026-02-10&closeDateTo=2026-02-11")) == 2
    assert len(closed(old, "closeDateFrom=2026-02-11&closeDateTo=2026-02-11")) == 1


def test_a_batch_is_its_companys(old, world):
    back_office.approve(world, 5501, close=True)
    assert old.get(f"/v1/invoices/batches/closed/acctgSysId/102?{DAY}")["Items"] == []
    for path in (f"/v1/invoices/batches/closed/acctgSysId/9?{DAY}", "/v1/invoices/batches/nothing"):
        reply = old.raw("GET", path)
        assert (reply.status_code, reply.json()["exception"]["reason"]) == (404, "NotFound")


def test_a_batch_is_opened_and_closed_again_with_other_invoices(old, world, clock):
    guid = back_office.approve(world, 5501, close=True).batch
    with pytest.raises(Refused, match="is closed"):
        back_office.leave_batch(world, 5501)
    back_office.reopen_batch(world, guid)
    assert closed(old) == [] and old.get(f"/v1/invoices/batches/{guid}")["DateClosed"] is None
    assert back_office.leave_batch(world, 5501).state == "received"
    assert back_office.approve(world, 5502).batch == guid
    clock.forward(days=1)
    old.log_in_old()
    back_office.close_batch(world, guid)
    assert closed(old) == []
    (batch,) = closed(old, "closeDateFrom=2026-02-11&closeDateTo=2026-02-11")
    assert batch["BatchGUID"] == guid and [one["Id"] for one in details(old, batch)] == [5502]
    for act in (back_office.close_batch, back_office.reopen_batch, back_office.reopen_batch):
        if act is back_office.close_batch or world.batches[guid].closed is None:
            with pytest.raises(Refused):
                act(world, guid)
        else:
            act(world, guid)


def test_an_approver_changes_and_rejects(old, world, clock, bill):
    clock.forward(minutes=5)
    back_office.change(world, 5501, {"amount": "240.00", "gl_code": "6200", "codes": [], "number": "INV-7732"})
    one = world.invoices[5501]
    assert (one.amount, one.lines[0].amount, one.lines[0].gl_code, one.lines[0].codes) == (240, 240, "6200", [])
    assert one.changed == clock() and one.number == "INV-7732"
    with pytest.raises(Refused):
        back_office.change(world, 5501, {"state": "paid"})
    back_office.approve(world, 5501, close=True)
    assert back_office.reject(world, 5501, "Wrong amount").state == "rejected"
    assert closed(old)[0]["InvoiceCount"] == 0
    old.log_in()
    found = old.get("/invoices/5501")
    assert (found["status"], found["errors"]) == ("Rejected", [{"message": "Wrong amount"}])
    back_office.approve(world, 5501)
    with pytest.raises(Refused, match="is approved"):
        back_office.approve(world, 5501)
    back_office.remove(world, 5501)
    assert old.refused(old.raw("GET", "/invoices/5501"), 404) == "NOT_FOUND"


def test_nobody_approves_what_cannot_be_processed(old, world):
    back_office.remove_code(world, "GL Account", "6200")
    with pytest.raises(Refused, match="6200"):
        back_office.approve(world, 5502)
    back_office.change(world, 5502, {"gl_code": "6100", "line": 1})
    back_office.approve(world, 5502)
    back_office.deactivate_vendor(world, "V10000")
    with pytest.raises(Refused, match="not active"):
        back_office.approve(world, 5501)


def test_spellings_of_the_older_interface(old, world):
    back_office.change(world, 5501, {"number": "7731"})
    back_office.approve(world, 5501)
    back_office.approve(world, 5502, close=True)
    world.digits_as_numbers, world.day_separator, world.vendor_address = True, " ", "|2"
    (batch,) = closed(old)
    first, second = details(old, batch)
    assert (first["Number"], first["PONumber"], second["Number"]) == (7731, 50231, "0042")
    assert first["InvoiceDate"] == "2026-01-30 00:00:00" and batch["DateClosed"] == "2026-02-10 09:30:00"
    assert first["BuyerVendor"]["VendorExternalSystemID"] == "V10000|2"


def test_pages_of_the_older_interface(old, world):
    for number in (5501, 5502):
        back_office.approve(world, number)
    guid = back_office.close_all(world)[0].guid
    world.old_page_size, path = 1, f"/v1/invoices/batches/{guid}/invoices?details=full"
    page = old.get(path)
    (more,) = page["Paging"].pop("Links")
    assert page["Paging"] == {"PageNumber": 1, "PageSize": 1, "PageCount": 2, "PageItems": 1, "TotalItems": 2}
    assert more["Rel"] == "next" and more["Href"].startswith("/v1/") and [one["Id"] for one in page["Items"]] == [5501]
    world.pages_name = "Pages"
    last = old.get(more["Href"])
    assert last["Paging"]["Pages"] == 2 and last["Paging"]["Links"] == [] and last["Items"][0]["Id"] == 5502
    world.pages_name = ""
    assert old.get(path).keys() == {"Items"} and len(old.get(path)["Items"]) == 2


def test_captured_invoices_of_others_are_there_too(old, world):
    back_office.capture(world, "V10001", "INV-7731", [("6100", Decimal(10))], company="102")
    back_office.approve(world, ("V10001", "INV-7731"), close=True)
    (batch,) = old.get(f"/v1/invoices/batches/closed/acctgSysId/102?{DAY}")["Items"]
    assert details(old, batch)[0]["BuyerVendor"]["VendorExternalSystemID"] == "V10001"


@pytest.mark.parametrize("style", ["list", "object"])
def test_what_must_never_be_asked_for(old, world, style):
    world.results_as, world.successful = style, "text" if style == "object" else "bool"
    guid = back_office.approve(world, 5501, close=True).batch
    export = {"BatchId": guid, "FileId": None, "ExportedByUserId": None, "ExportHistoryStatusId": 1}
    results = old.post("/v1/invoices/batches/exportHistories", export).json()["Results"]
    assert results == (
        {"Successful": "true", "Errors": []} if style == "object" else [{"Successful": True, "Errors": []}]
    )
    assert world.batches[guid].exports == 1 and "exported" in world.offences[0]
    failed = old.post("/v1/invoices/batches/exportHistories", export | {"BatchId": "x"}).json()["Results"]
    failed = failed if style == "object" else failed[0]
    assert failed["Successful"] in (False, "false") and isinstance(failed["Errors"], dict) is (style == "object")
    old.raw("DELETE", "/v1/payments?externalPaymentIds=1")
    old.post("/v1/payments/batches", {})
    assert len(world.offences) == 4
