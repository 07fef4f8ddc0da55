"""Lists in each style of paging: read whole, or read again later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ml_connector.errors import Transient
from ml_connector.systems.kit.page_styles import PageStyle

ROWS = [{"id": str(n)} for n in range(7)]


class Server:
    """Gives pages of `ROWS` in a style; `spoil` changes a body before it is given."""

    def __init__(self, style: str, rows: list[dict[str, str]] | None = None) -> None:
        self.style, self.rows = style, ROWS if rows is None else rows
        self.asked: list[dict[str, str]] = []
        self.spoil: Any = lambda body, number: body

    def __call__(self, place: Mapping[str, str]) -> Any:
        self.asked.append(dict(place))
        size = int(place.get("limit", place.get("pageSize", "3")))
        if self.style == "page":
            start = (int(place["pageNumber"]) - 1) * size
            paging: dict[str, Any] = {"PageCount": -(-len(self.rows) // size), "TotalItems": str(len(self.rows))}
        elif self.style == "offset":
            start, paging = int(place["offset"]), {"totalItems": len(self.rows)}
        else:
            start = int(place.get("cursor", "0"))
            more = str(start + size) if start + size < len(self.rows) else None
            href = f"https://inner/other/path?cursor={more}&state=all"
            links = [{"Rel": "next", "Href": href}] if more else []
            paging = {"nextCursor": more} if self.style == "cursor" else {"Links": links}
        body = {"Items": self.rows[start : start + size], "Paging": paging}
        return self.spoil(body, len(self.asked))


def read(server: Server) -> list[str]:
    style = PageStyle(server.style, 3)  # type: ignore[arg-type]
    return [row["id"] for page in style.pages(server, "Vendor", "things") for row in page]


STYLES = pytest.mark.parametrize("style", ["page", "offset", "cursor", "link"])


@STYLES
@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_a_list_is_read_to_its_end(style: str, count: int) -> None:
    server = Server(style, ROWS[:count])
    assert read(server) == [row["id"] for row in ROWS[:count]]
    assert len(server.asked) == max(1, -(-count // 3))


@STYLES
def test_a_page_that_comes_again_is_no_end(style: str) -> None:
    server = Server(style)
    first: list[Any] = []

    def again(body: Any, number: int) -> Any:
        first.append(body)
        return {**body, "Items": first[0]["Items"]}

    server.spoil = again
    with pytest.raises(Transient, match="whole"):
        read(server)


@pytest.mark.parametrize("style", ["page", "offset"])
def test_a_list_that_becomes_shorter_was_not_read_whole(style: str) -> None:
    server = Server(style)

    def shorter(body: Any, number: int) -> Any:
        fewer = 8 - number
        return {**body, "Paging": {**body["Paging"], "TotalItems": fewer, "totalItems": fewer}}

    server.spoil = shorter
    with pytest.raises(Transient, match="shorter"):
        read(server)


def test_a_cut_list_is_noticed() -> None:
    server = Server("page")
    server.spoil = lambda body, number: {**body, "Items": body["Items"][:2] if number == 1 else body["Items"]}
    with pytest.raises(Transient, match="7 entries, and gave 6"):
        read(server)


def test_a_next_link_that_leads_nowhere_is_no_end() -> None:
    server = Server("link")
    server.spoil = lambda body, number: {**body, "Paging": {"Links": [{"Rel": "next", "Href": "/v1/things"}]}}
    with pytest.raises(Transient, match="no place"):
        read(server)


@pytest.mark.parametrize("style", ["page", "offset"])
def test_without_metadata_only_a_page_that_is_not_full_is_the_last(style: str) -> None:
    server = Server(style)
    server.spoil = lambda body, number: {"items": body["Items"]}
    assert read(server) == [row["id"] for row in ROWS]


def test_a_server_that_ignores_the_place_gives_one_page_for_ever() -> None:
    server = Server("page")
    server.spoil = lambda body, number: {"items": ROWS[:3]}
    assert read(server) == ["0", "1", "2"]


@pytest.mark.parametrize(
    "body", [{}, {"message": "fine"}, "fine", [1, 2], {"items": [1]}, {"Results": {"Successful": False}}]
)
def test_what_has_no_rows_is_no_empty_list(body: Any) -> None:
    server = Server("page")
    server.spoil = lambda _, number: body
    with pytest.raises(Transient, match="empty list"):
        read(server)


@pytest.mark.parametrize("body", [[{"id": "1"}], {"items": {"id": "1"}}, {"Items": [{"id": "1"}], "Paging": None}])
def test_rows_bare_or_one_object_in_place_of_a_list(body: Any) -> None:
    server = Server("page")
    server.spoil = lambda _, number: body
    assert read(server) == ["1"]
