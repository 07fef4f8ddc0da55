"""What may happen to a read on its way, for every vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime

import httpx

from ml_connector.records import Record
from tests.contract.conformance.cases import SOURCES, Case
from tests.contract.conformance.parts import START
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import (
    ELSEWHERE,
    Damage,
    Go,
    acted,
    breaks,
    broken_off,
    instead,
    page,
    truncated,
)

Spoiler = Callable[[Stand], Damage]
LATER = format_datetime(START + timedelta(seconds=90), usegmt=True)
WHOLE: dict[str, Damage] = {
    "html with 200": page(200),
    "nothing with 200": instead(200),
    "null with 200": instead(200, "null"),
    "an empty object with 200": instead(200, "{}"),
    "an empty list with 200": instead(200, '{"items": []}'),
    "a text with 200": instead(200, '"Sign in"'),
    "a number with 200": instead(200, "7"),
    "no UTF-8 with 200": lambda _, __: httpx.Response(200, content=b'{"value": ["\xff\xfe"]}'),
    "deep nesting with 200": instead(200, "[" * 50_000),
    "truncated": truncated,
    "broken off": broken_off,
    "408": page(408),
    "500": instead(500),
    "500 html": page(500),
    "502": page(502),
    "503": page(503),
    "504": page(504),
    "429": instead(429),
    "reset before": breaks(httpx.ReadError),
    "reset after": acted(breaks(httpx.ReadError)),
    "hang": breaks(httpx.ReadTimeout),
    "refused": breaks(httpx.ConnectError),
    "no header": breaks(httpx.RemoteProtocolError),
}
"""Damages of any answer; none of them may pass for the end of a list."""


def of_page(stand: Stand, change: str) -> Damage:
    """Spoil a page as the vendor's pages look: see `Stand.repage`."""
    return lambda request, go: stand.repage(request, go(), change)


def repeated(stand: Stand, record: type[Record]) -> Damage:
    """Give the same answer as before, as a confused cache does."""
    last: list[httpx.Response] = []

    def again(_: httpx.Request, go: Go) -> httpx.Response:
        response = go()
        last.append(response)
        return httpx.Response(response.status_code, headers=last[0].headers, content=last[0].content)

    return again


PAGES: dict[str, Spoiler] = {
    "error envelope with 200": lambda stand: instead(200, stand.envelope),
    "empty page": lambda stand: of_page(stand, "empty"),
    "page loop": lambda stand: of_page(stand, "loop"),
    "link to another host": lambda stand: of_page(stand, "foreign"),
}
"""Damages in the vendor's own words."""
REDIRECT = instead(302, "", "text/html", location=f"https://{ELSEWHERE}/login")
EVERY: dict[str, Spoiler] = {
    **{name: (lambda _, damage=damage: damage) for name, damage in WHOLE.items()},  # type: ignore[misc]
    **PAGES,
    "redirect": lambda _: REDIRECT,
}
PLACES = 3


def in_places(case: Case) -> Iterator[tuple[str, int]]:
    """Name each fault with how many pages pass before it.

    A system that has as many sources as there are places meets each fault in each place once, over all of its sources;
    one that has fewer, at each of them.
    """
    ours = [one.record for one in SOURCES if one.system == case.system]
    for number, fault in enumerate(EVERY):
        if len(ours) < PLACES:
            yield from ((fault, place) for place in range(PLACES))
        else:
            yield fault, (number + ours.index(case.record)) % PLACES
