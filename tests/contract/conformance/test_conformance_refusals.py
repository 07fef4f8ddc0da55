"""An ERP refuses a document: for the document, for its own set-up, or for something that nobody knows."""

from __future__ import annotations

import pytest

from ml_connector.errors import ConnectorError, Held, Misconfigured, NotUnderstood, OutcomeUnknown, Rejected
from ml_connector.records import Invoice
from tests.contract.conformance.cases import Case, each, of
from tests.contract.conformance.posting import prepare
from tests.contract.conformance.reading import naming
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, acted, instead

ERPS = of("target", "document", [Invoice])
SETUP = (
    "To generate this document, first define the numbering series in the Administration module",
    "Definieren Sie zuerst den Nummernkreis",
    "Attachments folder has not been defined, or it has been changed or removed",
    "The number of licenses is exceeded",
    "Keine Lizenz für diesen Benutzer",
    "You are not permitted to perform this action: no authorization",
    "Connection to the database was lost",
    "G/L account determination is incomplete: no default account for purchases",
    "The company's A/P options have not been set up",
)
DOCUMENT = ("Value too long in property 'Comments'", "Quantity must be positive", "It has more decimals than allowed")
UNKNOWN = ("It is sour", "Our own rule 17 says no", "(1) Erro interno", "", "Internal error occurred")
DATES = (
    "Due date deviates from permissible range [OPCH.DocDueDate]",
    "The due date is outside of the fiscal year",
    "The document date is not in an open period",
)


def _refused(stand: Stand, case: Case, text: str) -> ConnectorError:
    stand.wire.rules.clear()
    target, prepared = prepare(stand, case)
    said = stand.refusal.replace("It is sour", text)
    rule = stand.wire.spoil(instead(stand.refuses[0], said), stand.posts, times=ALWAYS)
    with pytest.raises(ConnectorError) as caught:
        target.send(prepared)
    assert rule.hits and (not text or text.split("'", maxsplit=1)[0] in str(caught.value))
    assert "119.00" in str(caught.value) or isinstance(caught.value, OutcomeUnknown), "the document is named"
    return caught.value


@each(ERPS)
def test_the_erps_set_up_is_no_reason_to_refuse_a_document(stand: Stand, case: Case) -> None:
    for text in SETUP:
        with naming(text):
            error = _refused(stand, case, text)
            assert isinstance(error, (Misconfigured, Held)) and not isinstance(error, NotUnderstood)
            assert "To fix" in str(error)


@each(ERPS)
def test_what_nobody_knows_is_held_for_a_person_and_not_refused(stand: Stand, case: Case) -> None:
    for text in UNKNOWN:
        with naming(text):
            error = _refused(stand, case, text)
            assert isinstance(error, NotUnderstood) and error.waiting_for == "lookup:one"


@each(ERPS)
def test_a_known_fault_of_the_document_refuses_it(stand: Stand, case: Case) -> None:
    for text in DOCUMENT:
        with naming(text):
            assert type(_refused(stand, case, text)) is Rejected


@each(ERPS)
def test_another_date_than_the_posting_date_is_no_closed_period(stand: Stand, case: Case) -> None:
    for text in DATES:
        with naming(text):
            error = _refused(stand, case, text)
            assert isinstance(error, Held) and not error.waiting_for.startswith("period:")


@each(ERPS)
@pytest.mark.parametrize("place", range(8))
def test_taken_without_a_number_is_taken(stand: Stand, case: Case, place: int) -> None:
    """It may show later. Whoever sends it again by itself posts it twice."""
    for status, answer in stand.unnamed[place : place + 1]:
        target, prepared = prepare(stand, case)
        stand.wire.spoil(instead(status, answer), stand.posts)
        with pytest.raises(OutcomeUnknown, match=r"took invoice .*119\.00") as caught:
            target.send(prepared)
        assert caught.value.taken
    assert len(stand.unnamed) <= 8, "raise the range"


@each(ERPS)
@pytest.mark.parametrize("place", [0, 1])
def test_taken_without_a_number_and_not_to_be_looked_for_is_taken_too(stand: Stand, case: Case, place: int) -> None:
    target, prepared = prepare(stand, case)
    stand.wire.spoil(acted(instead(*stand.unnamed[place])), stand.posts)
    stand.wire.spoil(instead(404, "404 page not found"), stand.reads, times=ALWAYS)
    with pytest.raises(OutcomeUnknown) as caught:
        target.send(prepared)
    assert caught.value.taken
    stand.wire.rules.clear()
    stand.later(900)
    assert len(stand.connect().target(case.record).look(prepared)) == 1
