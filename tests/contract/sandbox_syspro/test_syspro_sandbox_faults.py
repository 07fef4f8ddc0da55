"""What may happen to an answer, and what has been booked nevertheless."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.sandbox_syspro.conftest import errors, posted, xml

DEAD = "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"


@pytest.fixture
def send(api, entry):
    """Post the invoice, raw, in a session."""

    def sent() -> httpx.Response:
        _ = api.user_id or api.log_on()
        args = {"BusinessObject": "APSTIN", "XmlParameters": "", "XmlIn": xml("PostApInvoice", {"Item": entry()})}
        return api.get("/Transaction/Post", UserId=api.user_id, **args)

    return sent


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("500", 500, "Request Error"),
        ("502", 502, "Bad Gateway"),
        ("503", 503, "Service Unavailable"),
        ("504", 504, "Gateway Timeout"),
        ("200-html", 200, "Sign in"),
        ("gateway-404", 404, "404 page not found"),
        ("401", 200, DEAD),
        ("session", 200, DEAD),
        ("200-error", 200, "ERROR: e.net exception raised: 100002"),
    ],
)
def test_before_it_acts(world, send, kind, status, text):
    world.faults.add(kind, "APSTIN")
    reply = send()
    assert reply.status_code == status and text in reply.text
    assert not world.rows("ApInvoice")
    assert "<Key>" in send().text


def test_a_connection_breaks_before_or_after(world, send):
    world.faults.add("drop-before", "APSTIN")
    with pytest.raises(ConnectionResetError):
        send()
    assert not world.rows("ApInvoice")
    world.faults.add("drop", "APSTIN")
    with pytest.raises(ConnectionResetError):
        send()
    assert len(world.rows("ApInvoice")) == 1


def test_half_an_answer(world, send):
    world.faults.add("truncated", "APSTIN")
    text = send().text
    assert text.startswith("<?xml") and "</postapinvoice>" not in text and len(world.rows("ApInvoice")) == 1


def test_a_late_commit_is_booked_when_nobody_expects_it_any_more(api, world, send, clock):
    world.faults.add("late", "APSTIN", seconds=60)
    assert send().status_code == 504 and not world.rows("ApInvoice")
    api.call("/GetLogonProfile")
    assert not world.rows("ApInvoice")
    clock.forward(seconds=61)
    assert "already exists" in send().text


def test_what_has_no_session_is_never_late(api, world, send, clock):
    api.user_id = "0" * 34 + "  "
    world.faults.add("late", "APSTIN", seconds=1)
    assert send().text == DEAD
    clock.forward(seconds=9)
    api.log_on()
    assert not world.rows("ApInvoice")


def test_a_hang_sleeps_and_answers(world, send):
    slept = []
    world.sleep = slept.append
    world.faults.add("hang", "APSTIN", seconds=40)
    assert "<Key>" in send().text and slept == [40]


def test_pages_of_comfnd_may_be_empty(api, world):
    world.faults.add("empty-page", "COMFND")
    assert api.rows("ApSupplier", ["Supplier"], rows=5) == []
    assert len(api.rows("ApSupplier", ["Supplier"], rows=5)) == 5


def test_pages_of_comfnd_may_begin_again(api, world):
    first = api.rows("ApSupplier", ["Supplier"], rows=5, order=["Supplier"])
    world.faults.add("repeated-page", "COMFND")
    after = ("Supplier", "GT", first[-1]["Supplier"])
    assert api.rows("ApSupplier", ["Supplier"], after, rows=5, order=["Supplier"]) == first
    assert api.rows("ApSupplier", ["Supplier"], after, rows=5, order=["Supplier"]) != first


def test_a_person_may_take_the_session_before_or_after_a_call(api, world, send):
    world.faults.add("evict", "APSTIN")
    assert send().text == DEAD and not world.rows("ApInvoice")
    assert [one.person for one in world.sessions.open.values()] == [True]
    api.log_on()
    world.faults.add("evict-after", "APSTIN")
    assert "<Key>" in send().text
    assert send().text == DEAD and len(world.rows("ApInvoice")) == 1


@pytest.mark.parametrize("kind", ["401", "session"])
def test_of_odata_a_pair_may_be_refused(api, world, kind):
    world.faults.add(kind, "ApSupplier")
    assert api.odata("A/ApSupplier?$top=1").status_code == 401


def test_pages_of_odata_may_be_empty_repeated_or_lead_astray(api, world):
    world.page_limit, world.next_link = 10, "absolute"
    path = "A/ApSupplier?$orderby=Supplier&$select=Supplier"
    first = api.odata(path).json()
    world.faults.add("empty-page", r"skip=10")
    empty = api.odata(f"{path}&$skip=10").json()
    assert empty["value"] == [] and empty["@odata.nextLink"]
    world.faults.add("repeated-page", r"skip=10")
    assert api.odata(f"{path}&$skip=10").json()["value"] == first["value"]
    world.faults.add("page-loop", r"skip=10")
    assert "$skip=10" in api.odata(f"{path}&$skip=10").json()["@odata.nextLink"]
    world.faults.add("wrong-host", r"skip=10")
    assert api.odata(f"{path}&$skip=10").json()["@odata.nextLink"].startswith("https://elsewhere.invalid/")
    assert set(world.faults.hit) == {"empty-page", "repeated-page", "page-loop", "wrong-host"}


def test_an_unknown_kind_is_refused(world):
    with pytest.raises(ValueError, match="unknown kind"):
        world.faults.add("429")


def test_the_session_can_be_evicted_between_two_calls(api, world, entry):
    api.log_on()
    world.sessions.end(["MLCONN"])
    assert api.invoice(entry()) == DEAD
    api.log_on()
    assert posted(api.invoice(entry())) and errors(api.invoice(entry()))
