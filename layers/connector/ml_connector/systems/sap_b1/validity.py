"""Whether a record counts today: two answers with a period each, neither, or both (`docs/vendors/sap_b1.md`).

`Valid` and `Frozen` (`ValidFor`, `FrozenFor` of accounts) are the two halves of one choice on the screen: active,
inactive, or both with periods. A record with neither is active. A period may begin or end without any change of the
record, which the daily full comparison shows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from ml_connector.systems.sap_b1.wire import NO, YES, AccountRow, CenterRow, SupplierRow, day

Today = Callable[[], date]
NEVER = 1900
"""Years up to this one are how a database says that no date was entered."""


def in_force(begin: str | None, end: str | None, today: date) -> bool:
    """Tell whether a day lies in a period, both ends within it; an end not told is open. Raises `ValueError`."""
    first, last = _told(begin), _told(end)
    return (first is None or first <= today) and (last is None or today <= last)


def supplier_counts(row: SupplierRow, today: Today) -> bool:
    """Tell whether a business partner is active."""
    return _counts(
        row.valid, (row.valid_from, row.valid_to), row.frozen, (row.frozen_from, row.frozen_to), today
    )  # fmt: skip


def account_counts(row: AccountRow, today: Today) -> bool:
    """Tell whether an account is active."""
    return _counts(
        row.valid_for, (row.valid_from, row.valid_to), row.frozen_for, (row.frozen_from, row.frozen_to), today
    )  # fmt: skip


def center_counts(row: CenterRow, today: Today) -> bool:
    """Tell whether a profit center is active and in effect."""
    return row.active != NO and in_force(row.effective_from, row.effective_to, today())


def _counts(
    valid: str | None,
    validity: tuple[str | None, str | None],
    frozen: str | None,
    freeze: tuple[str | None, str | None],
    today: Today,
) -> bool:
    if frozen == YES and in_force(*freeze, today()):
        return False
    return valid != YES or not any(validity) or in_force(*validity, today())


def _told(text: str | None) -> date | None:
    try:
        told = day(text)
    except ValueError as error:
        raise ValueError(f"A period begins or ends on '{text}', which is not a valid date.") from error
    return told if told is not None and told.year > NEVER else None
