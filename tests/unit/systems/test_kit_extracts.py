"""Extracts of documents: each document once, an extract taken last, and none held up by another."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.errors import Transient
from ml_connector.flow import Broken, DocumentPage, ListedDocument
from ml_connector.systems.kit import extracts
from ml_connector.systems.kit.extracts import Columns, File, Named, listed

COLUMNS = Columns(
    ("invoiceid", "id"), "number", "partner", "company", ("status",), frozenset({"inapproval"}), frozenset({"1000"})
)


class Drawer:
    """Extracts in memory."""

    def __init__(self, **held: Any) -> None:
        self.held, self.taken = held, list[str]()

    def waiting(self) -> list[str]:
        return [name for name in self.held if name not in self.taken]

    def documents(self, extract: str) -> Iterator[Named] | None:
        found = self.held[extract]
        if isinstance(found, Exception):
            raise found
        return None if found is None else iter([ListedDocument(key) for key in found])

    def acknowledge(self, extract: str) -> None:
        self.taken.append(extract)


def read(drawer: Drawer, position: str | None = None) -> list[DocumentPage]:
    """Read as the engine does: a page is written down before the next one is asked for."""
    pages = []
    for page in listed(drawer, position):
        pages.append(page)
        if page.written is not None:
            page.written()
    return pages


def keys(pages: list[DocumentPage]) -> list[str]:
    return [one.key for page in pages for one in page.documents]


def test_an_extract_is_taken_with_its_last_page_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracts, "SIZE", 2)
    drawer = Drawer(x="abcde", y="f")
    pages = list(listed(drawer, None))
    assert [[one.key for one in page.documents] for page in pages] == [["a", "b"], ["c", "d"], ["e"], ["f"], []]
    assert [page.written is not None for page in pages] == [False, False, True, True, False]
    assert drawer.taken == []
    pages[2].written()  # type: ignore[misc]
    assert drawer.taken == ["x"]


def test_a_reading_goes_on_behind_the_page_that_was_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracts, "SIZE", 2)
    first = list(listed(Drawer(x="abcde", y="f"), None))
    for number, page in enumerate(first[:-1]):
        rest = keys(read(Drawer(x="abcde", y="f"), page.position))
        assert keys(first[: number + 1]) + rest == list("abcdef")


def test_a_position_in_an_extract_that_is_taken_by_now_begins_at_the_first() -> None:
    assert keys(read(Drawer(y="f"), "x~2")) == ["f"]


def test_one_without_any_document_is_taken_and_one_about_something_else_is_not() -> None:
    drawer = Drawer(x="", y=None)
    assert keys(read(drawer)) == []
    assert drawer.taken == ["x"]


def test_one_that_cannot_be_read_holds_up_no_other_and_is_not_taken() -> None:
    drawer = Drawer(x=Transient("away"), y="a")
    seen = []
    with pytest.raises(Transient, match="away"):
        for page in listed(drawer, None):
            seen.append(page)
            if page.written is not None:
                page.written()
    assert keys(seen) == ["a"]
    assert drawer.taken == ["y"]


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def named(*files: tuple[bool, Any]) -> list[Named]:
    made = [
        File(f"f{n}", headers, lambda rows=rows: json.dumps(rows).encode()) for n, (headers, rows) in enumerate(files)
    ]
    return list(COLUMNS.named(made))


def test_a_document_is_named_once_with_what_its_list_tells() -> None:
    found = named((True, [{"INVOICE_ID": "a", "NUMBER": "R-1", "PARTNER": "V1"}, {"INVOICE_ID": "a"}]))
    assert found == [ListedDocument("a", number="R-1", partner="V1")]


def test_only_a_status_that_is_known_to_be_too_early_leaves_a_document_out() -> None:
    statuses = {"a": "In Approval", "b": "Approved", "c": "Something", "d": None}
    headers = [{"invoiceId": key, "Status": status} for key, status in statuses.items()]
    rows = [{"invoiceId": key} for key in "abx"]
    assert [one.key for one in named((True, headers), (False, rows))] == ["b", "c", "d", "x"]


def test_a_document_that_is_approved_in_a_later_row_is_named() -> None:
    rows = [{"id": "a", "status": "InApproval"}, {"id": "a", "status": "Approved"}]
    assert [one.key for one in named((True, rows))] == ["a"]


def test_documents_of_other_companies_are_left_out() -> None:
    rows = [{"id": "a", "company": "2000"}, {"id": "b", "company": "1000"}, {"id": "c", "company": ""}]
    assert [one.key for one in named((True, rows), (False, [{"invoiceid": "a"}]))] == ["b", "c"]


def test_a_row_without_an_id_is_told_and_the_rest_goes_on() -> None:
    first, second = named((True, [{"id": None, "number": "R-1"}, {"id": "b"}]))
    assert isinstance(first, Broken)
    assert "has no id" in first.reason
    assert second == ListedDocument("b")


@pytest.mark.parametrize("rows", [[{"DOC": "a"}], [7], [{"message": "Internal server error"}]])
def test_a_file_without_the_column_of_ids_is_not_taken_for_an_empty_one(rows: Any) -> None:
    with pytest.raises(Transient, match="none of the columns invoiceid, id"):
        named((True, rows))


def test_rows_that_only_belong_to_a_document_may_name_none() -> None:
    assert named((False, [{"id": "row-1"}])) == []


@pytest.mark.parametrize("second", ["[]", '[{"id": "a"}]'])
def test_an_empty_file_that_is_not_packed_is_read_again_before_it_is_believed(second: str) -> None:
    bodies = [b"[]", second.encode()]
    found = list(COLUMNS.named([File("f", headers=True, read=lambda: bodies.pop(0))]))
    assert [one.key for one in found] == [row["id"] for row in json.loads(second)]
    assert bodies == []


def test_an_empty_file_that_is_packed_is_believed() -> None:
    bodies = [gzip.compress(b"[]")]
    assert list(COLUMNS.named([File("f", headers=True, read=lambda: bodies.pop(0))])) == []
