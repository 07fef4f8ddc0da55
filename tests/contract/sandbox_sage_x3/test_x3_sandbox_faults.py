"""Planned faults, on each surface."""

from __future__ import annotations

import pytest

from infra.sandbox.kit.codec import decode
from tests.contract.sandbox_sage_x3.conftest import BASE, complaint, page
from tests.contract.sandbox_sage_x3.test_x3_sandbox_graphql import Graph, suppliers

INFO = "pageInfo { hasNextPage startCursor endCursor } edges { node { _id } }"


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("503", 503, "<h2>"),
        ("200-html", 200, "Sign in"),
        ("gateway-404", 404, "page not found"),
        ("500", 500, "Gateway"),
        ("401", 401, "$diagnoses"),
        ("200-error", 200, "$diagnoses"),
    ],
)
def test_what_is_answered_without_acting(api, world, entry, kind, status, text):
    before = len(world.rows("GACCENTRY"))
    world.faults.add(kind, "GACCENTRY", headers={"Retry-After": "7"})
    reply = api.create("GACCENTRY", entry())
    assert reply.status_code == status and text in reply.text and len(world.rows("GACCENTRY")) == before
    assert api.create("GACCENTRY", entry()).status_code == 201


def test_an_error_beside_what_was_done(api, world, entry):
    before = len(world.rows("GACCENTRY"))
    world.faults.add("diagnoses", "GACCENTRY", "POST")
    reply = api.create("GACCENTRY", entry())
    assert reply.status_code == 201 and complaint(reply) and len(world.rows("GACCENTRY")) == before + 1


def test_pages_of_api1_are_spoilt(api, world):
    first = page(api.query("BPSUPPLIER"))
    after = first["$links"]["$next"]["$url"]
    for kind in ("empty-page", "no-next", "page-loop", "wrong-host", "repeated-page", "truncated"):
        world.faults.add(kind, "key=gt")
    empty, cut, loop, away, again = (page(api.call("GET", after)) for _ in range(5))
    assert empty["$resources"] == [] and "$next" in empty["$links"]
    assert "$next" not in cut["$links"] and len(cut["$resources"]) == 20
    assert loop["$links"]["$next"]["$url"].endswith(first["$resources"][-1]["$key"])
    assert away["$links"]["$next"]["$url"].startswith("https://elsewhere.invalid")
    assert again["$resources"] == first["$resources"]
    with pytest.raises(ValueError, match=r".+"):
        decode(api.call("GET", after).content)


def test_pages_of_graphql_are_spoilt(api, world):
    graph = Graph(api)
    for kind in ("empty-page", "no-next", "page-loop"):
        world.faults.add(kind, "xtrem")
    empty, cut, loop = (graph.data(suppliers("", INFO)) for _ in range(3))
    assert empty["edges"] == [] and empty["pageInfo"]["hasNextPage"]
    assert not cut["pageInfo"]["hasNextPage"] and len(cut["edges"]) == 20
    assert loop["pageInfo"]["endCursor"] == loop["pageInfo"]["startCursor"]
    world.faults.add("200-error", "xtrem")
    assert decode(graph.send(suppliers("", INFO)).content)["errors"]
    world.faults.add("diagnoses", "xtrem")
    body = decode(graph.send(suppliers("", INFO)).content)
    assert body["errors"] and body["data"]
    world.faults.add("401", "xtrem")
    assert graph.send(suppliers("", INFO)).text == "Error 50: Invalid token"


def test_a_late_write_is_applied_when_its_time_has_come(api, world, entry, clock):
    before = len(world.rows("GACCENTRY"))
    world.faults.add("late", "GACCENTRY", "POST", seconds=60)
    assert api.create("GACCENTRY", entry()).status_code == 504
    api.query("BPSUPPLIER")
    assert len(world.rows("GACCENTRY")) == before
    clock.forward(seconds=61)
    api.query("BPSUPPLIER")
    assert len(world.rows("GACCENTRY")) == before + 1


def test_calls_are_counted_and_logged_without_their_logins(api, world):
    api.query("BPSUPPLIER", where="BPSNUM eq 'V10001'")
    assert world.calls["GET api1/BPSUPPLIER"] == 1
    call = world.log[-1]
    assert (call.method, call.path, call.status) == ("GET", f"{BASE}/BPSUPPLIER", 200) and "where=" in call.query
    assert "sandbox-only" not in repr(world.log)
