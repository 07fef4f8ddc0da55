"""Imports into the simulated Sage X3: a repeat makes another entry, so each is believed only once it is read back."""

from __future__ import annotations

import httpx
import pytest

from ml_connector.errors import Held, LoginRefused, NotUnderstood, OutcomeUnknown, Unreachable
from tests.contract.conformance.wire import acted, breaks, instead
from tests.contract.sage_x3.conftest import Bench, Maker
from tests.contract.sage_x3.posting import SOAP, Codes, invoice, opened, post, row, sums, target

BOTH = pytest.mark.parametrize("way", ["soap", "soap, read by GraphQL"])


def imports(request: httpx.Request) -> bool:
    return "soap-generic" in request.url.path and b"|END" in request.content


def made(bench: Bench) -> int:
    return sum(one["TYP"] == "PIINV" and one["ORIGIN"] == 3 for one in bench.world.rows("GACCENTRY"))


@BOTH
def test_each_import_is_one_document_in_one_call(make: Maker, way: str) -> None:
    bench = opened(make, way)
    for number in ("R-1", "R-2"):
        post(bench, invoice(key=number, number=number))
    sent = [one.body for one in bench.wire.seen if b"|END" in one.body]
    assert len(sent) == 2 and all(body.count(b"G;PIINV") == 1 for body in sent) and made(bench) == 2


@BOTH
def test_an_import_that_broke_off_is_looked_for_and_found(make: Maker, way: str) -> None:
    bench = opened(make, way)
    bench.wire.spoil(acted(breaks(httpx.ReadTimeout)), imports)
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    with pytest.raises(OutcomeUnknown):
        one.send(wanted)
    (found,) = target(bench).look(wanted)
    assert found.ours and made(bench) == 1


@BOTH
@pytest.mark.parametrize("messages", [True, False])
def test_a_refused_record_is_told_only_in_a_log_and_nothing_is_there(make: Maker, way: str, messages: bool) -> None:
    """Status 1, and all that says so stands in O_MESSA, or nowhere."""
    bench = opened(make, way)
    bench.world.import_messages = messages
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    account = bench.world.find("GACCOUNT", "FRA", "400001")
    account["ENAFLG"] = 1
    with pytest.raises(Held if messages else OutcomeUnknown) as raised:
        one.send(wanted)
    assert made(bench) == 0
    if isinstance(raised.value, Held):
        assert raised.value.waiting_for == "account:400001"
    else:
        assert isinstance(raised.value, OutcomeUnknown) and raised.value.taken


@BOTH
def test_a_template_that_drops_our_key_is_told_once_and_the_entry_is_known_by_its_number(make: Maker, way: str) -> None:
    bench = opened(make, way)
    bench.world.not_entered.add("REFINT")
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    found = one.send(wanted)
    assert not found.ours and made(bench) == 1
    assert any("add the column REFINT to import template GACCENTRY" in note for note in one.read_back(found).notes)
    assert not any("REFINT" in note for note in one.read_back(found).notes)


@BOTH
def test_messages_beside_the_answer_are_read_as_well(make: Maker, way: str) -> None:
    bench = opened(make, way)
    bench.world.multi_ref = True
    bench.world.templates["GACCENTRY"].active = False
    one = target(bench)
    with pytest.raises(NotUnderstood, match="GACCENTRY does not exist or is not active"):
        one.send(one.prepare(invoice(), Codes()))


@BOTH
def test_a_stopped_pool_or_no_process_parks_the_work_and_refuses_nothing(make: Maker, way: str) -> None:
    bench = opened(make, way)
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    bench.world.children = 0
    with pytest.raises(Unreachable, match="No web services accepted"):
        one.send(wanted)
    bench.world.children = 2
    bench.world.pools.clear()
    with pytest.raises(Unreachable, match=r"pool match to 'WSPOOL'.*'soap\.pool_alias'"):
        one.send(wanted)
    bench.world.pools.add("WSPOOL")
    bench.world.faults.add("slow-pool", path="/soap-generic/")
    with pytest.raises(Unreachable, match="no channel was free"):
        one.send(wanted)
    assert made(bench) == 0
    assert one.send(wanted).ours and made(bench) == 1


def test_the_two_wrong_passwords_of_soap_are_tried_once(make: Maker) -> None:
    own = {**SOAP, "auth": {"user": "mlconn", "password": "wrong"}}
    bench = opened(make, "soap", soap=own)
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    for _ in range(3):
        with pytest.raises(LoginRefused):
            one.send(wanted)
    assert bench.world.logins.refused == {"mlconn": 1} and made(bench) == 0


def test_soap_may_have_a_login_of_its_own(make: Maker) -> None:
    bench = opened(make, "soap", soap={**SOAP, "auth": {"user": "admin", "password": "admin-only"}})
    assert sums(bench, post(bench).number)


@BOTH
@pytest.mark.parametrize("number", ["R;1", 'R"1', "R|1"])
def test_what_no_file_can_hold_is_refused_before_it_leaves(make: Maker, way: str, number: str) -> None:
    bench = opened(make, way)
    with pytest.raises(Exception, match="cannot be imported as BPRVCR"):
        target(bench).prepare(invoice(number=number), Codes())
    assert not [one for one in bench.wire.seen if "soap" in one.url.path]


@BOTH
def test_texts_lose_what_would_break_the_file(make: Maker, way: str) -> None:
    bench = opened(make, way)
    back = post(bench, invoice(row(description='a;b|c"d'), description="x;y"))
    assert bench.world.find("GACCENTRY", "PIINV", back.number)["DESVCR"] == "x y"
    assert next(one for one in bench.world.rows("GACCENTRYD") if one["NUM"] == back.number)["DES"] == "a b c d"


@BOTH
def test_a_refused_token_is_no_unknown_outcome(make: Maker, way: str) -> None:
    bench = opened(make, way)
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    bench.wire.spoil(instead(401, "Error 30: Invalid token"), imports, times=9)
    bench.world.logins.users["mlconn"] = "changed"
    with pytest.raises(LoginRefused):
        one.send(wanted)
    assert made(bench) == 0
