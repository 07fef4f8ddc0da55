"""Answers of a server whose envelope nobody documents: names in any case, one entry in place of a list, `true` as text.

A batch answers with one result for each item under a good status; whether an item was taken is told by its result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

DEEPEST = 8
"""Errors inside of errors that are read."""
TRUE, FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})
_SENTENCES = ("message", "description", "detail", "reason", "error_description", "title")
_ERRORS = ("fault", "exception", "errors", "error", "details", "reasoncode")


def named(found: Any) -> dict[str, Any]:
    """Give an object's entries by their names in lower case; none where it is no object."""
    return {str(name).lower(): value for name, value in found.items()} if isinstance(found, dict) else {}


def each(value: Any) -> list[Any]:
    """Give a list; one entry may stand there without one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def sentences(found: Any, depth: int = DEEPEST) -> Iterator[str]:
    """List the sentences of an error in any of the forms that errors come in."""
    if isinstance(found, str):
        yield found
    for one in found if isinstance(found, list) and depth else ():
        yield from sentences(one, depth - 1)
    told = named(found)
    for name in _SENTENCES:
        if isinstance(told.get(name), str) and told[name]:
            yield told[name]
    for name in _ERRORS if depth else ():
        if told.get(name) is not None:
            yield from sentences(told[name], depth - 1)


def fields_blamed(found: Any, depth: int = DEEPEST) -> Iterator[str]:
    """List the fields that an error names, in lower case and without the path that leads to them."""
    for one in each(found):
        told = named(one)
        for name in ("field", "property", "path", "source"):
            if isinstance(told.get(name), str):
                yield re.split(r"[.\]/]", told[name])[-1].lower()
        for name in ("errors", "error", "details") if depth else ():
            if isinstance(told.get(name), (list, dict)):
                yield from fields_blamed(told[name], depth - 1)


def results_in(body: Any) -> list[dict[str, Any]] | None:
    """Give the results of the items, by names in lower case; None where the answer has none."""
    told = named(body)
    if "results" not in told:
        return None
    return [named(one) for one in each(told["results"]) if isinstance(one, dict)]


def succeeded(result: Mapping[str, Any]) -> bool | None:
    """Tell whether an item was taken; None where its result does not say so."""
    for name in ("success", "successful", "succeeded", "issuccessful"):
        if name in result:
            told = str(result[name]).strip().lower()
            return True if told in TRUE else False if told in FALSE else None
    return False if each(result.get("errors")) else None
