"""Sessions of e.net: the shape of a session, one for each operator, seats, what a dead one looks like."""

from __future__ import annotations

import re
import threading

import pytest

from infra.sandbox.syspro import back_office
from tests.contract.sandbox_syspro.conftest import PASSWORD, REST, parsed

PROFILE = "/GetLogonProfile"
DEAD = "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"


def test_a_session_has_36_characters_and_two_of_them_are_spaces(api):
    assert re.fullmatch(r"[0-9A-F]{32}00  ", api.log_on())
    reply = api.get(PROFILE, UserId=api.user_id)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/octet-stream")
    assert reply.headers["Server"] == "Microsoft-HTTPAPI/2.0"


def test_the_profile_tells_operator_currency_and_dates(api, world):
    found = {node.tag: node.text for node in parsed(api.call(PROFILE))}
    assert (found["OperatorCode"], found["LocalCurrencyCode"], found["CompanyDate"]) == ("MLCONN", "EUR", "2026-02-10")
    assert found["AccountingDate"] == "2026-02-10"
    world.ap_period = "2026-03"
    assert parsed(api.call(PROFILE)).findtext("AccountingDate") == "2026-03-01"


def test_a_path_has_no_case_and_a_version_needs_no_session(api):
    assert api.http.get("/sysprowcfservice/REST/getversion").text == "8.0.0.21"
    assert api.get("/nothing").status_code == 404
    assert api.http.get("/SYSPROWCFService/Utilities/Logon").status_code == 404


def test_a_call_is_a_get(api):
    assert api.http.post(f"{REST}/Logon").status_code == 405


@pytest.mark.parametrize(
    ("operator", "password", "company", "text"),
    [
        ("MLCONN", "wrong", "A", "ERROR: Invalid operator password"),
        ("NOBODY", PASSWORD, "A", "ERROR: Invalid operator"),
        ("MLCONN", PASSWORD, "Z", "ERROR: Invalid company"),
    ],
)
def test_a_wrong_logon_is_an_error_under_200(api, world, operator, password, company, text):
    assert api.log_on(operator, password, company) == text
    assert world.sessions.failures.total() == 1
    assert not world.sessions.open


def test_the_company_password_is_sent_even_when_blank(api):
    args = {"Operator": "MLCONN", "OperatorPassword": PASSWORD, "CompanyId": "A"}
    assert api.get("/Logon", **args).text == "ERROR: Logon expects companypassword, even when blank"


def test_a_second_logon_evicts_the_first(api, world):
    first = api.log_on()
    api.log_on()
    assert api.get(PROFILE, UserId=first).text == DEAD
    assert api.get(PROFILE, UserId=api.user_id).text.startswith("<?xml")
    assert (world.sessions.evicted, len(world.sessions.open)) == (1, 1)


def test_a_person_evicts_the_session_too(api, world):
    api.log_on()
    back_office.log_on(world, "mlconn")
    assert api.call(PROFILE) == DEAD


def test_whoever_takes_the_session_of_a_person_is_noted(api, world, clock):
    back_office.log_on(world, "MLCONN")
    clock.forward(seconds=5)
    api.log_on()
    assert world.sessions.ousted == [5.0]


def test_a_session_is_one_of_its_company(api, world, entry):
    api.log_on(company="B")
    assert api.rows("ApSupplier", ["Supplier"]) == []
    assert api.invoice(entry()) == "ERROR: Company 'B' is not open for posting"
    assert api.call(
        "/Query/Fetch", XmlIn="<Fetch><TableName>ApSupplier</TableName><Key>V10000</Key></Fetch>"
    ).startswith("ERROR: Key")
    assert not world.rows("ApInvoice")


def test_log_off_ends_it_and_a_second_one_is_an_error(api, world):
    assert api.call("/Logoff") == "0"
    assert api.call("/Logoff") == DEAD
    assert (world.sessions.logoffs, world.sessions.open) == (1, {})


