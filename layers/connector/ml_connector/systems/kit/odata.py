"""What all servers of OData have in common: the shape of their errors, and how filters are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from ml_connector.systems.http import Reply, listed
from ml_connector.systems.kit.faults import LONGEST_CODE, WORDS, Fault

Style = Literal["iso", "datetime"]
LONGEST = 1_400
"""Characters of a filter, as encoded: IIS takes addresses of 2048 in its query by default."""
F = TypeVar("F", bound=Fault)


def fault_in(
    reply: Reply,
    make: Callable[..., F],
    *,
    own: Callable[[str], bool] = bool,
    codes: Mapping[int, str] = MappingProxyType({}),
) -> F | None:
    """Find an error in an answer of any status; None in a good one.

    `make` is the vendor's kind of `Fault`; `own` tells a code of its own server from a gateway's; `codes` are those
    that a status stands for where the body names none.
    """
    start, code = reply.body[:256].lstrip()[:64], codes.get(reply.status, "")
    if start[:1] == b"<":
        return make(reply.status, code, _plain(reply), worded=False, page=True)
    if reply.status < 300 and b'error"' not in start:
        return None
    try:
        body = reply.json()
    except ValueError:
        body = None
    error = error_in(body)
    if error is None:
        return None if reply.status < 300 else make(reply.status, code, reply.text(), worded=False)
    if not isinstance(error, dict):
        return make(reply.status, code, reply.clean(str(error))[:WORDS], worded=False)
    said = odata_error(body, reply.status)
    return make(
        reply.status,
        reply.clean(str(error.get("code") or code))[:LONGEST_CODE],
        reply.clean(words_of(error))[:WORDS],
        worded=said is not None and own(said[0]),
    )


def _plain(reply: Reply) -> str:
    """Show a page's text without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", reply.text(2_000)).split())[:200]


def error_in(body: Any) -> Any:
    """Give what an answer has in the place of an error; None where there is none."""
    return (body.get("error") or body.get("odata.error")) if isinstance(body, dict) else None


def odata_error(body: Any, status: int) -> tuple[str, str] | None:
    """Give code and text of an error in the shape of OData; None where this is none.

    `{"error": {"code": …, "message": "…"}}`, or with `{"value": "…"}` for the message.
    A gateway's own error often looks alike, and has the HTTP status for its code.
    """
    error = error_in(body)
    if not isinstance(error, dict):
        return None
    code, message = error.get("code"), error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    if isinstance(code, bool) or not isinstance(code, (str, int)) or not isinstance(message, str):
        return None
    return None if not str(code) or str(code) == str(status) else (str(code), message)


def words_of(error: dict[str, Any]) -> str:
    """Give the text of an error and of its details, each once."""
    message = error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    details = [detail.get("message") for detail in listed(error.get("details")) if isinstance(detail, dict)]
    return " · ".join(dict.fromkeys(" ".join(str(part).split()) for part in (message, *details) if part))


def quoted(text: str) -> str:
    """Write a string literal of a filter: single quotes, embedded ones doubled."""
    return "'" + text.replace("'", "''") + "'"


def any_of(conditions: Iterable[str]) -> Iterator[str]:
    """Write `a or b …`, as many to a filter as an address holds."""
    return (" or ".join(part) for part in _parts(conditions, 0))


def narrowed(field: str, literals: Iterable[str], tail: str = "") -> Iterator[tuple[str, int]]:
    """Write `f eq a or f eq b …` with `tail`, a condition on all of them; with how many each filter asks for."""
    for part in _parts((f"{field} eq {one}" for one in literals), len(quote(tail)) + 10 if tail else 0):
        said = " or ".join(part)
        if tail:
            said = f"({said}) and {tail}" if len(part) > 1 else f"{said} and {tail}"
        yield said, len(part)


def _parts(conditions: Iterable[str], taken: int) -> Iterator[list[str]]:
    part: list[str] = []
    size = taken
    for one in conditions:
        more = len(quote(f" or {one}"))
        if part and size + more > LONGEST:
            yield part
            part, size = [], taken
        part.append(one)
        size += more
    if part:
        yield part


def day_literal(day: date, style: Style) -> str:
    """Write a date in a filter: bare, as OData 4 has it, or as the older reference does (`date_literal`)."""
    return f"{day.isoformat()}T00:00:00Z" if style == "iso" else f"datetime'{day.isoformat()}T00:00:00'"
