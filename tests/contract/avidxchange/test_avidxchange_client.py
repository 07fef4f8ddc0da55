"""What is sent is taken, found and confirmed, whichever make of server answers."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.avidxchange import back_office, paying
from ml_connector.errors import Held, LoginRefused, Misconfigured, OutcomeUnknown, Throttled, Transient
from ml_connector.records import Account, CodingRow, InvoiceStatus, Supplier, SupplierInvoice
from ml_connector.systems.kit.upserts import STAGE
from tests.contract.avidxchange.conftest import HEADERS, LOGIN, OLDER, Bench
from tests.unit.avidxchange.conftest import Codes, invoice


def target(bench: Bench, **profile: Any) -> Any:
    return bench.connect(**profile).target(SupplierInvoice)


@pytest.mark.parametrize("way", [{}, HEADERS, LOGIN], ids=["oauth2", "token-headers", "login"])
def test_each_login_is_pinged_and_works(bench: Bench, way: dict[str, Any]) -> None:
    bench.secret = way or bench.secret
    checks = list(bench.connect().ping())
    assert next(c.detail for c in checks if c.what == "vendors") == "read; a vendor that nobody has is not among them"
    assert all(check.ok for check in checks), checks
    assert bench.submit().ours


def test_the_older_interface_says_first_that_nothing_can_be_submitted(bench: Bench) -> None:
    bench.secret = OLDER
    first, *others = bench.connect().ping()
    assert not first.ok and "no invoice submission" in first.detail
    assert all(check.ok for check in others), others


def test_a_wrong_password_is_tried_once_and_locks_nobody(bench: Bench) -> None:
    bench.secret = {**LOGIN, "login": {**LOGIN["login"], "password": "wrong-one"}}
    for _ in range(4):
        with pytest.raises(LoginRefused):
            bench.payments()
    assert bench.world.logins.refused == 1


# ── submission ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("answer", ["201", "results", "single", "202"])
@pytest.mark.parametrize("success", ["bool", "text"])
@pytest.mark.parametrize("members", ["lower", "Pascal"])
def test_an_invoice_is_submitted_found_and_confirmed(bench: Bench, answer: str, success: str, members: str) -> None:
    world, one = bench.world, target(bench)
    world.create_answer, world.success, world.members = answer, success, members
    found = one.send(one.prepare(invoice(company="101"), Codes()))
    shown = one.read_back(found)
    assert (shown.id, shown.ours, shown.amount) == (found.id, False, Decimal("250.00"))
    (there,) = world.invoices.values()
    assert (there.order, there.currency, there.lines[0].gl_code) == ("POH1", "USD", "6100")
    (again,) = one.look(one.prepare(invoice(company="101"), Codes()))
    assert (again.id, again.ours) == (found.id, True)


@pytest.mark.parametrize("idempotency", ["honoured", "ignored", "strict"])
@pytest.mark.parametrize("duplicates", ["refused", "unprocessable"])
def test_a_lost_answer_never_makes_two(bench: Bench, idempotency: str, duplicates: str) -> None:
    world = bench.world
    world.idempotency, world.duplicates = idempotency, duplicates
    world.faults.add("drop", "/invoices", "POST")
    with pytest.raises(OutcomeUnknown):
        bench.submit()
    one = target(bench)
    prepared = one.prepare(invoice(company="101"), Codes())
    assert len(one.look(prepared)) == len(world.invoices)
    found = one.send(prepared)
    assert len(world.invoices) == 1 and str(next(iter(world.invoices))) == found.id


@pytest.mark.parametrize("amounts", ["string", "number"])
def test_money_goes_as_the_server_wants_it(bench: Bench, amounts: str) -> None:
    bench.world.amounts_in = bench.world.amounts_out = amounts
    one = target(bench, amounts=amounts)
    row = CodingRow(key="1", account="6100", net=Decimal("9999999999.99"))
    found = one.send(one.prepare(invoice(company="101", gross=Decimal("9999999999.99"), rows=(row,)), Codes()))
    assert one.read_back(found).amount == Decimal("9999999999.99")


@pytest.mark.parametrize("way", ["negative", "type"])
def test_credit_notes(bench: Bench, way: str) -> None:
    bench.world.credit_notes = way
    one = target(bench, credit_notes=way, fields={"invoice.documentType": "type"})
    row = CodingRow(key="1", account="6100", net=Decimal(-250))
    one.send(one.prepare(invoice(company="101", gross=Decimal(-250), rows=(row,)), Codes()))
    (there,) = bench.world.invoices.values()
    assert there.amount == (Decimal(-250) if way == "negative" else Decimal(250))


@pytest.mark.parametrize(
    ("change", "waits"),
    [({"supplier": "V99999"}, "supplier:V99999"), ({"company": "999"}, None)],
)
def test_what_is_not_there_holds_the_invoice(bench: Bench, change: dict[str, str], waits: str | None) -> None:
    one = target(bench)
    with pytest.raises(Held) as told:
        one.send(one.prepare(invoice(**{"company": "101", **change}), Codes()))
    assert waits is None or told.value.waiting_for == waits


def test_one_unknown_gl_code_holds_on_the_account(bench: Bench) -> None:
    rows = (CodingRow(key="1", account="6100", net=Decimal(200)), CodingRow(key="2", account="7777", net=Decimal(50)))
    with pytest.raises(Held) as told:
        bench.submit(rows=rows)
    assert told.value.waiting_for == "account:7777"


def test_a_look_up_that_gives_everything_proves_nothing(bench: Bench) -> None:
    back_office.capture(bench.world, "V10001", "OTHER", [("6100", Decimal(5))])
    bench.world.ignored_filters = {"externalId"}
    one = target(bench)
    with pytest.raises(Transient, match="filter does not work"):
        one.look(one.prepare(invoice(company="101"), Codes()))


@pytest.mark.parametrize("kind", ["429", "429-date", "429-next"])
def test_too_many_calls_say_when_to_come_back(bench: Bench, kind: str) -> None:
    bench.world.faults.add(kind, "/invoices", "POST", seconds=120)
    with pytest.raises(Throttled) as told:
        bench.submit()
    assert told.value.retry_after is not None and 100 < told.value.retry_after <= 120
    assert not bench.world.invoices


def test_a_subscription_that_lacks_it_is_a_setting(bench: Bench) -> None:
    bench.world.forbidden = {"invoices"}
    with pytest.raises(Misconfigured):
        bench.submit()


@pytest.mark.parametrize("placement", ["header", "query"])
def test_the_company_goes_where_the_profile_says(bench: Bench, placement: str) -> None:
    bench.world.tenant, bench.world.tenant_name = placement, "companyId"
    bench.secret["company_id"] = "101"
    connection = bench.connect(company={"placement": placement, "name": "companyId"})
    assert bench.submit(connection).ours
    assert bench.payments(connection=connection)[-1].stamp == "2026-02-10"


# ── masters ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_vendors_and_gl_codes_overwrite_what_is_there(bench: Bench) -> None:
    connection = bench.connect()
    vendors: Any = connection.target(Supplier)
    codes: Any = connection.target(Account)
    one = vendors.render(Supplier(key="V30000 ", code="V30000 ", name="Meyer"), Codes())
    assert vendors.send(STAGE, [one, one]).refused == {} and bench.world.vendors["V30000 "]["name"] == "Meyer"
    code = codes.render(Account(key="6300", code="6300", name="Travel"), Codes())
    assert codes.send(STAGE, [code]).refused == {} and ("GL Account", "6300") in bench.world.codes
    vendors.deactivate(["V30000 "])
    assert not bench.world.vendor_is_usable("V30000 ")


@pytest.mark.parametrize("style", ["page", "offset", "cursor", "link", "none"])
def test_gl_codes_are_checked_over_all_pages_of_the_list(bench: Bench, style: str) -> None:
    bench.world.paging, bench.world.page_size = style, 2
    profile = {"paging": {"style": "page" if style == "none" else style, "size": 2}, "paths": {"codes.upsert": None}}
    codes: Any = bench.connect(**profile).target(Account)
    for value in ("6400", "6500", "6600"):
        back_office.change_master(bench.world, "accounting-codes", {"group": "GL Account", "value": value})
    batch = [codes.render(Account(key=key, code=key, name=key), Codes()) for key in ("6100", "6600", "7777")]
    said = codes.verdicts(STAGE, batch, codes.send(STAGE, batch).tokens)
    assert {key: one.outcome for key, one in said.items()} == {"6100": "unchanged", "6600": "unchanged", "7777": "held"}


# ── status ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invoice_is_received_approved_paid_and_unpaid_again(bench: Bench) -> None:
    found, source = bench.submit(), bench.connect().source(InvoiceStatus)
    said = []

    def look() -> None:
        (listed,) = source.asked([found.id])  # type: ignore[union-attr]
        said.append((bench.status(found.id).record.status, listed.final))

    look()
    back_office.approve(bench.world, int(found.id))
    look()
    payment = paying.pay(bench.world, [int(found.id)])
    paying.clear(bench.world, payment.id)
    look()
    paying.give_back(bench.world, payment.id)
    look()
    assert said == [("received", False), ("approved", False), ("paid", True), ("approved", False)]


def test_a_refusal_that_comes_hours_later_is_a_rejection_with_its_reason(bench: Bench) -> None:
    bench.world.validation = "later"
    rows = (CodingRow(key="1", account="7777", net=Decimal(250)),)
    found = bench.submit(rows=rows)
    assert bench.status(found.id).record.status == "received"
    bench.clock.moment += timedelta(hours=3)
    record = bench.status(found.id).record
    assert record.status == "rejected" and "7777" in record.reason


def test_a_deleted_invoice_is_a_persons_business(bench: Bench) -> None:
    found = bench.submit()
    back_office.remove(bench.world, int(found.id))
    with pytest.raises(Held, match="taken out"):
        bench.status(found.id)
    assert not target(bench).stands(found)


@pytest.mark.parametrize("pages", ["PageCount", "Pages", ""])
@pytest.mark.parametrize("address", ["", "|2"])
def test_closed_batches_show_what_was_approved(bench: Bench, pages: str, address: str) -> None:
    world = bench.world
    world.pages_name, world.vendor_address, world.digits_as_numbers, world.day_separator = pages, address, True, " "
    world.old_page_size = 1 if pages else 500
    made = [back_office.capture(world, "V10000", str(7731 + n), [("6100", Decimal(5))]) for n in range(3)]
    for one in made:
        back_office.approve(world, one.id)
    (batch,) = back_office.close_all(world)
    bench.secret = OLDER
    source: Any = bench.connect().source(InvoiceStatus)
    assert source.asked([]) is None
    listed = [one for page in source.list_documents(None, None) for one in page.documents]
    assert [one.key for one in listed] == [f"{one.id}~{batch.guid}" for one in made]
    document = source.fetch(listed[0].key)
    assert (document.record.number, document.record.supplier, document.record.status) == ("7731", "V10000", "approved")
    back_office.reopen_batch(world, batch.guid)
    assert source.fetch(listed[0].key).standing == "gone"
