"""Trouble on the way is trouble, and never the end of a list."""

from __future__ import annotations

from functools import partial

import httpx
import pytest

from ml_connector.errors import Misconfigured, Throttled, Transient, Unreachable
from tests.contract.conformance import faults
from tests.contract.conformance.cases import DOCUMENT_SOURCES, MASTER_SOURCES, SOURCES, Case, each
from tests.contract.conformance.reading import keys, leaves, naming, reread, stubbornly
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, ELSEWHERE, breaks, instead, page


@each(SOURCES)
def test_one_fault_in_any_place_costs_no_record(stand: Stand, case: Case) -> None:
    """Whoever goes on from the last position has everything in the end, and no stranger was asked with credentials."""
    stand.size = 12
    for fault, skip in faults.in_places(case):
        if fault in stand.like_its_own and not skip:  # an empty list in place of the whole of it
            continue
        with naming(f"{fault}, in place {skip}"):
            stand.wire.rules.clear()
            stand.wire.spoil(faults.EVERY[fault](stand), partial(stand.asks, case.record), skip=skip)
            try:
                read = stubbornly(stand, case)
            except Misconfigured:
                assert fault == "redirect"
            else:
                assert set(read) == stand.keys(case.record)
            _no_credentials_left(stand)


@each(SOURCES)
def test_a_fault_that_stays_is_passing_trouble_or_does_no_harm(stand: Stand, case: Case) -> None:
    stand.size = 12
    for fault in faults.EVERY:
        with naming(fault):
            stand.wire.rules.clear()
            _stays(stand, case, fault)


def _stays(stand: Stand, case: Case, fault: str) -> None:
    connection = stand.connect()
    next(leaves(connection, case))
    rule = stand.wire.spoil(faults.EVERY[fault](stand), partial(stand.asks, case.record), skip=1, times=ALWAYS)
    started = stand.clock.now()
    try:
        read = keys(connection, case)
    except (Transient, Misconfigured) as error:
        assert isinstance(error, Transient) or fault == "redirect"
        assert len(str(error)) > 30, "the message says what happened"
    else:
        assert set(read) == stand.keys(case.record)
    assert rule.hits < 60
    assert (stand.clock.now() - started).total_seconds() < 120, "the waiting is the engine's"
    _no_credentials_left(stand)


@each(MASTER_SOURCES)
def test_a_fault_takes_no_record_for_gone_when_it_is_read_again(stand: Stand, case: Case) -> None:
    """Records that `reread` leaves out are switched off at the target."""
    stand.size = 3
    for fault in faults.EVERY:
        with naming(fault):
            stand.wire.rules.clear()
            _takes_none_for_gone(stand, case, fault)


def _takes_none_for_gone(stand: Stand, case: Case, fault: str) -> None:
    connection, wanted = stand.connect(), sorted(stand.keys(case.record))[:9]
    reread(connection, case, wanted)
    times = 1 if fault == "empty page" else ALWAYS  # where it is the last page too, nothing can tell it
    stand.wire.spoil(faults.EVERY[fault](stand), partial(stand.asks, case.record), times=times)
    try:
        found, _ = reread(connection, case, wanted)
    except (Transient, Misconfigured) as error:
        assert isinstance(error, Transient) or fault == "redirect"
    else:
        assert {one.key for one in found} == set(wanted)


@each(DOCUMENT_SOURCES)
def test_a_fault_takes_no_document_for_gone(stand: Stand, case: Case) -> None:
    for fault in faults.EVERY.keys() - {"empty page", "page loop"}:  # those are damages of lists
        with naming(fault):
            stand.wire.rules.clear()
            _is_not_gone(stand, case, fault)


def _is_not_gone(stand: Stand, case: Case, fault: str) -> None:
    connection, key = stand.connect(), min(stand.keys(case.record))
    connection.source(case.record).fetch(key)
    stand.wire.spoil(faults.EVERY[fault](stand), partial(stand.asks, case.record), times=ALWAYS)
    try:
        found = connection.source(case.record).fetch(key)
    except (Transient, Misconfigured) as error:
        assert isinstance(error, Transient) or fault == "redirect"
    else:
        assert found.record is not None and found.record.key == key


@each(SOURCES)
def test_a_page_given_twice_is_no_end(stand: Stand, case: Case) -> None:
    stand.size = 12
    connection = stand.connect()
    stand.wire.spoil(faults.repeated(stand, case.record), partial(stand.asks, case.record), times=ALWAYS)
    try:
        read = keys(connection, case)
    except Transient:
        return
    assert set(read) == stand.keys(case.record)


@each(SOURCES)
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_time_gets_it(stand: Stand, case: Case, status: int) -> None:
    """Asked for in seconds or as a moment, by the server or by a proxy in front; nonsense asks for nothing."""
    connection = stand.connect()
    next(leaves(connection, case))
    for told, asked in (("120", 120), (faults.LATER, 90), ("soon", None), ("-3", None), ("9" * 30, 86_400)):
        for damage in (instead(status, Retry_After=told), page(status, Retry_After=told)):
            with naming(told):
                stand.wire.rules.clear()
                stand.wire.spoil(damage, partial(stand.asks, case.record), times=ALWAYS)
                started = stand.clock.now()
                with pytest.raises(Throttled) as caught:
                    keys(connection, case)
                waited = (stand.clock.now() - started).total_seconds()
                assert caught.value.retry_after == asked
                assert asked is None or waited < 1, "so long is waited by the engine, while others work"
                stand.clock.moment = started


@each(SOURCES)
def test_a_short_time_is_waited_out_at_once(stand: Stand, case: Case) -> None:
    connection = stand.connect()
    next(leaves(connection, case))
    stand.wire.spoil(instead(503, Retry_After="2"), partial(stand.asks, case.record), times=2)
    started = stand.clock.now()
    assert set(keys(connection, case)) == stand.keys(case.record)
    assert (stand.clock.now() - started).total_seconds() >= 4


@each(SOURCES)
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout])
def test_a_server_that_is_away_is_unreachable(stand: Stand, case: Case, error: type[httpx.RequestError]) -> None:
    stand.wire.spoil(breaks(error), lambda _: True, times=ALWAYS)
    with pytest.raises(Unreachable, match="cannot be reached"):
        keys(stand.connect(), case)


def _no_credentials_left(stand: Stand) -> None:
    secrets = stand.secrets()
    for one in stand.wire.strangers:
        assert one.url.host == ELSEWHERE
        said = f"{one.url} {dict(one.headers.multi_items())} {one.body.decode()}"
        assert "authorization" not in one.headers and "cookie" not in one.headers
        assert not [secret for secret in secrets if secret in said]
