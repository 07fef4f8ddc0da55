"""Nothing that a system offers escapes the suite."""

from __future__ import annotations

import inspect
from dataclasses import replace
from itertools import product

import pytest

from ml_connector import bootstrap, records
from ml_connector.errors import Misconfigured
from ml_connector.records import Record
from tests.contract.conformance import cases, faults
from tests.contract.conformance.finding import stand_of
from tests.contract.conformance.stand import Stand

KINDS = [k for _, k in inspect.getmembers(records, inspect.isclass) if issubclass(k, Record) and k is not Record]


@cases.every_system
def test_every_system_has_a_stand(system: str) -> None:
    assert stand_of(system).system == system


def test_a_system_without_a_stand_fails_loudly() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"stands/no_such_vendor\.py"):
        stand_of("no_such_vendor")


def test_every_system_moves_something() -> None:
    assert set(bootstrap.SYSTEMS) - cases.AWAITED == {case.system for case in cases.ALL}


@cases.every_system
def test_what_no_table_names_is_not_offered_either(stand: Stand, system: str) -> None:
    """Else it would be untested; a type that is neither gives `KeyError` or `Misconfigured`, and not half an object."""
    connection = stand.connect()
    for kind in KINDS:
        for role, hand_out in (("source", connection.source), ("target", connection.target)):
            try:
                hand_out(kind)
            except (KeyError, Misconfigured):
                offered = False
            else:
                offered = True
            named = any((c.system, c.record, c.role) == (system, kind, role) for c in cases.NAMED)
            assert offered == named or kind in cases.PARTLY.get(system, ()), f"{system} as {role} of {kind.__name__}"


@cases.each(cases.DOCUMENT_SOURCES)
def test_a_source_that_takes_answers_is_tested_for_it(stand: Stand, case: cases.Case) -> None:
    assert stand.connect().source(case.record).answers is (replace(case, stand="") in cases.ANSWERING_SOURCES)


@cases.every_system
def test_nothing_is_sent_before_something_is_asked(stand: Stand, system: str) -> None:
    connection = stand.connect()
    for case in (case for case in cases.ALL if case.system == system):
        (connection.source if case.role == "source" else connection.target)(case.record)
    connection.close()
    assert stand.wire.seen == []


@cases.every_system
def test_every_system_meets_each_fault_in_each_place(system: str) -> None:
    met = {pair for case in cases.SOURCES if case.system == system for pair in faults.in_places(case)}
    assert met == set(product(faults.EVERY, range(faults.PLACES)))
