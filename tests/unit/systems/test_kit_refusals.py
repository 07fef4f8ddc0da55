"""Which of an invoice's codes a refusal is about, the same for every ERP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.flow import Prepared
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.refusals import culprit, took_too_long
from ml_connector.systems.sage_300 import faults as sage_300
from ml_connector.systems.sap_b1 import faults as sap_b1

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


@pytest.mark.parametrize(
    "text",
    [
        "The next batch number exceeds the maximum length.",
        "The path of the attachments folder is too long.",
        "The licence key is too long.",
    ],
)
@pytest.mark.parametrize("fault", [sage_300.Fault(400, "RecordInvalid", ""), sap_b1.Fault(400, "-10", "")], ids=repr)
def test_a_trouble_of_the_set_up_refuses_no_document_whatever_else_the_text_speaks_of(
    fault: sage_300.Fault | sap_b1.Fault, text: str
) -> None:
    dialect = sage_300.DIALECT if isinstance(fault, sage_300.Fault) else sap_b1.DIALECT
    prepared = Prepared(key="1", body={}, lookup={"number": "R-1"}, amount=None, currency="CAD")
    assert type(dialect.judge(replace(fault, text=text), prepared)) is Misconfigured


@pytest.mark.parametrize("text", ["Timeout", "Time-out of process 3", "It timed out", "Délai d'attente expiré"])
def test_what_only_took_too_long_may_end_well(text: str) -> None:
    assert took_too_long(text) and not took_too_long("The delay of payment is out of range, and so is its time")


@pytest.mark.parametrize(("code", "said"), [("-10", "no (code -10, HTTP 400)"), ("", "no (HTTP 400)")])
def test_a_fault_names_its_code_where_it_has_one(code: str, said: str) -> None:
    assert str(Fault(400, code, "no")) == said
