"""Invoices by Data Access: named in extracts, read by their ids, and the extract acknowledged last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.sandbox.basware.data_extracts import extract, put
from infra.sandbox.basware.model import Document, Fault
from infra.sandbox.basware.seed import seeded_world
from infra.sandbox.basware.world import World
from ml_connector.errors import Misconfigured, Transient
from ml_connector.flow import DocumentPage
from ml_connector.records import Invoice
from ml_connector.systems.basware.extracts import Extracts
from tests.clock import Clock

PATH = "/v1/dataExtracts"


@pytest.fixture
def exported(make: Callable[..., Any]) -> Iterator[Any]:
    clock = Clock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    made = make(seeded_world(clock=clock.now), invoice_source="data_access")
    yield made
    made.connection.close()


def read(bench: Any, position: str | None = None) -> list[DocumentPage]:
    """List as the engine does: a page is written down before the next one is asked for."""
    pages = []
    for page in bench.connection.source(Invoice).list_documents(None, position):
        pages.append(page)
        if page.written is not None:
            page.written()
    return pages


def keys(pages: list[DocumentPage]) -> set[str]:
    return {one.key for page in pages for one in page.documents}


def waiting(world: World, company: str = "1000") -> set[str]:
    found = world.documents.items()
    return {key for key, one in found if one.status == "WaitingForTransfer" and one.record["companyCode"] == company}


def statuses(world: World) -> list[str]:
    return [one.status for one in world.extracts.values()]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_every_invoice_of_the_waiting_extracts_is_listed_and_the_extract_acknowledged(exported: Any, form: str) -> None:
    exported.world.extract_format = form
    there = sorted(waiting(exported.world))
    extract(exported.world, there[::2], "Initial")
    exported.later(60)
    extract(exported.world, there[1::2])
    pages = read(exported)
    assert keys(pages) == set(there)
    assert statuses(exported.world) == ["Exported", "Exported"]
    assert keys(read(exported)) == set()


def test_nothing_is_acknowledged_while_a_page_is_not_written_down(exported: Any) -> None:
    extract(exported.world)
    assert list(exported.connection.source(Invoice).list_documents(None, None))
    assert statuses(exported.world) == ["WaitingForExport"]


def test_an_invoice_that_is_listed_is_read_by_its_id_and_says_how_it_stands(exported: Any) -> None:
    one, other = sorted(waiting(exported.world))[:2]
    extract(exported.world, [one, other])
    exported.world.documents[other].record["processingStatus"] = "Transferred"
    source = exported.connection.source(Invoice)
    assert keys(read(exported)) == {one, other}
    assert source.fetch(one).standing == "offered"
    assert source.fetch(one).record.key == one
    assert source.fetch(other).standing == "transferred"


def test_other_companies_and_what_is_not_approved_yet_are_left_out(exported: Any) -> None:
    world = exported.world
    first, second, *_ = sorted(waiting(world))
    world.documents[first].record["processingStatus"] = "New"
    world.documents[second].record["companyCode"] = "9999"
    extract(world)
    found = keys(read(exported))
    assert found >= waiting(world)
    assert not {first, second} & found


def test_a_large_table_is_read_from_all_its_files(exported: Any) -> None:
    exported.world.extract_rows = 3
    extract(exported.world)
    assert keys(read(exported)) >= waiting(exported.world)


def test_a_file_at_another_host_is_read_without_credentials(exported: Any) -> None:
    exported.world.extract_host = "http://files.test"
    extract(exported.world)
    with pytest.raises((Transient, Misconfigured)):
        read(exported)  # the simulated host wants a token, and gets none
    sent = [one for one in exported.world.log if one.path.endswith("/getFile")]
    assert sent
    assert all("Authorization" not in one.headers for one in sent)
    assert statuses(exported.world) == ["WaitingForExport"]


def test_an_extract_without_invoices_is_left_to_others(exported: Any) -> None:
    put(exported.world, {"ADM_SUPPLIER": [{"SUPPLIER_CODE": "V1"}]})
    assert keys(read(exported)) == set()
    assert statuses(exported.world) == ["WaitingForExport"]


@pytest.mark.parametrize("kind", ["404", "503", "truncated", "200-html"])
def test_a_file_that_does_not_come_leaves_the_extract_waiting_and_the_others_are_read(exported: Any, kind: str) -> None:
    one, other = sorted(waiting(exported.world))[:2]
    bad = extract(exported.world, [one])
    exported.later(60)
    extract(exported.world, [other])
    fault = {
        "404": Fault("status", f"{PATH}/{bad}/getFile", status=404, times=-1),
        "503": Fault("status", f"{PATH}/{bad}/getFile", status=503, times=-1),
        "truncated": None,
        "200-html": None,
    }[kind]
    if fault is not None:
        exported.world.faults.append(fault)
    else:
        files = exported.world.extracts[bad].files
        spoilt = (lambda body: body[:-9]) if kind == "truncated" else lambda _: b"<html>Sorry</html>"
        exported.world.extracts[bad].files = {name: (t, spoilt(body)) for name, (t, body) in files.items()}
    seen = []
    with pytest.raises(Transient):
        for page in exported.connection.source(Invoice).list_documents(None, None):
            seen.append(page)
            if page.written is not None:
                page.written()
    assert keys(seen) == {other}
    assert statuses(exported.world) == ["WaitingForExport", "Exported"]


def test_fewer_files_than_the_extract_says_are_not_taken_for_all(exported: Any) -> None:
    code = extract(exported.world)
    drawer = Extracts(exported.connection.client)
    assert drawer.waiting() == [code]
    exported.world.extracts[code].files.popitem()
    with pytest.raises(Transient, match="shows 2 of 3 files"):
        drawer.documents(code)


def test_an_extract_that_somebody_else_took_meanwhile_is_no_error(exported: Any) -> None:
    code = extract(exported.world)
    for page in exported.connection.source(Invoice).list_documents(None, None):
        exported.world.extracts[code].status = "Exported"
        if page.written is not None:
            page.written()


def test_ping_reads_the_extracts_where_invoices_come_from_there(exported: Any) -> None:
    extract(exported.world)
    found = {check.what: check for check in exported.connection.ping()}
    assert found["data extracts"].ok
    assert exported.world.calls[f"GET {PATH}"] == 1


def test_what_is_acknowledged_and_not_answered_is_still_told_daily(exported: Any) -> None:
    one: Document = next(iter(exported.world.documents.values()))
    one.record |= {"processingStatus": "TransferInProgress", "companyCode": "1000"}
    assert one.record["invoiceId"] in list(exported.connection.source(Invoice).taken())
