"""A page of rows, the same for every vendor: read together where all fit, and one bad row costs only itself."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from msgspec import Struct

from ml_connector.errors import Transient
from ml_connector.systems.http import Reply, decode
from ml_connector.systems.kit.paging import decoder
from ml_connector.systems.kit.rows import Batch, Listing, page_of

LINK = '"@odata.nextLink":"Things?$skip=2","@odata.count":"9"'


class Row(Struct):
    """One row."""

    code: str
    size: int = 0


def read(body: str, *, together: bool = True) -> tuple[Batch[Row], int]:
    """Give the page, and how many rows were read each by itself."""
    single: list[Any] = []

    def one(raw: Any) -> Row:
        single.append(raw)
        return decode(Row, raw)

    reply = Reply(200, httpx.Headers(), body.encode(), clean=lambda text: text.replace("secret", "***"))
    batch = page_of(
        reply,
        "Vendor",
        "things",
        decoder=decoder(Listing[Row]) if together else None,
        read=one,
        key=lambda row: row.code,
        named=lambda raw: raw.get("code") if isinstance(raw, dict) else None,
        unnamed=lambda number: f"?{number}",
    )
    return batch, len(single)


def test_rows_that_fit_are_read_together_with_link_and_count() -> None:
    batch, single = read(f'{{"value":[{{"code":"a"}},{{"code":"b"}}],{LINK}}}')
    assert (batch.keys, batch.link, batch.count, single) == (["a", "b"], "Things?$skip=2", 9, 0)


@pytest.mark.parametrize(("bad", "key"), [('{"code":"b","size":"big"}', "b"), ('{"size":1}', "?1"), ("7", "?1")])
def test_a_row_that_does_not_fit_costs_only_itself(bad: str, key: str) -> None:
    batch, single = read(f'{{"value":[{{"code":"a"}},{bad},{{"code":"c"}}],{LINK}}}')
    assert ([row.code for row in batch.rows], batch.keys, batch.row_keys) == (["a", "c"], ["a", key, "c"], ["a", "c"])
    assert ([one.key for one in batch.spoiled], batch.link, batch.count, single) == ([key], "Things?$skip=2", 9, 3)


def test_without_a_decoder_each_row_is_read_by_itself() -> None:
    assert read(f'{{"value":[{{"code":"a"}},{{"code":"b"}}],{LINK}}}', together=False)[1] == 2


@pytest.mark.parametrize("body", ['{"error_":"secret"}', '{"value":"secret"}', '["secret"]'])
def test_a_body_without_rows_is_no_empty_list_and_is_shown_masked(body: str) -> None:
    with pytest.raises(Transient, match="without 'value'") as raised:
        read(body)
    assert "secret" not in str(raised.value)


def test_what_is_not_json_is_for_the_vendor_to_judge() -> None:
    with pytest.raises(ValueError):
        read("<html>")
