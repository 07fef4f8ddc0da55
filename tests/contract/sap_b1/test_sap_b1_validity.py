"""Who is active: two flags with a period each, by the day where the company is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ml_connector.records import Account, CostCenter, Supplier

YES, NO = "tYES", "tNO"
PAST, TODAY, SOON = "2026-02-01", "2026-02-10", "2026-02-20"
CASES = [
    ((NO, None, None), (NO, None, None), True),
    ((YES, None, None), (NO, None, None), True),
    ((NO, None, None), (YES, None, None), False),
    ((None, None, None), (None, None, None), True),
    ((YES, PAST, SOON), (NO, None, None), True),
    ((YES, PAST, TODAY), (NO, None, None), True),
    ((YES, SOON, None), (NO, None, None), False),
    ((YES, None, PAST), (NO, None, None), False),
    ((NO, None, PAST), (NO, None, None), True),
    ((NO, None, None), (YES, SOON, None), True),
    ((NO, None, None), (YES, None, PAST), True),
    ((NO, None, None), (YES, TODAY, TODAY), False),
    ((NO, None, None), (NO, PAST, SOON), True),
    ((YES, PAST, None), (YES, PAST, SOON), False),
    ((YES, PAST, None), (YES, SOON, None), True),
    ((YES, "1899-12-30", "1899-12-30"), (NO, None, None), True),
]


@pytest.mark.parametrize(("valid", "frozen", "active"), CASES)
def test_suppliers_and_accounts_count_by_both_flags_and_their_periods(
    bench: Any, valid: tuple[Any, ...], frozen: tuple[Any, ...], active: bool
) -> None:
    periods = dict(zip(("ValidFrom", "ValidTo", "FrozenFrom", "FrozenTo"), (*valid[1:], *frozen[1:]), strict=True))
    partner = {"CardCode": "V10001", "Valid": valid[0], "Frozen": frozen[0], **periods}
    bench.world.upsert("BusinessPartners", partner)
    bench.world.upsert("ChartOfAccounts", {"Code": "400001", "ValidFor": valid[0], "FrozenFor": frozen[0], **periods})
    assert next(s for s in bench.all(Supplier) if s.key == "V10001").active is active
    assert next(a for a in bench.all(Account) if a.key == "400001").active is active


@pytest.mark.parametrize(
    ("flag", "begin", "end", "active"),
    [(YES, PAST, SOON, True), (YES, SOON, None, False), (YES, None, PAST, False), (NO, PAST, SOON, False)],
)
def test_a_profit_center_counts_while_it_is_in_effect(
    bench: Any, flag: str, begin: str | None, end: str | None, active: bool
) -> None:
    bench.world.upsert(
        "ProfitCenters", {"CenterCode": "CC101", "Active": flag, "EffectiveFrom": begin, "EffectiveTo": end}
    )
    assert next(c for c in bench.all(CostCenter) if c.key == "CC101").active is active


def test_the_day_is_the_one_where_the_company_is(bench: Any) -> None:
    bench.world.upsert("BusinessPartners", {"CardCode": "V10001", "Valid": YES, "ValidTo": TODAY})
    bench.clock.moment = datetime(2026, 2, 10, 22, 30, tzinfo=UTC)
    assert next(s for s in bench.all(Supplier) if s.key == "V10001").active
    bench.clock.moment = datetime(2026, 2, 10, 23, 30, tzinfo=UTC)  # in Berlin it is tomorrow
    assert not next(s for s in bench.all(Supplier) if s.key == "V10001").active


def test_a_period_of_no_date_is_that_records_fault_alone(bench: Any) -> None:
    bench.world.tables["BusinessPartners"]["V10001"] |= {"Valid": YES, "ValidTo": "soon"}
    pages = list(bench.connection.source(Supplier).pages(None, None))
    (broken,) = [one for page in pages for one in page.broken]
    assert broken.key == "V10001" and "'soon" in broken.reason
