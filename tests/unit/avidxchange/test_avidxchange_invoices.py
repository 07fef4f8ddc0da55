"""Supplier invoices into AvidXchange: submitted once, whatever its server answers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Rejected, Throttled, Transient
from ml_connector.flow import Found, Prepared
from ml_connector.records import CodingRow, SupplierInvoice
from ml_connector.systems.avidxchange.supplier_invoices import SupplierInvoices
from tests.unit.avidxchange.conftest import Account, Codes, body, invoice

PATH = "/apis/invoices"
NONE = {"items": [], "paging": {"pages": 0, "totalItems": 0}}


def target(account: Account) -> SupplierInvoices:
    made = account.connect().target(SupplierInvoice)
    assert isinstance(made, SupplierInvoices)
    return made


def prepared(account: Account, **other: Any) -> Prepared:
    return target(account).prepare(invoice(**other), Codes())


def there(account: Account, **other: Any) -> dict[str, Any]:
    """What AvidXchange shows of the invoice."""
    own = prepared(account).lookup["own"]
    row = {"id": "77", "externalId": own, "vendorExternalCode": "V10000", "invoiceNumber": "INV-7731"}
    return {**row, "invoiceDate": "2026-01-30", "amount": "250.00", "currency": "USD", "status": "Submitted", **other}


def send(account: Account) -> Found:
    one = target(account)
    return one.send(one.prepare(invoice(), Codes()))


# ── the body ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("amounts", ["string", "number"])
def test_an_invoice_in_its_words_with_exact_money(account: Account, amounts: str) -> None:
    account.secret["profile"] = {"amounts": amounts}
    account.on("POST", PATH, httpx.Response(201, json={"id": "77"}))
    account.on("GET", PATH, NONE)
    one = target(account)
    row = CodingRow(key="1", account="6100", net=Decimal("12345678901234.10"), dimensions=(("Department", "NY_B"),))
    one.send(one.prepare(invoice(gross=Decimal("12345678901234.10"), rows=(row,)), Codes()))
    (sent,) = account.asked("POST", PATH)
    told = body(sent)
    want: Any = "12345678901234.10" if amounts == "string" else Decimal("12345678901234.10")
    assert (told["amount"], told["lines"][0]["amount"], told["lines"][0]["glCode"]) == (want, want, "6100")
    assert told["lines"][0]["codes"] == [{"group": "Department", "value": "NY_B"}]
    assert (told["vendorExternalCode"], told["invoiceNumber"], told["currency"]) == ("V10000", "INV-7731", "USD")
    assert b"12345678901234.10" in sent.content


def test_codes_are_those_of_avidxchange(account: Account) -> None:
    made = target(account).prepare(invoice(), Codes(V10000="V-10000 ", **{"6100": "GL-6100"}))
    assert made.body["vendorExternalCode"] == "V-10000 " and made.body["lines"][0]["glCode"] == "GL-6100"
    assert made.body["purchaseOrderNumber"] == "POH1"


@pytest.mark.parametrize("key", ["BISFAC-1", "BISFAC-2"])
def test_our_key_depends_on_tenant_integration_and_number_and_on_nothing_else(account: Account, key: str) -> None:
    first = target(account).prepare(invoice(key=key), Codes()).lookup["own"]
    later = target(account).prepare(invoice(key=key, number="OTHER", company="US02"), Codes()).lookup["own"]
    assert first == later and first.startswith(key)


def test_each_attempt_carries_the_same_key(account: Account) -> None:
    account.on("POST", PATH, httpx.Response(503, text="busy"))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            send(account)
    first, again = account.asked("POST", PATH)
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] == body(first)["externalId"]


def test_a_number_that_is_too_long_is_refused_and_never_cut(account: Account) -> None:
    with pytest.raises(Rejected, match="50 characters"):
        prepared(account, number="N" * 51)


@pytest.mark.parametrize(("way", "amount", "kind"), [("negative", "-250.00", None), ("type", "250.00", "CreditMemo")])
def test_credit_notes_by_the_profile(account: Account, way: str, amount: str, kind: str | None) -> None:
    account.secret["profile"] = {"credit_notes": way, "fields": {"invoice.documentType": "documentType"}}
    row = CodingRow(key="1", account="6100", net=Decimal("-250.00"))
    made = prepared(account, gross=Decimal("-250.00"), rows=(row,))
    assert (made.body["amount"], made.body.get("documentType"), made.kind) == (amount, kind, "credit note")


def test_a_credit_note_that_the_profile_does_not_take_is_held(account: Account) -> None:
    account.secret["profile"] = {"credit_notes": "none"}
    with pytest.raises(Held, match="credit_notes") as told:
        prepared(account, gross=Decimal("-250.00"))
    assert told.value.waiting_for == "lookup:BISFAC-1"


@pytest.mark.parametrize("rows", [(), (CodingRow(key="1", net=Decimal(250)),), (CodingRow(key="1", account="6100"),)])
def test_an_invoice_without_a_gl_account_or_amount_is_held(account: Account, rows: Any) -> None:
    with pytest.raises(Held, match="no GL account or amount"):
        prepared(account, rows=rows)


def test_an_agreement_without_submission_is_said_in_words(account: Account) -> None:
    account.secret["profile"] = {"paths": {"invoices.create": None}}
    with pytest.raises(Misconfigured, match="agreement offers no"):
        prepared(account)


# ── what becomes of it ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(201, json={"id": "77", "status": "Submitted"}),
        httpx.Response(200, json={"results": [{"success": True, "id": 77}]}),
        httpx.Response(200, json={"Results": {"Successful": "true", "Item": {"Id": "77"}}}),
    ],
    ids=["201", "list", "one-object-true-as-text"],
)
def test_what_was_taken_has_its_id(account: Account, answer: httpx.Response) -> None:
    account.on("POST", PATH, answer)
    found = send(account)
    assert (found.id, found.ours) == ("77", True)


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"success": "false", "errors": [{"message": "Invoice date is required"}]}]},
        {"Results": {"Successful": "false", "Errors": {"Message": "The lines do not match the total amount"}}},
        {"results": [{"errors": ["Amount exceeds what is allowed"]}]},
    ],
)
def test_a_refusal_under_a_200_is_one(account: Account, answer: Any) -> None:
    account.on("POST", PATH, answer)
    with pytest.raises(Rejected):
        send(account)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"results": []}),
        httpx.Response(200, json={"results": [{"status": "ok"}]}),
        httpx.Response(200, json={"results": [{"success": True}, {"success": True}]}),
        httpx.Response(200, json={"errors": [{"message": "partial"}]}),
        httpx.Response(200, text="<html>login</html>"),
        httpx.Response(500, text="oops"),
        httpx.Response(404, text="<html>no such page</html>"),
        httpx.Response(201, json={"id": "78", "externalId": "another-one"}),
    ],
    ids=["no-result", "says-nothing", "two", "error-inside", "page", "500", "404", "another-ones"],
)
def test_an_answer_that_does_not_say_it_leaves_it_unknown(account: Account, answer: httpx.Response) -> None:
    account.on("POST", PATH, answer)
    with pytest.raises(OutcomeUnknown):
        send(account)
    assert len(account.asked("POST", PATH)) == 1


def test_what_is_taken_for_later_is_looked_for_and_never_sent_again(account: Account) -> None:
    account.on("POST", PATH, httpx.Response(202, json={"operationId": "9"}))
    account.on("GET", PATH, NONE)
    with pytest.raises(OutcomeUnknown) as told:
        send(account)
    assert told.value.taken
    account.on("GET", PATH, {"items": [there(account)]})
    assert send(account).id == "77"


@pytest.mark.parametrize("status", [409, 422])
def test_a_second_one_that_is_refused_is_the_first_one(account: Account, status: int) -> None:
    account.on("POST", PATH, httpx.Response(status, json={"message": "Duplicate invoice"}))
    account.on("GET", PATH, {"items": [there(account)]})
    assert send(account).id == "77"
    account.on("GET", PATH, NONE, {"items": [there(account, externalId="somebody-elses")]}, NONE)
    with pytest.raises(Held) as told:
        send(account)
    assert told.value.waiting_for == "conflict:BISFAC-1"


def test_the_same_key_with_another_content_is_a_conflict(account: Account) -> None:
    said = {"message": "The idempotency key was used with a different payload"}
    account.on("POST", PATH, httpx.Response(422, json=said))
    with pytest.raises(Held, match="No other key") as told:
        send(account)
    assert told.value.waiting_for == "conflict:BISFAC-1"


def test_a_gl_code_that_is_not_there_holds_on_the_account_of_x3(account: Account) -> None:
    """Not tried again all day: it is looked at when the account changes."""
    account.on("POST", PATH, httpx.Response(422, json={"errors": [{"field": "lines[0].glCode", "message": "unknown"}]}))
    one = target(account)
    with pytest.raises(Held) as told:
        one.send(one.prepare(invoice(), Codes(**{"6100": "GL-6100"})))
    assert told.value.waiting_for == "account:6100"


def test_words_that_nobody_knows_hold_it(account: Account) -> None:
    account.on("POST", PATH, httpx.Response(400, json={"message": "Frobnication pending"}))
    with pytest.raises(Held) as told:
        send(account)
    assert told.value.waiting_for == "lookup:BISFAC-1"


def test_too_many_requests_had_no_effect(account: Account) -> None:
    account.on("POST", PATH, httpx.Response(429, json={}))
    with pytest.raises(Throttled):
        send(account)


@pytest.mark.parametrize(("find", "header", "blind"), [(True, "", False), (False, "X-Key", False), (False, "", True)])
def test_without_look_up_and_key_an_unknown_outcome_is_held(
    account: Account, find: bool, header: str, blind: bool
) -> None:
    """The engine asks a person where an invoice is `blind`, also where our own process died over it."""
    account.secret |= {"idempotency_header": header}
    if not find:
        account.secret["profile"] = {"paths": {"invoices.find": None}}
    assert prepared(account).blind is blind


# ── looking and reading back ────────────────────────────────────────────────────────────────────────────────────


def test_it_is_looked_for_by_our_key_and_by_vendor_and_number(account: Account) -> None:
    account.on("GET", PATH, NONE)
    one = target(account)
    assert one.look(one.prepare(invoice(), Codes())) == []
    asked = [dict(request.url.params) for request in account.asked("GET", PATH)]
    assert asked[0]["externalId"].startswith("BISFAC-1-")
    assert (asked[1]["vendorExternalCode"], asked[1]["invoiceNumber"]) == ("V10000", "INV-7731")


def test_a_row_that_nobody_asked_for_proves_nothing(account: Account) -> None:
    account.on("GET", PATH, {"items": [there(account, externalId="other", invoiceNumber="X")]})
    with pytest.raises(Transient, match="filter does not work"):
        target(account).look(prepared(account))


def test_a_longer_number_is_another_invoice(account: Account) -> None:
    account.on("GET", PATH, NONE, {"items": [there(account, externalId="other", invoiceNumber="INV-77310")]})
    assert target(account).look(prepared(account)) == []


def test_what_people_captured_there_is_found_and_not_ours(account: Account) -> None:
    account.on("GET", PATH, NONE, {"items": [there(account, externalId=None, vendorExternalCode="V10000|2")]})
    (found,) = target(account).look(prepared(account))
    assert (found.ours, found.partner, found.amount) == (False, "V10000", Decimal("250.00"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404, text="<html>404</html>"), Transient),
        (httpx.Response(404, json={"code": "404", "type": "Status report", "message": "Not Found"}), Transient),
        (httpx.Response(404, json={"message": "Invoice 77 was not found"}), Transient),
        (httpx.Response(200, json={"id": "78", "amount": "250.00"}), Transient),
        (httpx.Response(200, json={"exception": {"detail": "Nullable object must have a value."}}), Transient),
        (httpx.Response(200, json={"id": "77", "amount": "plenty"}), Transient),
    ],
)
def test_only_the_very_invoice_confirms_it(account: Account, answer: httpx.Response, error: type[Exception]) -> None:
    account.on("GET", f"{PATH}/77", answer)
    with pytest.raises(error):
        target(account).read_back(Found("77", "77"))


def test_an_invoice_stands_unless_avidxchange_itself_denies_it(account: Account) -> None:
    account.on("GET", f"{PATH}/77", httpx.Response(404, json={"message": "Invoice 77 was not found"}))
    assert not target(account).stands(Found("77", "77"))
    account.on("GET", f"{PATH}/77", httpx.Response(404, json={"errors": [{"message": "Not found"}]}))
    assert not target(account).stands(Found("77", "77"))
    strangers: list[Any] = ["Not Found", {"message": "Not Found"}, {"error": "Not Found"}, {"items": []}]
    for answer in [httpx.Response(404, json=one) for one in strangers] + [
        httpx.Response(404, text="nothing here"),
        httpx.Response(204),
        httpx.Response(200, json={"items": []}),
    ]:
        account.on("GET", f"{PATH}/77", answer)
        with pytest.raises(Transient):
            target(account).stands(Found("77", "77"))
    account.on("GET", f"{PATH}/77", there(account))
    assert target(account).stands(Found("77", "77"))


def test_without_a_way_to_read_it_the_answer_is_the_confirmation_and_says_so(account: Account) -> None:
    account.secret["profile"] = {"paths": {"invoices.get": None}}
    assert "only confirmation" in target(account).read_back(Found("77", "77")).notes[0]


def test_a_later_version_is_an_update_where_the_profile_has_a_path(account: Account) -> None:
    assert not target(account).update("77", prepared(account))
    account.secret["profile"] = {"paths": {"invoices.update": "PUT /invoices/{id}"}}
    account.on("PUT", f"{PATH}/77", {"id": "77"})
    assert target(account).update("77", replace(prepared(account)))
    assert body(account.calls[-1])["invoiceNumber"] == "INV-7731"