def test_spaces_may_be_trimmed_unless_the_server_demands_them(api, world):
    api.log_on()
    assert api.get(PROFILE, UserId=api.user_id.rstrip()).text.startswith("<?xml")
    world.sessions.demands_spaces = True
    assert api.get(PROFILE, UserId=api.user_id.rstrip()).text == DEAD
    assert api.get(PROFILE, UserId=api.user_id).text.startswith("<?xml")


def test_sessions_that_nobody_ends_exhaust_the_license(api, world, clock):
    world.sessions.seats = 2
    api.log_on("ADMIN", "admin-only")
    api.log_on()
    assert api.log_on("JANE", "jane-only") == "ERROR: The number of licensed e.net users has been exceeded"
    assert api.call("/Logoff") == "0"
    assert len(api.log_on("JANE", "jane-only")) == 36
    clock.forward(minutes=61)  # an idle one makes room for whoever needs the seat, and not before
    assert {one.operator for one in world.sessions.open.values()} == {"ADMIN", "JANE"}
    api.log_on()
    assert [one.operator for one in world.sessions.open.values()] == ["MLCONN"]


def test_an_evicted_session_may_keep_its_seat(api, world):
    world.sessions.seats, world.sessions.evicted_keep_seats = 2, True
    api.log_on()
    api.log_on()
    assert api.log_on("JANE", "jane-only").startswith("ERROR: The number of licensed")


def test_an_idle_session_may_end_by_itself(api, world, clock):
    world.sessions.idle_ends = "always"
    api.log_on()
    clock.forward(minutes=59)
    assert api.call(PROFILE).startswith("<?xml")
    clock.forward(minutes=61)
    assert api.call(PROFILE) == DEAD


def test_two_calls_at_once_in_one_session_are_noted(api, world):
    api.log_on()
    others = [threading.Thread(target=api.get, args=(PROFILE,), kwargs={"UserId": api.user_id}) for _ in "ab"]
    world.faults.add("hang", times=2, seconds=1)
    both = threading.Barrier(2, timeout=5)
    world.sleep = lambda _: both.wait()
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert world.violations == ["GetLogonProfile: 2 calls at once in one session"]
    assert api.call(PROFILE).startswith("<?xml") and len(world.violations) == 1


def test_an_address_that_is_too_long_is_refused_before_it_is_read(api):
    api.log_on()
    assert api.get("/Query/Query", UserId=api.user_id, XmlIn="x" * 16_400).status_code == 414
    assert api.get("/Query/Query", UserId=api.user_id, XmlIn="x" * 16_250).status_code == 400
    assert api.get("/Query/Query", UserId=api.user_id, XmlIn="x" * 15_000).status_code == 200


@pytest.mark.parametrize(("wrapping", "start"), [("json", '"'), ("string", "<string xmlns=")])
def test_answers_may_be_wrapped(api, world, wrapping, start):
    world.wrapping = wrapping
    reply = api.get("/Logon", Operator="MLCONN", OperatorPassword=PASSWORD, CompanyId="A", CompanyPassword="")
    assert reply.text.startswith(start)
    inner = reply.json() if wrapping == "json" else reply.text.partition(">")[2].partition("<")[0]
    profile = api.get(PROFILE, UserId=inner).text
    assert profile.startswith(start) and "<UserProfile" in (
        profile if wrapping == "json" else profile.replace("&lt;", "<")
    )


def test_an_object_that_is_not_licensed_is_an_error_with_a_number(api, world):
    text = "ERROR: e.net exception raised: 100000"
    world.unlicensed = {"APSTIN", "COMFND"}
    assert api.post("APSTIN", "<PostApInvoice/>") == text
    assert api.post("NOSUCH", "<X/>") == text
    assert api.post("APSTIN", "<PostApInvoice/>", path="/Setup/Update") == text
    assert api.find("ApSupplier", ["Supplier"], rows=1).startswith("<?xml")  # COM* is always there


def test_a_password_is_not_kept_in_the_log(api, world):
    api.log_on()
    assert world.log[0].path.endswith("/Logon")
    assert all(PASSWORD not in entry.query for entry in world.log)
