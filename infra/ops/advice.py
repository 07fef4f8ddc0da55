"""Makes the commands that a text suggests work as pasted, and says until when work waits as a clock on the wall does.

The engine writes reasons down without knowing where a person will read them: its commands lack `--secrets DIR` or
`--stack NAME`, an adapter's say TENANT, a code with a blank in it stands there as it is, and times are ISO 8601 in UTC.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_COMMAND = re.compile(r"`(ml-connector [^`]+)`")
_WAITS = re.compile(r"(Work waits until) (\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))")
_PLACED = re.compile(r" --(?:secrets|stack)\b")
_PLACELESS = re.compile(r" (?:demo|sandbox|--)")
FIELDS = ("reason", "error", "problem", "detail")
"""Fields of listings that are sentences with advice."""


_options: ContextVar[Mapping[str, Any]] = ContextVar("options", default={})  # noqa: B039 - never changed in place


@contextmanager
def command() -> Iterator[None]:
    """Run one command of the command line, which has not said yet where it works."""
    token = _options.set({})
    try:
        yield
    finally:
        _options.reset(token)


def note(option: str, value: Any) -> None:
    """Remember an option that says where the present command works."""
    _options.set({**_options.get(), option: value})


def place() -> str:
    """Give the options that say where the present command works, as they are typed; empty outside of a command."""
    named = ((name, _options.get().get(name)) for name in ("secrets", "state", "stack"))
    return " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in named if value is not None)


def pasteable(text: str, where: str | None = None, *, tenant: str = "", waiting_for: str | None = None) -> str:
    """Complete the commands in a text, which stand in backquotes, and say times of waiting in this machine's zone.

    `where` is what `place` gives, by default now.
    """
    where = place() if where is None else where
    text = _WAITS.sub(lambda found: f"{found[1]} {wall_time(found[2])}", text)
    return _COMMAND.sub(lambda found: f"`{_whole(found[1], where, tenant, waiting_for or '')}`", text)


def wall_time(written: str, now: datetime | None = None) -> str:
    """Say a time as a clock here shows it, with the zone; the day too, where it is another than today."""
    moment = datetime.fromisoformat(written).astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    day = "" if moment.date() == today else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M:%S} {moment:%Z}"


def row(line: Mapping[str, Any], where: str | None = None) -> dict[str, Any]:
    """Complete the commands in a line of a listing or report."""
    done = {
        name: pasteable(line[name], where, tenant=str(line.get("tenant", "")), waiting_for=line.get("waiting_for"))
        for name in FIELDS
        if isinstance(line.get(name), str)
    }
    return {**line, **done}


def _whole(command: str, where: str, tenant: str, waiting_for: str) -> str:
    kind, _, code = waiting_for.partition(":")
    if tenant and " TENANT " in f"{command} ":
        command = re.sub(r" TENANT\b", lambda _: f" {tenant}", command)
        command = command.replace(f" {kind} CODE ", f" {kind} {shlex.quote(code)} ") if code else command
    if code and shlex.quote(code) != code:
        for before in (kind, "CODE"):
            command = f"{command} ".replace(f" {before} {code} ", f" {before} {shlex.quote(code)} ").rstrip()
    return f"{command} {where}" if where and _takes(command.removeprefix("ml-connector"), where) else command


def _takes(words: str, where: str) -> bool:
    """Tell whether a command lacks the options and knows them: `local` is never on a stack."""
    if _PLACED.search(words) or _PLACELESS.match(words):
        return False
    return not (words.startswith(" local") and where.startswith("--stack"))
