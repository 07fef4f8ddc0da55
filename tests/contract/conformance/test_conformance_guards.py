"""Guards of every list: a page given for ever, a filter that is ignored, an order that several things lead to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import httpx
import pytest

from ml_connector.errors import Transient
from ml_connector.records import PurchaseOrder
from tests.contract.conformance.cases import MASTER_SOURCES, SOURCES, Case, each, of
from tests.contract.conformance.parts import decoded, recoded
from tests.contract.conformance.reading import keys, leaves, reread
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, Damage, Go


def _for_ever(stand: Stand, change: Callable[[int, list[dict[str, object]]], None], several: int = 1) -> Damage:
    """Give the first page, or the first few in turn, for ever; each says that it goes on behind it."""
    given: list[httpx.Response] = []

    def again(request: httpx.Request, go: Go) -> httpx.Response:
        if len(given) < several:
            body = decoded(go())
            change(len(given), stand.rows(body))
            given.append(recoded(httpx.Response(200), body))
        given.append(given[len(given) % several] if len(given) >= several else given[-1])
        return stand.repage(request, given[-1], "onward")

    return again


def _keyed(_: int, rows: list[dict[str, object]]) -> None:
    """Leave the rows as they are."""


def _keyless(number: int, rows: list[dict[str, object]]) -> None:
    for row in rows:
        row.clear()
        row["Odd"] = number


@each(MASTER_SOURCES)
@pytest.mark.parametrize("rows", [_keyed, _keyless])
@pytest.mark.parametrize("since", [None, "2026-01-01"])
def test_a_page_given_for_ever_ends_the_reading(
    stand: Stand, case: Case, rows: Callable[[int, list[dict[str, object]]], None], since: str | None
) -> None:
    stand.size = 12
    rule = stand.wire.spoil(_for_ever(stand, rows), partial(stand.asks, case.record), times=ALWAYS)
    with pytest.raises(Transient, match="loop"):
        list(leaves(stand.connect(), case, since))
    assert rule.hits < 10


@each(MASTER_SOURCES)
def test_pages_that_come_in_turn_for_ever_end_the_reading(stand: Stand, case: Case) -> None:
    stand.size = 3
    rule = stand.wire.spoil(_for_ever(stand, _keyless, 2), partial(stand.asks, case.record), times=ALWAYS)
    with pytest.raises(Transient, match="loop"):
        list(leaves(stand.connect(), case))
    assert rule.hits < 20


@each(MASTER_SOURCES)
def test_what_was_not_asked_for_is_not_given_where_a_server_ignores_a_filter(stand: Stand, case: Case) -> None:
    def unfiltered(request: httpx.Request, go: Go) -> httpx.Response:
        request.url = request.url.copy_remove_param("$filter")
        return go()

    wanted = sorted(stand.keys(case.record))[:3]
    stand.wire.spoil(unfiltered, partial(stand.asks, case.record), times=ALWAYS)
    found, broken = reread(stand.connect(), case, [*wanted, wanted[0], "99990001"])
    assert sorted(one.key for one in found) == wanted and broken == []


@each(SOURCES)
def test_a_list_without_its_rows_is_shown_masked(stand: Stand, case: Case) -> None:
    """A debug page may say back what it was sent, credentials and session too."""

    def said_back(request: httpx.Request, _: Go) -> httpx.Response:
        headers = sorted(request.headers.items(), key=lambda one: one[0] not in {"cookie", "authorization"})
        said = " | ".join([*sorted(stand.secrets())[:2], *(f"{name}: {value}" for name, value in headers)])
        return httpx.Response(200, json={"debug": said, "url": str(request.url)})

    connection = stand.connect()
    next(leaves(connection, case))
    known = stand.secrets()
    stand.wire.spoil(said_back, partial(stand.asks, case.record), times=ALWAYS)
    with pytest.raises(Transient) as caught:
        list(leaves(connection, case))
    assert "***" in str(caught.value) and not [one for one in known if one in str(caught.value)]


@each(of("source", "master", [PurchaseOrder]))
def test_an_order_is_given_once_in_a_pass_whatever_leads_to_it(stand: Stand, case: Case) -> None:
    read = keys(stand.connect(), case, "2020-01-01")
    assert stand.keys(case.record) <= set(read) and len(read) == len(set(read))


@each(of("source", "master", [PurchaseOrder]))
def test_orders_of_the_first_days_there_are_are_read_with_the_others(stand: Stand, case: Case) -> None:
    """Their receipts are looked for from before their days on, and there are no ninety days before them."""

    def undated(_: httpx.Request, go: Go) -> httpx.Response:
        body = decoded(go())
        for row in stand.rows(body):
            row.update({name: "0001-01-05T00:00:00Z" for name in ("DocDate", "PurchaseOrderDate") if name in row})
        return recoded(httpx.Response(200), body)

    stand.wire.spoil(undated, partial(stand.asks, case.record), times=ALWAYS)
    assert set(keys(stand.connect(), case)) == stand.keys(case.record)
