"""Payments as they are listed and stand, by both interfaces."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.avidxchange import back_office, paying
from infra.sandbox.avidxchange.model import Payment as Paid
from ml_connector.errors import Transient
from ml_connector.records import Payment
from tests.contract.avidxchange.conftest import OLDER, Bench

BOTH = pytest.mark.parametrize("older", [False, True], ids=["proposal", "avidsuite_v1"])


@pytest.fixture
def paid(bench: Bench) -> Paid:
    """A payment of one captured invoice, with a discount."""
    one = back_office.capture(bench.world, "V10000", "INV-7731", [("6100", Decimal(250))])
    back_office.approve(bench.world, one.id)
    return paying.pay(bench.world, [one.id], discounts={0: Decimal(5)})


def listed(bench: Bench, since: str | None = None) -> dict[str, tuple[str | None, bool]]:
    return {one.key: (one.stamp, one.void) for page in bench.payments(since) for one in page.documents}


@BOTH
def test_a_payment_lives_and_each_state_is_told_apart(bench: Bench, paid: Paid, older: bool) -> None:
    bench.secret = OLDER if older else bench.secret
    key, world, seen = f"{paid.id}~INV-7731", bench.world, list[tuple[Any, bool]]()

    def look() -> None:
        record = bench.payment(key).record
        seen.append((record.state, record.cancelled))
        assert listed(bench)[key][1] == (record.state != "paid")

    look()
    paying.issue(world, paid.id)
    look()
    paying.fail(world, paid.id)
    look()
    paying.recover(world, paid.id)
    look()
    paying.clear(world, paid.id)
    look()
    paying.give_back(world, paid.id)
    look()
    states = [state for state, _ in seen]
    assert states[1:] == ["in_flight", "failed", "in_flight", "paid", "failed"] and states[0] in {
        "scheduled",
        "in_flight",
    }
    assert [cancelled for _, cancelled in seen] == [True] * 4 + [False, True]
    record = bench.payment(key).record
    assert (record.amount, record.discount, record.supplier) == (Decimal(245), Decimal(5), "V10000")
    assert record.invoice_number == "INV-7731"


@BOTH
def test_a_reissue_is_the_same_record_with_another_stamp(bench: Bench, paid: Paid, older: bool) -> None:
    bench.secret = OLDER if older else bench.secret
    paying.clear(bench.world, paid.id)
    before = listed(bench)
    paying.give_back(bench.world, paid.id)
    paying.reissue(bench.world, paid.id, keep_id=True)
    paying.clear(bench.world, paid.id)
    after = listed(bench)
    assert before.keys() == after.keys() and before != after


@BOTH
def test_one_payment_of_several_invoices_is_a_record_of_each(bench: Bench, older: bool) -> None:
    bench.secret = OLDER if older else bench.secret
    made = [back_office.capture(bench.world, "V10000", f"R-{n}", [("6100", Decimal(10 + n))]) for n in range(3)]
    for one in made:
        back_office.approve(bench.world, one.id)
    payment = paying.pay(bench.world, [one.id for one in made])
    paying.clear(bench.world, payment.id)
    assert set(listed(bench)) == {f"{payment.id}~R-{n}" for n in range(3)}
    assert [bench.payment(f"{payment.id}~R-{n}").record.amount for n in range(3)] == [10, 11, 12]


@BOTH
def test_nothing_is_lost_at_a_seam_of_windows_or_days(bench: Bench, older: bool) -> None:
    """One payment changes each day for three months; they are read once, at the end."""
    bench.secret, world = OLDER if older else bench.secret, bench.world
    for day in range(90):
        paying.pay_other(world, "V10000", [(f"D-{day}", Decimal(1))], state="Cleared")
        bench.clock.moment += timedelta(days=1)
    found = listed(bench, "2026-02-10")
    assert len(found) == 90


@pytest.mark.parametrize("style", ["page", "offset", "cursor", "link"])
def test_each_style_of_paging_gives_them_all(bench: Bench, style: str) -> None:
    bench.world.paging = style
    for number in range(7):
        paying.pay_other(bench.world, "V10000", [(f"D-{number}", Decimal(1))], state="Cleared")
    connection = bench.connect(paging={"style": style, "size": 3})
    found = [one.key for page in bench.payments(connection=connection) for one in page.documents]
    assert len(found) == 7


@BOTH
@pytest.mark.parametrize("kind", ["short-page", "repeated-page", "200-error", "truncated", "empty-page"])
def test_a_list_that_was_not_given_whole_moves_no_mark(bench: Bench, kind: str, older: bool) -> None:
    bench.secret, bench.world.old_page_size = OLDER if older else bench.secret, 3
    for number in range(7):
        paying.pay_other(bench.world, "V10000", [(f"D-{number}", Decimal(1))], state="Cleared")
    bench.world.faults.add(kind, "/payments", "GET", times=9)
    stamps = list[str | None]()
    connection = bench.connect() if older else bench.connect(paging={"size": 3})
    with pytest.raises(Transient):
        source: Any = connection.source(Payment)
        stamps.extend(page.stamp for page in source.list_documents(None, None))
    assert not any(stamps)
