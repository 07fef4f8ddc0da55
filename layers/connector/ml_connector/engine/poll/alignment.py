"""The part of a comparison of both systems that the poll does: it writes down what the ERP has, kind by kind.

A poll logs in to one system only. The writer reads the other one and joins both (`write/alignment.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ml_connector.connection import master_source
from ml_connector.engine.ledger.alignments import PREFIX, drop_parts
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.poll.coalesce import coalesced
from ml_connector.engine.poll.state import PassState
from ml_connector.engine.write.partners import entry
from ml_connector.flow import Page


@dataclass(frozen=True, slots=True)
class Part(Page[Any]):
    """A page of one kind: which flow's, how many records came before it, and whether it is the last one."""

    number: int = 0
    before: int = 0
    last: bool = False


class AlignmentPass:
    """Reads the ERP's records of each flow that is aligned; a position is `NUMBER|COUNT|POSITION` of one of them."""

    def __init__(self, state: PassState) -> None:
        """Work on a pass under way."""
        self.state, self.pair, self.flow, self.ledger = state, state.pair, state.flow, state.ledger

    def pages(self, _since: str | None, position: str | None) -> Iterator[Page[Any]]:
        """Read all of each kind, from a position on."""
        if position is None:
            self._forget()
        number, count, place = (position or "0|0|").split("|", 2)
        for each in range(int(number), len(self.flow.aligns)):
            yield from self._each(each, int(count), place or None)
            count, place = "0", ""

    def _each(self, number: int, before: int, place: str | None) -> Iterator[Part]:
        aligned = self.pair.integration.flow(self.flow.aligns[number])
        source = master_source(self.pair.connection(self.flow.source), aligned.record)
        behind = f"{number + 1}|0|" if number + 1 < len(self.flow.aligns) else None
        ended = False
        for page in coalesced(source.pages(None, place), lambda _: 1, self.pair.runtime.clock):
            count, ended = before + len(page.records), page.position is None
            position = behind if ended else f"{number}|{count}|{page.position}"
            yield Part(page.records, (), position, None, number, before, ended)
            before = count
        if not ended:
            yield Part((), (), behind, None, number, before, True)

    def take(self, page: Page[Any]) -> list[Chunk]:
        """Write down what a page shows; behind the last one of a kind the writer takes over."""
        assert isinstance(page, Part)
        assert self.state.cursor.now is not None
        name = f"{self.state.cursor.now.started}.{page.number}."
        body = zlib.compress(msgspec.json.encode([entry(record) for record in page.records]))
        self.ledger.keep(f"{PREFIX}{name}{page.before:09d}", body)
        if not page.last:
            return []
        chunk = self.state.blank(page.before + len(page.records))
        body_of = {"parts": name, "flow": self.flow.aligns[page.number]}
        self.ledger.add(chunk, body_of, turn=self.state.turn(chunk))
        return [chunk]

    def _forget(self) -> None:
        """Drop what former passes wrote down, where no chunk needs it any more."""
        if all(chunk.kept for chunk in self.ledger.unfinished()):
            drop_parts(self.ledger)
