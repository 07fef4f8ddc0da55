"""A secret's entries laid over a built-in profile, and paths checked before anything is called by them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

TAKES = "it takes the name of a built-in profile, or an object with the entries that differ from one"
WRITES = frozenset({"POST", "PUT", "PATCH"})
_VARIABLE = re.compile(r"\{([^{}]*)\}")


def laid_over(found: Any, built_in: Mapping[str, Mapping[str, Any]], known: Mapping[str, Collection[str]]) -> Any:
    """Lay entries over the profile that `extends` names (the first one by default), object by object.

    `known`: by object the names that its entries may have, dotted; nested objects are written with dots, and a bare
    name counts for every entry that ends in it. Raises `ValueError` with a sentence.
    """
    if isinstance(found, str):
        found = {"extends": found}
    if not isinstance(found, dict):
        raise ValueError(TAKES)  # noqa: TRY004 - pydantic takes no other
    name = found.get("extends", next(iter(built_in)))
    if not isinstance(name, str) or name not in built_in:
        raise ValueError(f"there is no built-in profile of that name; known are {', '.join(built_in)}")
    base, made = built_in[name], {key: value for key, value in found.items() if key != "extends"}
    for key, names in known.items():
        made[key] = {**base[key], **_renamed(key, _flat(made.get(key, {}), key), names)}
    for key, value in base.items():
        if key not in known and isinstance(value, Mapping) and isinstance(made.get(key, {}), dict):
            made[key] = {**value, **made.get(key, {})}
    return {**base, **made}


def _flat(found: Any, what: str, before: str = "") -> dict[str, Any]:
    """Write nested entries with dots: `{"invoices": {"get": …}}` is `invoices.get`."""
    if not isinstance(found, dict):
        raise ValueError(f"'{what}' is an object of names")  # noqa: TRY004 - pydantic takes no other
    flat: dict[str, Any] = {}
    for name, value in found.items():
        flat |= _flat(value, what, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return flat


def _renamed(what: str, found: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in found.items():
        meant = [name] if name in known else [one for one in known if one.partition(".")[2] == name]
        if not meant:
            raise ValueError(f"'{what}' has no '{name[:60]}'; known are {', '.join(known)}")
        made |= dict.fromkeys(meant, value)
    return made


def path_faults(what: str, path: str, write: bool, known: Iterable[str], needed: str) -> Iterator[str]:
    """Say why a path, `METHOD /path`, cannot be used: its method, a variable that nobody fills, or one it lacks."""
    method, variables = path.partition(" ")[0], _VARIABLE.findall(path)
    if (method in WRITES) != write:
        yield f"{what} begins with {method}, and this call {'writes' if write else 'reads'}; correct it"
    if unknown := [one for one in variables if one not in {*known}]:
        yield f"{what} has the variable {{{unknown[0]}}}; known there are {', '.join(known)}"
    if needed and needed not in variables:
        yield f"{what} does not name {{{needed}}}, which tells one from another; add it"


def worded(words: Mapping[str, Any], theirs: str) -> Any:
    """Translate a word of theirs, whatever its case and spaces; None where nobody mapped it."""
    return {fold_word(word): ours for word, ours in words.items()}.get(fold_word(theirs))


def fold_word(word: str) -> str:
    """Give what two spellings of a word have in common."""
    return " ".join(word.split()).casefold()
