"""Control of a running sandbox over HTTP, for tests in another process; none of its routes needs a login."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .app import World
from .codec import decode, encode

W = TypeVar("W", bound=World)
Answer = Callable[[W, Any, dict[str, Any]], Any]
"""What a route does with the world, the body and what its path names; gives the answer's body."""


def add_fault(world: World, body: Mapping[str, Any], _args: dict[str, Any]) -> Any:
    """POST faults: {"kind", ["path", "method", "times", "skip", "seconds", "headers"]} adds a rule."""
    world.faults.add(**body)
    return {"rules": len(world.faults.rules)}


def drop_faults(world: World, _body: Any, _args: dict[str, Any]) -> Any:
    """DELETE faults: drop every rule."""
    world.faults.clear()
    return {"rules": 0}


def faults_seen(world: World) -> dict[str, Any]:
    """Tell what the rules have done so far."""
    return {"hit": world.faults.hit, "waiting": len(world.faults.waiting)}


def switching(plain: Iterable[str], sets: Iterable[str]) -> Answer[Any]:
    """Give the route that sets the named attributes of a world, where some of them are sets."""
    names, kept = {*plain, *sets}, frozenset(sets)

    def switch(world: World, body: Mapping[str, Any], _args: dict[str, Any]) -> Any:
        for name, value in body.items():
            if name not in names:
                raise ValueError(f"no switch {name!r}")
            setattr(world, name, set(value) if name in kept else value)
        return {}

    return switch


def routes(table: Iterable[tuple[str, str, Answer[Any]]]) -> Map:
    """Give the routes (method, path, what it does) below /_sandbox, with those that every sandbox has."""
    everybodys: list[tuple[str, str, Answer[Any]]] = [("POST", "faults", add_fault), ("DELETE", "faults", drop_faults)]
    both = [*everybodys, *table]
    return Map([Rule(f"/_sandbox/{path}", endpoint=run, methods=[method]) for method, path, run in both])


def answer(table: Map, world: World, request: Request, body: bytes, refusal: type[Exception] = ValueError) -> Response:
    """Answer one control call; what goes wrong is 400 with its text."""
    try:
        run, args = table.bind_to_environ(request.environ).match()
        result = run(world, decode(body) if body else {}, args)
    except HTTPException as error:
        return Response(encode({"error": str(error)}), error.code, content_type="application/json")
    except (refusal, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        return Response(encode({"error": f"{type(error).__name__}: {error}"}), 400, content_type="application/json")
    return Response(encode(result), 200, content_type="application/json")
