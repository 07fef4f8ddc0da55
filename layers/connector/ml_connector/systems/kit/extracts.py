"""Documents that a source names in extracts: files made now and then, taken by acknowledging the whole extract.

An extract is acknowledged last: when each of its documents is written down in our own store, and none before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Protocol

from ml_connector.errors import Transient
from ml_connector.flow import Broken, DocumentPage, ListedDocument
from ml_connector.systems.http import dumps
from ml_connector.systems.kit.data_files import folded, is_packed, rows
from ml_connector.systems.kit.paging import content_of

SIZE = 500
"""Documents of a page."""
Named = ListedDocument | Broken


class Extracts(Protocol):
    """A vendor's extracts."""

    def waiting(self) -> Sequence[str]:
        """Name the extracts that wait, the oldest first."""

    def documents(self, extract: str) -> Iterator[Named] | None:
        """Give the documents of an extract, each once and always in the same order; None where it is about none.

        Raises `Transient` where it cannot be read to its end.
        """

    def acknowledge(self, extract: str) -> None:
        """Take an extract; one that is taken already is no error."""


def listed(extracts: Extracts, position: str | None) -> Iterator[DocumentPage]:
    """List the documents of all extracts that wait, from a position on; the last page is empty.

    One that cannot be read holds up no other: its trouble is raised when the others are through.
    """
    waiting, trouble = list(extracts.waiting()), None
    at, _, done = (position or "").rpartition("~")
    skipped = {at: int(done)} if at in waiting and done.isdecimal() else {}
    for extract in waiting[waiting.index(at) if skipped else 0 :]:
        try:
            yield from _pages(extracts, extract, skipped.get(extract, 0))
        except Transient as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    yield DocumentPage([])


def _pages(extracts: Extracts, extract: str, done: int) -> Iterator[DocumentPage]:
    found = extracts.documents(extract)
    if found is None:
        return
    rest = islice(found, done, None)
    while len(part := list(islice(rest, SIZE))) == SIZE:
        done += SIZE
        yield _page(part, f"{extract}~{done}")
    yield _page(part, f"{extract}~{done + len(part)}", partial(extracts.acknowledge, extract))


def _page(part: Sequence[Named], position: str, written: Callable[[], None] | None = None) -> DocumentPage:
    broken = [one for one in part if isinstance(one, Broken)]
    offers = [one for one in part if isinstance(one, ListedDocument)]
    return DocumentPage(offers, broken, position=position, written=written)


# ── files of rows ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class File:
    """A file of an extract. `headers`: a row of it is a document; else it only names the one that it belongs to."""

    name: str
    headers: bool
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Columns:
    """In which columns a document is named, by their folded names: no server promises how they are spelt.

    `later`: what a status says of a document that is not to be read now, since it comes again when it is. `companies`
    are those whose documents count; one without a company counts as well.
    """

    key: tuple[str, ...]
    number: str
    partner: str
    company: str
    status: tuple[str, ...]
    later: frozenset[str]
    companies: frozenset[str]

    def named(self, files: Iterable[File]) -> Iterator[Named]:
        """Name the documents of some files, those with headers first. Raises `Transient` where one cannot be read."""
        given, left = set[str](), set[str]()
        for file in files:
            try:
                for row in _rows(file):
                    told = _told(row)
                    one = self._one(file, told, row)
                    if one is None or one.key in given or (not file.headers and one.key in left):
                        continue
                    if file.headers and self._is_left(told):
                        left.add(one.key)
                    else:
                        given.add(one.key)
                        yield one
            except ValueError as error:
                raise Transient(
                    f"{file.name} cannot be read to its end: {error}. It is not acknowledged, and read again later. If "
                    "that stays so, ask for another one."
                ) from error

    def _one(self, file: File, told: dict[str, str], row: Any) -> Named | None:
        names = self.key if file.headers else self.key[:1]
        column = next((name for name in names if name in told), None)
        if column is None and file.headers:
            raise ValueError(f"it has none of the columns {', '.join(names)}, but {', '.join(told)[:200] or 'none'}")
        if column is None:
            return None
        if not told[column]:
            why = f"A document in {file.name} has no id, so it can be neither read nor answered."
            return Broken(f"without-id-{content_of([row])[:12]}", why, dumps(row)[:20_000]) if file.headers else None
        number, partner = told.get(self.number), told.get(self.partner)
        return ListedDocument(told[column], number=number or None, partner=partner or None)

    def _is_left(self, told: dict[str, str]) -> bool:
        """Tell whether a document is another company's, or not to be read yet."""
        other = told.get(self.company, "") not in {"", *self.companies}
        return other or any(folded(told.get(name, "")) in self.later for name in self.status)


def _rows(file: File) -> Iterator[Any]:
    """Read a file; one that shows nothing and is not packed is read again: nothing else speaks for an empty table."""
    body = file.read()
    if not is_packed(body) and next(rows(body), None) is None:
        body = file.read()
    return rows(body)


def _told(row: Any) -> dict[str, str]:
    given = row if isinstance(row, dict) else {}
    return {folded(str(name)): str(value).strip() if value is not None else "" for name, value in given.items()}
