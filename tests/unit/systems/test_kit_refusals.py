"""Which of an invoice's codes a refusal is about, the same for every ERP."""

from __future__ import annotations

import pytest

from ml_connector.systems.kit.refusals import culprit

USED = {"tax=": "none", "tax=V19": "19", "tax=V7": "7", "term=30": "N30", "number": "V7"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Tax code V7 does not exist", "7"),
        ("Tax code (V19) is inactive", "19"),
        ("Tax code V199 does not exist", "none"),  # none of ours is named: the first of its kind
        ("The tax code is wrong", "none"),
    ],
)
def test_the_code_that_is_named_is_blamed_and_an_empty_one_is_never_named(text: str, code: str) -> None:
    assert culprit("tax", text, USED) == code
    assert culprit("branch", text, USED) is None
