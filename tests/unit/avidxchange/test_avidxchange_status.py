"""How invoices stand: asked for one by one, or shown by closed batches, of whose absence nothing follows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ml_connector.errors import Held, Misconfigured
from ml_connector.flow import ListedDocument
from ml_connector.records import Account as GlAccount
from ml_connector.records import InvoiceStatus, Supplier
from ml_connector.systems.avidxchange.invoice_status import InvoiceStatuses
from ml_connector.systems.kit.upserts import STAGE
from tests.unit.avidxchange.conftest import TOKEN, Account, Codes, body

PATH = "/apis/invoices"
BATCH = "/apis/v1/invoices/batches"


def source(account: Account) -> InvoiceStatuses:
    made = account.connect().source(InvoiceStatus)
    assert isinstance(made, InvoiceStatuses)
    return made


def row(**other: Any) -> dict[str, Any]:
    line = {
        "glCode": "6100",
        "codes": [{"group": "Department", "value": "NY"}, {"group": "GL Account", "value": "6200"}],
    }
    found = {"id": "77", "vendorExternalCode": "V10000", "invoiceNumber": "INV-7731", "amount": "250.00"}
    return {**found, "status": "Approved", "lines": [line], **other}


def asked(account: Account, **other: Any) -> ListedDocument:
    account.on("GET", f"{PATH}/77", row(**other))
    (listed,) = source(account).asked(["77"]) or []
    return listed


def test_each_is_asked_for_and_paid_is_final(account: Account) -> None:
    assert asked(account).stamp == "approved|6100|6200" and not asked(account).final
    assert asked(account, status="paid ").final


def test_a_status_with_the_names_by_which_ours_is_found(account: Account) -> None:
    account.on("GET", f"{PATH}/77", row(status="Rejected", errors=[{"message": "Not ours"}]))
    document = source(account).fetch("77")
    record = document.record
    assert record is not None
    assert (record.status, record.reason, record.accounts) == ("rejected", "Not ours", ("6100", "6200"))
    assert document.refers == ("77", "~invoice~v10000~inv-7731")


def test_a_status_that_nobody_mapped_is_held_and_never_guessed(account: Account) -> None:
    account.on("GET", f"{PATH}/77", row(status="Pondered"))
    with pytest.raises(Held, match=r"profile\.status"):
        source(account).fetch("77")
    assert asked(account, status="Pondered").stamp == "?Pondered|6100|6200"


def test_an_invoice_that_is_there_no_more_is_a_persons_business(account: Account) -> None:
    account.on("GET", f"{PATH}/77", httpx.Response(404, json={"errors": [{"message": "Invoice '77' was not found"}]}))
    assert [one.stamp for one in source(account).asked(["77"]) or []] == ["gone"]
    with pytest.raises(Held) as told:
        source(account).fetch("77")
    assert told.value.waiting_for == "conflict:77"


def test_without_any_way_to_see_it_the_flow_says_so(account: Account) -> None:
    account.secret["profile"] = {"paths": {"invoices.get": None}}
    assert source(account).asked([]) is None
    with pytest.raises(Misconfigured, match=r"batches\.list"):
        list(source(account).list_documents(None, None))


# ── closed batches ──────────────────────────────────────────────────────────────────────────────────────────────

OLD = {
    "Id": 5512,
    "Number": 7731,
    "GrossAmount": -250.0,
    "LastChangedDate": "2026-02-05 10:00:00",
    "BuyerVendor": {"VendorExternalSystemID": "V10000|2"},
    "Distributions": [
        {
            "Amount": -250.0,
            "EnterpriseCodes": {
                "EnterpriseCodeValue": "6100",
                "EnterpriseCodeGroups": [{"CodeGroupName": "GL Account"}],
            },
        }
    ],
}
CLOSED = {
    "BatchGUID": "g-1",
    "DateClosed": "2026-02-05T00:00:00",
    "Links": [{"Rel": "full-details", "Href": "/apis/v1/invoices/batches/g-1/invoices?details=full"}],
}


def older(account: Account) -> Account:
    account.secret = {
        "base_url": "https://api.avid.example/apis",
        "auth": "login",
        "login": {"path": "/v1/authorizations", "user": "anna", "password": "Topsecret-2"},
        "token_headers": {"Authorization": "Bearer gateway-key-1"},
        "profile": "avidsuite_v1",
        "company_id": " sandbox manufacturing",
    }
    account.on("POST", "/apis/v1/authorizations", TOKEN)
    account.on("GET", "/apis/v1/accountingSystems", {"Items": [{"ID": 101, "Name": "Sandbox Manufacturing "}]})
    account.on("GET", f"{BATCH}/closed/acctgSysId/101", {"Items": [CLOSED]})
    account.on("GET", f"{BATCH}/g-1", CLOSED)
    account.on("GET", f"{BATCH}/g-1/invoices", {"Items": [OLD]})
    return account


def test_a_closed_batch_shows_what_was_approved(account: Account) -> None:
    older(account)
    listed = [one for some in source(account).list_documents("2026-02-09", None) for one in some.documents]
    assert [one.key for one in listed] == ["5512~g-1"]
    (request,) = account.asked("GET", f"{BATCH}/closed/acctgSysId/101")
    assert request.url.params["closeDateFrom"] == "2026-02-08"
    document = source(account).fetch("5512~g-1")
    assert document.record is not None and document.stamp == listed[0].stamp
    assert (document.record.status, document.record.number, document.record.accounts) == ("approved", "7731", ("6100",))
    assert document.refers == ("5512", "~credit note~v10000~7731")


def test_a_batch_that_is_open_again_says_nothing_and_one_without_it_is_a_conflict(account: Account) -> None:
    older(account).on("GET", f"{BATCH}/g-1", {**CLOSED, "DateClosed": None})
    assert source(account).fetch("5512~g-1").standing == "gone"
    account.on("GET", f"{BATCH}/g-1", CLOSED)
    account.on("GET", f"{BATCH}/g-1/invoices", {"Items": []})
    with pytest.raises(Held, match="taken out"):
        source(account).fetch("5512~g-1")


def test_nothing_is_ever_marked_as_exported(account: Account) -> None:
    older(account)
    list(source(account).list_documents(None, None))
    source(account).fetch("5512~g-1")
    assert {one.method for one in account.calls if "authorizations" not in one.url.path} == {"GET"}


# ── vendors and GL codes ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", ["V30000 ", "0000001200", "O'BRIEN & CO"])
def test_a_vendors_code_is_sent_exactly_as_it_is(account: Account, code: str) -> None:
    account.on("POST", "/apis/vendors", httpx.Response(201, json={"id": "1"}))
    target: Any = account.connect().target(Supplier)
    one = target.render(Supplier(key=code, code=code, name="Meyer", active=False), Codes())
    assert one.target_id == code and not target.send(STAGE, [one]).refused
    assert (body(account.calls[-1])["externalVendorCode"], body(account.calls[-1])["active"]) == (code, False)


def test_a_refused_vendor_costs_only_itself(account: Account) -> None:
    refusal = httpx.Response(200, json={"results": [{"success": "false", "errors": {"message": "Name is missing"}}]})
    account.on("POST", "/apis/vendors", refusal, httpx.Response(201, json={"id": "2"}))
    target: Any = account.connect().target(Supplier)
    both = [target.render(Supplier(key=key, code=key, name=key), Codes()) for key in ("V1", "V2")]
    assert list(target.send(STAGE, both).refused) == ["V1"]


def test_gl_codes_that_are_not_sent_are_checked_in_the_list(account: Account) -> None:
    account.secret["profile"] = {"paths": {"codes.upsert": None}}
    group, other = {"group": "GL Account"}, {"group": "Department"}
    listed = [{**group, "value": "GL-6100"}, {**other, "value": "6200"}, {**group, "value": "6300", "active": False}]
    account.on("GET", "/apis/accounting-codes", {"items": listed})
    target: Any = account.connect().target(GlAccount)
    codes = Codes(**{"6100": "GL-6100"})
    batch = [target.render(GlAccount(key=key, code=key, name=key), codes) for key in ("6100", "6200", "6300")]
    sent = target.send(STAGE, batch)
    said = target.verdicts(STAGE, batch, sent.tokens)
    assert {key: (one.outcome, one.waiting_for) for key, one in said.items()} == {
        "6100": ("unchanged", None),
        "6200": ("held", "account:6200"),
        "6300": ("held", "account:6300"),
    }


def test_without_a_list_gl_codes_are_checked_in_x3_only_and_ping_says_so(account: Account) -> None:
    account.secret["profile"] = {"paths": {"codes": {"list": None, "upsert": None}, "invoices.create": None}}
    target: Any = account.connect().target(GlAccount)
    one = target.render(GlAccount(key="6100", code="6100", name="Travel"), Codes())
    assert target.verdicts(STAGE, [one], target.send(STAGE, [one]).tokens)["6100"].outcome == "unchanged"
    for path in ("vendors", "payments", "invoices"):
        account.on("GET", f"/apis/{path}", {"items": []})
    checks = list(account.connect().ping())
    assert not checks[0].ok and "offers no invoice submission" in checks[0].detail
    assert any("in Sage X3 and in the mappings only" in one.detail for one in checks if one.warning)
    assert all(one.ok for one in checks[1:]), checks
