"""A source that is told when a page is written down: extracts of documents are taken only then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.errors import Transient
from ml_connector.flow import DocumentPage
from tests.unit.engine.bench import INVOICES, Bench, Killed, Papers, invoice


@pytest.fixture
def taken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was in our own store at each moment at which the source was told."""
    told: list[list[str]] = []
    offers = Papers.list_documents

    def written() -> None:
        told.append(sorted(str(chunk.key) for chunk in bench.pair().ledger("invoices").unfinished()))

    def listed(self: Papers, since: Any, position: Any) -> Iterator[DocumentPage]:
        for page in offers(self, since, position):
            yield DocumentPage(page.documents, written=written)

    monkeypatch.setattr(Papers, "list_documents", listed)
    bench.systems.invoices = {key: invoice(key) for key in "ab"}
    return told


def test_a_source_is_told_when_every_document_of_the_page_is_in_our_store(bench: Bench, taken: list[list[str]]) -> None:
    bench.poll(INVOICES)
    assert taken == [["a", "b"]]


def test_it_is_not_told_where_the_queue_did_not_take_them(
    bench: Bench, taken: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Transient("throttled")

    monkeypatch.setattr(bench.queue, "notify_many", away)
    with pytest.raises(Transient):
        bench.poll(INVOICES)
    assert taken == []


def test_whoever_dies_before_that_lists_them_again_and_doubles_nothing(
    bench: Bench, taken: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    notify = bench.queue.notify_many

    def dies(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(bench.queue, "notify_many", dies)
    with pytest.raises(Killed):
        bench.poll(INVOICES)
    monkeypatch.setattr(bench.queue, "notify_many", notify)
    bench.poll(INVOICES)
    assert taken == [["a", "b"]]
    assert len(list(bench.pair().ledger("invoices").unfinished())) == 2


def test_a_shadow_tells_nothing(bench: Bench, taken: list[list[str]]) -> None:
    bench.shadow = True
    bench.poll(INVOICES)
    assert taken == []
