"""The operator's one session: shared, never fought over, shown nowhere, and given back."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from infra.sandbox.syspro import back_office
from infra.sandbox.syspro.seed import OPERATOR
from ml_connector import http_log
from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Rejected, Throttled, Transient
from ml_connector.systems.syspro.connection import PROOFS
from tests.contract.conformance.wire import ALWAYS, acted, breaks, instead, page

ENET = {"read_via": "enet"}


def logons(bench: Any) -> int:
    return sum(one.url.path.endswith("/Logon") for one in bench.wire.seen)


def first(bench: Any) -> str:
    return str(bench.connection.client.rows("ApSupplier", ("Supplier",), limit=1)[0]["Supplier"])


def post(bench: Any) -> Any:
    parameters = {"PostingPeriod": "C", "IgnoreWarnings": "N"}
    return bench.connection.client.post("APSTIN", parameters, PROOFS["APSTIN"][1])


@pytest.mark.parametrize("demands", [True, False])
def test_the_session_goes_back_with_the_spaces_that_it_ends_in(make: Any, demands: bool) -> None:
    bench = make(**ENET)
    bench.world.sessions.demands_spaces = demands
    assert first(bench) and logons(bench) == 1
    assert all("UserId=" in str(one.url) and "00%20%20" in str(one.url) for one in bench.wire.seen[1:])


def test_a_person_who_logs_on_keeps_the_session_and_is_not_thrown_out(make: Any) -> None:
    """Mistake 3: who logs on again at once ends the person's session, who ends ours, and both are locked out."""
    bench = make(**ENET)
    first(bench)
    for wait in (300, 600):
        bench.clock.sleep(90)
        back_office.log_on(bench.world, OPERATOR)
        before = logons(bench)
        with pytest.raises(Throttled, match="somebody else logged on") as caught:
            first(bench)
        assert 0 < (caught.value.retry_after or 0) <= wait
        for _ in range(3):
            bench.clock.sleep(60)
            with pytest.raises(Throttled, match="Next logon"):
                first(bench)
        assert logons(bench) == before
        bench.clock.sleep(wait)
        assert first(bench) and logons(bench) == before + 1


def test_ping_takes_the_session_from_nobody_either(make: Any) -> None:
    bench = make(**ENET)
    first(bench)
    back_office.log_on(bench.world, OPERATOR)
    with pytest.raises(Throttled):
        first(bench)
    before = logons(bench)
    checks = list(bench.connection.ping())
    assert (checks[-1].what, checks[-1].ok) == ("login", False) and "Next logon" in checks[-1].detail
    assert logons(bench) == before


def test_a_session_that_ended_while_nobody_used_it_is_replaced(make: Any) -> None:
    bench = make(**ENET)
    first(bench)
    bench.clock.sleep(301)
    bench.world.sessions.end()
    assert first(bench) and logons(bench) == 2


@pytest.mark.parametrize(
    "damage",
    [
        acted(breaks(httpx.ReadError)),
        acted(breaks(httpx.ReadTimeout)),
        acted(instead(502)),
        instead(200, "ERROR: e.net exception raised: 100032"),
        instead(200, ""),
        page(200),
        instead(200, "<postapinvoice><Item>"),
        instead(404),
    ],
)
def test_a_posting_is_sent_once_whatever_comes_of_it(make: Any, damage: Any) -> None:
    """Mistake 5: it is a GET, which libraries and proxies repeat."""
    bench = make()
    first(bench)
    bench.wire.spoil(damage, lambda request: "/Transaction/Post" in str(request.url), times=ALWAYS)
    with pytest.raises(OutcomeUnknown):
        post(bench)
    sent = [one for one in bench.wire.seen if "/Transaction/Post" in str(one.url)]
    assert len(sent) == 1 and sent[0].headers["cache-control"] == "no-store"


def test_a_posting_whose_session_ended_is_not_repeated_by_itself(make: Any) -> None:
    bench = make()
    post(bench)
    bench.clock.sleep(301)
    bench.world.sessions.end()
    with pytest.raises(OutcomeUnknown):
        post(bench)
    assert len(bench.sent()) == 2


def test_what_is_not_licensed_is_said_so_and_had_no_effect(make: Any) -> None:
    bench = make()
    bench.world.unlicensed = {"APSTIN"}
    with pytest.raises(Misconfigured, match="not licensed: APSTIN"):
        post(bench)


def test_a_document_that_is_too_long_for_an_address_is_refused_before_it_leaves(make: Any) -> None:
    bench = make()
    lines = [{"LedgerCode": "400001-CC101", "LedgerValue": "1.00"}] * 60
    with pytest.raises(Rejected, match=r"an address of \d+ characters for SYSPRO's APSTIN, which takes 8000"):
        bench.connection.client.post("APSTIN", {}, {"Item": {"LedgerDistribution": lines}})
    assert not bench.sent()


def test_passwords_and_sessions_stand_in_no_log_error_or_audit(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    """They travel in addresses."""
    bench = make(**ENET)
    caplog.set_level(logging.DEBUG, "ml_connector")
    with http_log.recording() as kept:
        first(bench)
        bench.wire.spoil(breaks(httpx.ReadError), lambda request: True, times=ALWAYS)
        with pytest.raises(Transient) as caught:
            first(bench)
    session = next(one.url.params["UserId"] for one in bench.wire.seen if "UserId" in one.url.params).strip()
    said = f"{http_log.as_rows(kept)} {caught.value!r} {caplog.text}"
    for secret in (session, "sandbox-only"):
        assert secret not in said
    assert "UserId=***" in said and "OperatorPassword=***" in said


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("ERROR: Invalid operator password", LoginRefused),
        ("ERROR: Maximum number of password attempts exceeded, operator locked", LoginRefused),
        ("ERROR: Operator is locked", LoginRefused),
        ("ERROR: The number of licensed e.net users has been exceeded", Throttled),
        ("ERROR: e.net exception raised: 100000", Misconfigured),
        ("ERROR: e.net exception raised: 100032", Transient),
        ("Sign in", Transient),
    ],
)
def test_a_refused_logon_is_told_from_trouble_that_passes(make: Any, words: str, kind: type[Exception]) -> None:
    bench = make(**ENET)
    bench.wire.spoil(instead(200, words), lambda request: request.url.path.endswith("/Logon"), times=ALWAYS)
    with pytest.raises(kind) as caught:
        first(bench)
    assert type(caught.value) is kind and "sandbox-only" not in str(caught.value)


def test_no_seat_is_kept_after_a_ping_or_a_log_off(make: Any) -> None:
    """Mistake 10: licences are used up, and people are locked out."""
    bench = make(**ENET)
    list(bench.connection.ping())
    assert not bench.world.sessions.open, "a ping without a session leaves none"
    first(bench)
    list(bench.connection.ping())
    assert len(bench.world.sessions.open) == 1, "one that was there is still the workers'"
    bench.connection.log_off()
    assert not bench.world.sessions.open
    assert first(bench), "and the next call makes another"


def test_calls_of_one_session_never_overlap(make: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    bench = make(**ENET)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: first(bench), range(12)))
    assert logons(bench) == 1 and not bench.world.violations
