"""The operator's logon: what refuses it once and for all, and what only has no licence free for now."""

from __future__ import annotations

import pytest

from ml_connector.engine.access.seats import Seat
from ml_connector.errors import LoginRefused, Throttled, Transient
from tests.contract.conformance.wire import instead


def logs_on(request) -> bool:
    return request.url.path.endswith("/Logon")


@pytest.mark.parametrize(
    "said",
    [
        "Maximum number of logon attempts exceeded, operator is locked",
        "Operator MLCONN is locked out on this server",
        "Operator is disabled. Contact your SYSPRO server administrator",
        "Invalid operator password",
    ],
)
def test_a_locked_operator_is_not_tried_again(bench, said):
    rule = bench.wire.spoil(instead(200, f"ERROR: {said}"), logs_on, times=9)
    for _ in range(3):
        with pytest.raises(LoginRefused):
            bench.connection.client.profile()
        bench.clock.sleep(400)
    assert rule.hits == 1


@pytest.mark.parametrize("said", ["The number of licensed e.net users has been exceeded", "SQL server time-out"])
def test_where_no_licence_is_free_it_is_tried_later(bench, said):
    bench.wire.spoil(instead(200, f"ERROR: {said}"), logs_on)
    with pytest.raises(Throttled, match="no licence free"):
        bench.connection.client.profile()
    assert bench.connection.client.profile()


def test_a_call_has_the_session_to_itself_among_all_processes(bench):
    sessions, tried = bench.context.sessions, []
    mine, other = (Seat(sessions._store, bench.clock, sessions._pk) for _ in range(2))
    sessions.seat = mine

    def outgoing(request) -> None:
        if request.url.path.endswith("/GetLogonProfile"):
            with pytest.raises(Transient, match="one call at a time"), other.turn():
                pytest.fail("two calls at a time")
            tried.append(request)

    bench.wire.outgoing = outgoing
    assert bench.connection.client.profile() and tried
    with other.turn():
        pass
