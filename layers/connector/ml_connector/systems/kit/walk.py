"""Pages of a list, by `$skip` over live data, so that nothing is lost between two of them.

A next link may name the server's inner host and drop our filter and selection, so only its number is taken, and our
own request is made again. Rows that leave the list while it is read move the others forward, under the page that was
just read. So each page begins with the last row of the one before; where that row is not there any more, the reader
steps back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from ml_connector.errors import Transient
from ml_connector.systems.kit.paging import Circle, row_number
from ml_connector.systems.kit.rows import Batch

W = TypeVar("W")
FEW = 5
"""Pages shorter than this do not overlap: they would hardly get on."""
MOST_STEPS_BACK = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins. `seen` are keys of which one must be in the page, empty where there is no overlap."""

    skip: int = 0
    token: str | None = None
    seen: frozenset[str] = field(default=frozenset())

    @classmethod
    def read(cls, position: str | None) -> Place:
        """Read what `text` wrote."""
        if not position:
            return cls()
        kind, _, rest = position.partition(":")
        if kind == "token":
            return cls(token=rest)
        skip, _, last = rest.partition(":")
        return cls(int(skip), None, frozenset({last} if last else ()))

    def text(self, last: str) -> str:
        """Write the place so that another process goes on from here."""
        if self.token is not None:
            return f"token:{self.token}"
        return f"skip:{self.skip}:{last if self.seen else ''}"

    def unnamed(self, number: int) -> str:
        """Name a row without a key by its place: `number` counts the rows of the page that begins here."""
        return f"?{self.token}+{number}" if self.token else f"?{self.skip + number}"

    def back(self, size: int) -> Place:
        """Step back over a page of `size` rows, to the start at most.

        One row less than a page: where a single row left the list, the row that is looked for is then not the last of
        the page, and the page gets on.
        """
        skip = max(0, self.skip - max(size - 1, 1))
        return Place(skip, None, self.seen if skip else frozenset())


@dataclass(frozen=True, slots=True)
class Pager:
    """How a vendor says that a list goes on: by a link, by a count, or by nothing at all.

    `full`: as many rows may not be all, although nothing tells of more; 0 where the page without a link is the last,
    1 where only a page with nothing new is. `tokens`: its links may name a `$skiptoken` in place of a number. `asked`:
    rows that each page is asked for by `$top`: as many that come twice are no end, but a `$skip` that is ignored.
    """

    vendor: str
    full: int = 0
    tokens: bool = False
    asked: int = 0

    def after(self, place: Place, batch: Batch[Any]) -> Place | None:
        """Find the next place; None after the last page. Raises `Transient` where a link leads nowhere."""
        read = place.skip + len(batch.keys)
        if batch.link is None:
            if place.token is not None or not self._goes_on(batch, read):
                return None
            following = read  # the link is missing, and yet there is more, or may be
        else:
            options = self._options(batch.link)
            if self.tokens and (token := options.get("$skiptoken")):
                if token == place.token:
                    raise self.loop(f"its next link repeats the token {token}")
                return Place(token=token)
            skip = row_number(options.get("$skip", ""))
            if skip is None:
                raise self.loop("its next link names no place to go on from")
            following = min(skip, read)  # a link past what came would leave rows out
        overlap = len(batch.keys) >= FEW
        if following - overlap <= place.skip:
            raise self.loop(f"a page leads back to record {following}")
        return Place(following - overlap, None, frozenset(batch.keys) if overlap else frozenset())

    def _goes_on(self, batch: Batch[Any], read: int) -> bool:
        if batch.count is not None:
            return batch.count > read
        return 0 < self.full <= len(batch.keys)

    def _options(self, link: str) -> dict[str, str]:
        try:
            return dict(parse_qsl(urlsplit(link).query))
        except ValueError as error:
            raise self.loop(f"its next link is no address ({error})") from error

    def loop(self, why: str) -> Transient:
        """Say that paging does not get on."""
        return Transient(f"{self.vendor} pages in a loop: {why}. It is read again from there later.")


