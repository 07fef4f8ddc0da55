"""Answers of the newer interface: pages, and what became of each item that was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from werkzeug.wrappers import Response

from . import paging
from .call import Call, renamed
from .errors import Refusal, answer
from .model import Record
from .world import World


def listed(world: World, call: Call, rows: Sequence[Record]) -> Response:
    """Give a page of rows."""
    return shaped(world, paging.envelope(world, call, rows))


def created(
    world: World,
    rows: Sequence[Any],
    create: Callable[[Any], Record],
    several: Any = None,
) -> Response:
    """Create each row and say what became of it, as `world.create_answer` has it; several are always itemised."""
    style = world.create_answer
    if several is None and style in ("201", "202"):
        made = create(rows[0])
        return shaped(world, made, 201) if style == "201" else shaped(world, {"operationId": world.guid()}, 202)
    results = [_result(world, row, create) for row in rows]
    single = style == "single" and len(results) == 1
    return shaped(world, {"results": results[0] if single else results})


def _result(world: World, row: Any, create: Callable[[Any], Record]) -> Record:
    external = {"externalId": row["externalId"]} if isinstance(row, dict) and row.get("externalId") else {}
    try:
        made = create(row)
    except Refusal as error:
        errors: Any = error.entry() if world.create_answer == "single" else [error.entry()]
        return external | {"success": _flag(world, success=False), "errors": errors}
    return external | {"success": _flag(world, success=True)} | made


def _flag(world: World, *, success: bool) -> Any:
    return success if world.success == "bool" else str(success).lower()


def refused(world: World, error: Refusal) -> Response:
    """Word a refusal."""
    return shaped(world, {"errors": [error.entry()]}, error.status)


def shaped(world: World, body: Any, status: int = 200) -> Response:
    """Give a body with the names of this server."""
    return answer(renamed(body, world.renamed, pascal=world.members == "Pascal"), status)
