"""Prepares a document, sends it, and reads it back as often as the engine would."""

from __future__ import annotations

import re
from typing import Any

from ml_connector.errors import Transient
from ml_connector.flow import Found, Prepared
from tests.contract.conformance.cases import Case
from tests.contract.conformance.stand import Stand

WAITS = re.compile(
    r"(account|cost_center|supplier|tax|term|currency|company|order|conflict|lookup|approval|parent|masters|branch"
    r"|dimension|partner):\S.*|period:\d{4}-\d\d"
)
"""What a document may wait for: the kinds that the documentation lists, and what of it."""


def prepare(stand: Stand, case: Case, key: str = "one", amount: str = "119.00", **fields: Any) -> tuple[Any, Prepared]:
    target = stand.connect().target(case.record)
    return target, target.prepare(stand.document(case.record, key, amount, **fields), stand.codes)


def finish(stand: Stand, target: Any, found: Found) -> Found:
    """Read it back as often as the engine would."""
    for _ in range(5):
        try:
            back = target.read_back(found)
        except Transient:
            stand.later(60)
        else:
            assert isinstance(back, Found)
            return back
    raise AssertionError("it was never confirmed")


def check(case: Case, stand: Stand, back: Found, prepared: Prepared) -> None:
    """What the target keeps is what was prepared."""
    assert back.number and back.id
    if case.record in stand.keeps_totals:
        assert (back.amount, back.currency) == (prepared.amount, prepared.currency)
    assert back.amount in {None, prepared.amount} and back.currency in {None, prepared.currency}