def walk(
    fetch: Callable[[Place], Batch[W]],
    position: str | None,
    *,
    pager: Pager,
    key: Callable[[W], str],
    size: int,
    top: int = 0,
) -> Iterator[Batch[W]]:
    """Read page after page from `position` on, each row once. Raises `Transient` where paging does not get on.

    `size`: rows to step back over before a page has come. `top`: no more were asked for than the first page has.
    """
    place, steps, back = Place.read(position), 0, False
    known = place.seen
    circle = Circle()
    while True:
        batch = fetch(place)
        supposed = batch.untold and pager.full > 0
        if circle.closes(batch.keys, batch.mark):
            if not supposed or 0 < pager.asked <= len(batch.keys):
                raise pager.loop("a page was given twice")
            yield replace(batch, rows=(), keys=(), spoiled=())  # a server that tells nothing gives one page for ever
            return
        if place.seen and not place.seen.intersection(batch.keys):
            circle.forget()
            steps += 1
            if steps > MOST_STEPS_BACK:
                raise pager.loop("records keep moving while they are read")
            place, back = place.back(size), True
            continue
        if back and not batch.keys:
            raise pager.loop("nothing is left where records were read before")
        fresh = batch.without(known, key)
        following = None if top else pager.after(place, batch)
        onward = _gets_on(batch.keys, known)
        if supposed and not onward:
            yield fresh  # more was only supposed: a server that tells nothing may begin again after the end
            return
        if not onward and (following is not None or (batch.count is not None and len(batch.keys) > 1 and not back)):
            raise pager.loop("a page was given twice")
        if following is None:
            yield fresh
            return
        yield replace(fresh, position=following.text(batch.keys[-1]))
        place, known, size, back = following, following.seen or frozenset(batch.keys), len(batch.keys), False


def _gets_on(keys: Sequence[str], known: frozenset[str]) -> bool:
    """Tell whether a page goes beyond what was read: something stands behind the last row that is known.

    A page given twice may begin a row earlier, and so have a row that the page before did not.
    """
    return bool(keys) and keys[-1] not in known


@dataclass(frozen=True, slots=True)
class LastKey:
    """Pages by key, for a server without `$skip`: each has the rows that are greater than the last key before it.

    Rows that come or go meanwhile move no other. `size` rows are asked for at a time, sorted by key; a shorter page may
    be the server's own limit, so only an empty one is the end. `order` compares keys as the server does; None where
    that is not known, as by a database's collation: then only a page that comes again is noticed.
    """

    vendor: str
    size: int
    order: Callable[[str], Any] | None = str

    def walk(self, fetch: Callable[[str | None], Batch[W]], position: str | None = None) -> Iterator[Batch[W]]:
        """Read page after page behind the key `position`, each row once; `fetch` is given the last key, None at first.

        Raises `Transient` where the server does not sort, or gives again what it gave: rows would be left out.
        """
        last, start, circle, named = position, position, Circle(), list[str]()
        while True:
            begins, before = last, named
            batch = fetch(last)
            named = [name for name in batch.keys if not name.startswith("?")]
            if named and self.order is None and (named[-1] == last or circle.closes(named)):
                raise self._loop("a page was given twice")
            for name in named:
                if self.order and last is not None and self.order(name) <= self.order(last):
                    raise Transient(
                        f"{self.vendor} does not give records in the order of their keys: {name} comes after {last}. "
                        "Some would be left out, so the list is read again later."
                    )
                last = name
            if not named and len(batch.keys) >= min(self.size, 2):  # one without a key may be the last of all
                raise self._loop(f"records without keys behind {last} lead nowhere")
            if not named:
                if before:
                    self._doubt_the_end(fetch, before[-2] if len(before) > 1 else start, before[-1])
                yield batch
                return
            yield replace(batch, position=last)
            start = begins

    def _doubt_the_end(self, fetch: Callable[[str | None], Batch[W]], behind: str | None, last: str) -> None:
        """Ask for the last record once more: a list that has lost that one too was not read to its end."""
        if not fetch(behind).keys:
            raise Transient(
                f"{self.vendor} has nothing behind {behind}, where it gave {last} before. The list is read again later."
            )

    def _loop(self, why: str) -> Transient:
        return Transient(f"{self.vendor} pages in a loop: {why}. It is read again from there later.")
