"""What may happen to an answer, and what has been done nevertheless."""

from __future__ import annotations

import json

import pytest

from infra.sandbox.avidxchange import add_vendor, back_office

ALL = "modifiedSince=2026-01-01"


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("500", 500, "INTERNAL"),
        ("502", 502, "Bad Gateway"),
        ("503", 503, "Service Unavailable"),
        ("504", 504, "Gateway Timeout"),
        ("200-html", 200, "Sign in"),
        ("gateway-404", 404, "404 page not found"),
        ("401", 401, "900901"),
        ("403", 403, "900908"),
        ("200-error", 200, '"errors"'),
        ("429", 429, "900802"),
    ],
)
def test_before_it_acts(api, world, bill, kind, status, text):
    world.faults.add(kind, "invoices")
    reply = api.submit(bill())
    assert reply.status_code == status and text in reply.text
    assert not world.invoices and api.submit(bill()).status_code == 201


def test_errors_of_the_older_interface(api, world):
    api.log_in_old()
    world.faults.add("500", "v1")
    assert api.raw("GET", "/v1/accountingSystems").json()["exception"]["reason"] == "INTERNAL"
    world.faults.add("200-error", "v1")
    reply = api.raw("GET", "/v1/accountingSystems")
    assert reply.status_code == 200 and reply.json()["Results"][0]["Successful"] is False


def test_three_ways_to_say_when_to_come_back(api, world):
    def told(kind, seconds):
        world.faults.add(kind, "vendors", seconds=seconds)
        reply = api.raw("GET", f"/vendors?{ALL}")
        assert reply.status_code == 429
        return reply.headers.get("Retry-After"), reply.json()["fault"].get("nextAccessTime")

    assert told("429", 30) == ("30", None) and told("429", 0) == (None, None)
    assert told("429-date", 60) == ("Tue, 10 Feb 2026 09:31:00 GMT", None)
    assert told("429-next", 60) == (None, "2026-Feb-10 09:31:00+0000 UTC")


def test_a_connection_breaks_before_or_after(api, world, bill):
    world.faults.add("drop-before", "invoices")
    with pytest.raises(ConnectionResetError):
        api.submit(bill())
    assert not world.invoices
    world.faults.add("drop", "invoices")
    with pytest.raises(ConnectionResetError):
        api.submit(bill())
    assert len(world.invoices) == 1


def test_a_late_commit_is_done_when_nobody_expects_it_any_more(api, world, bill, clock):
    world.faults.add("late", "invoices", seconds=60)
    assert api.submit(bill()).status_code == 504
    assert api.items("/invoices?externalId=p2p-123") == []
    clock.forward(seconds=61)
    assert api.refused(api.submit(bill()), 409) == "DUPLICATE" and len(world.invoices) == 1


def test_what_has_no_login_is_never_late(api, world, bill, clock):
    api.signed = {"Authorization": "Bearer nobody"}
    world.faults.add("late", "invoices", seconds=1)
    assert api.submit(bill()).status_code == 401
    clock.forward(seconds=9)
    api.log_in()
    assert api.items("/invoices?externalId=p2p-123") == []


@pytest.fixture
def five(world):
    for number in range(3):
        add_vendor(world, f"V1000{number + 2}")
    world.page_size = 2


def codes(page):
    return [row["externalVendorCode"][-1] for row in page["items"]]


def test_pages_that_are_spoilt(api, world, five):
    path = f"/vendors?{ALL}&pageNumber=2"
    found = {}
    for kind in ("empty-page", "short-page", "repeated-page", "page-loop"):
        world.faults.add(kind, "vendors")
        found[kind] = api.get(path)
    assert {kind: codes(page) for kind, page in found.items()} == {
        "empty-page": [],
        "short-page": ["2"],
        "repeated-page": ["0", "1"],
        "page-loop": ["0", "1"],
    }
    assert {found[kind]["paging"]["pages"] for kind in ("empty-page", "short-page", "repeated-page")} == {3}
    assert found["page-loop"]["paging"]["pages"] == 3 and found["page-loop"]["paging"]["totalItems"] == 5
    world.faults.add("truncated", "vendors")
    with pytest.raises(json.JSONDecodeError):
        api.raw("GET", path).json()


def test_a_loop_never_comes_to_an_end(api, world, five):
    world.faults.add("page-loop", "vendors", times=9)
    last = api.get(f"/vendors?{ALL}&pageNumber=3")
    assert codes(last) == ["0", "1"] and last["paging"]["pages"] == 4
    world.paging = "cursor"
    first = api.get(f"/vendors?{ALL}")["paging"]["nextCursor"]
    assert api.get(f"/vendors?{ALL}&cursor={first}")["paging"]["nextCursor"] == first
    world.paging = "link"
    href = api.get(f"/vendors?{ALL}")["paging"]["links"][0]["href"]
    assert api.get(href)["paging"]["links"][0]["href"] == href
    world.paging = "offset"
    assert api.get(f"/vendors?{ALL}&offset=4")["paging"]["totalItems"] == 9


def test_links_may_lead_elsewhere(api, world, five, bill):
    world.paging = "link"
    world.faults.add("wrong-host", "vendors")
    assert api.get(f"/vendors?{ALL}")["paging"]["links"][0]["href"].startswith("https://elsewhere.invalid/vendors")
    api.submit(bill())
    back_office.approve(world, 5501, close=True)
    api.log_in_old()
    world.faults.add("wrong-host", "closed")
    path = "/v1/invoices/batches/closed/acctgSysId/101?closeDateFrom=2026-02-10&closeDateTo=2026-02-10"
    (batch,) = api.get(path)["Items"]
    assert all(link["Href"].startswith("https://elsewhere.invalid/v1/") for link in batch["Links"])


def test_pages_of_the_older_interface_are_spoilt_too(api, world, bill):
    for number in range(3):
        api.submit(bill(externalId=f"p{number}", invoiceNumber=f"INV-{number}"))
        back_office.approve(world, 5501 + number)
    guid = back_office.close_all(world)[0].guid
    world.old_page_size, path = 2, f"/v1/invoices/batches/{guid}/invoices"
    api.log_in_old()
    for kind, ids, pages in (
        ("short-page", [], 2),
        ("empty-page", [], 2),
        ("repeated-page", [5501, 5502], 2),
        ("page-loop", [5501, 5502], 3),
    ):
        world.faults.add(kind, "batches")
        page = api.get(f"{path}?PageNumber=2")
        assert [one["Id"] for one in page["Items"]] == ids and page["Paging"]["PageCount"] == pages


def test_what_was_asked_is_counted_and_logged(api, world, bill):
    api.submit(bill())
    api.get("/invoices/5501")
    assert world.calls == {"POST token": 1, "POST invoices": 1, "GET invoices/<number>": 1}
    assert [(one.method, one.path, one.status) for one in world.log][1:] == [
        ("POST", "/invoices", 201),
        ("GET", "/invoices/5501", 200),
    ]
