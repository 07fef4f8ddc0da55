"""Credit notes: on the invoice that they name, else on their own number, and tried without effect before."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.syspro import back_office
from ml_connector.engine.write.identity import differences
from ml_connector.errors import Held


def parameters(bench):
    return [one.url.params["XmlParameters"] for one in bench.wire.seen if one.url.path.endswith("Transaction/Post")]


@pytest.fixture
def credit(invoice, row):
    def maker(**fields):
        one = row(net="-50.00", tax="-9.50", tax_code="A")
        return invoice("-59.50", one, key="cn-1", **{"number": "CN-1", "due_date": None, **fields})

    return maker


def test_one_that_names_no_invoice_stands_on_its_own_number(bench, credit):
    bench.post(credit())
    kept = bench.kept("CN-1")
    assert kept["OrigInvValue"] == Decimal("-59.50") and kept["Reference"].startswith("cn-1-")
    assert bench.entries(Reference=kept["Reference"])["400001-CC101"] == Decimal(-50)
    assert ["ValidateOnly>Y" in one for one in parameters(bench)] == [True, False]


def test_one_that_names_a_posted_invoice_is_entered_on_it(bench, credit, invoice, row):
    bench.post(invoice("119.00", row(net="100.00", tax="19.00", tax_code="A")))
    target, one = bench.target, credit(reference="r-4711")
    prepared = bench.prepare(one)
    assert target.look(prepared) == []
    found = target.send(prepared)
    assert (found.ours, found.amount, found.kind) == (True, Decimal("-59.50"), "credit note")
    back = bench.target.read_back(found)
    assert (back.id, back.amount) == (found.id, Decimal("-59.50"))
    assert [one.id for one in bench.target.look(bench.target.trace(one, bench.codes))] == [found.id]
    assert bench.kept()["MthInvBal1"] == Decimal("59.50")
    assert bench.world.get("ApInvoice", "V10000", "CN-1") is None


def test_the_invoice_that_was_credited_is_still_itself(bench, credit, invoice, row):
    """A credit gives it another journal: that is no other document, and the voucher stays what it was."""
    bill = invoice("119.00", row(net="100.00", tax="19.00", tax_code="A"))
    posted = bench.post(bill)
    bench.target.send(bench.prepare(credit(reference="R-4711")))
    (there,) = bench.target.look(bench.target.trace(bill, bench.codes))
    assert there.id == posted.id and there.ours
    assert bench.target.read_back(posted).number == posted.number


def test_one_that_names_an_invoice_that_is_not_there_stands_alone(bench, credit):
    bench.post(credit(reference="R-9999"))
    assert bench.kept("CN-1")["OrigInvValue"] == Decimal("-59.50")


def test_one_with_the_number_of_a_posted_invoice_waits_for_a_person(bench, credit, invoice, row):
    """Code C would change that invoice, whatever it is about."""
    bench.post(invoice("119.00", row(net="100.00", tax="19.00", tax_code="A")))
    with pytest.raises(Held, match="enter the number as its reference") as held:
        bench.prepare(credit(number="R-4711"))
    assert held.value.waiting_for == "conflict:cn-1" and bench.kept()["MthInvBal1"] == Decimal(119)


def test_what_a_trial_refuses_is_not_sent(bench, credit):
    bench.world.get("ApSupplier", "V10000")["OnHold"] = "Y"
    with pytest.raises(Held, match="on hold"):
        bench.post(credit())
    assert len(parameters(bench)) == 1 and bench.world.get("ApInvoice", "V10000", "CN-1") is None


def test_a_second_one_would_be_booked_so_its_outcome_is_waited_for(bench, credit, invoice, row):
    assert not bench.prepare(credit()).unique
    assert bench.prepare(invoice("119.00", row(net="100.00", tax="19.00", tax_code="A"))).unique


def test_one_that_somebody_entered_is_found_by_its_number(bench, credit):
    back_office.enter_invoice(
        bench.world, "V10000", "CN-1", [("400001-CC101", Decimal(50))], tax=Decimal("9.50"), tax_code="A", code="C"
    )
    prepared = bench.target.trace(credit(), bench.codes)
    (there,) = bench.target.look(prepared)
    assert (there.ours, there.kind) == (False, "credit note")


def test_one_that_was_booked_twice_shows_in_its_accounts(bench, credit):
    """Nothing guards against a second one, and the invoice's own row shows one alone."""
    target, prepared = bench.target, bench.prepare(credit())
    found = target.send(prepared)
    assert differences(target.read_back(found), prepared, Decimal("0.05")) == []
    target.send(prepared)
    (point,) = differences(target.read_back(found), prepared, Decimal("0.05"))
    assert point == "account 400001-CC101 100.000 there, 50.00 here"
