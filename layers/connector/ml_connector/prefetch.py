"""Reads the next page of a source while the present one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_END = object()


def prefetch(pages: Iterator[Any]) -> Iterator[Any]:
    """Yield from `pages`, always one page in advance; an error comes where its page would have come."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, pages, _END)
        while (page := coming.result()) is not _END:
            coming = reader.submit(next, pages, _END)
            yield page
