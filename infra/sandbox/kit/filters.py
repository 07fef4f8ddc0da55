"""The $filter grammar of OData: what its dialects share. A vendor says what a comparison is, and what is refused."""

from __future__ import annotations

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

FieldT = TypeVar("FieldT")
Predicate = Callable[[dict[str, Any]], bool]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


@dataclass(frozen=True)
class Token:
    """A piece of a filter; `kind` is the name of its group in the vendor's pattern."""

    kind: str
    text: str


@dataclass(frozen=True)
class Equals:
    """That a field has a value: a predicate that shows its parts, since clients ask for many keys at once."""

    field: str
    value: Callable[[dict[str, Any]], Any]
    wanted: Any

    def __call__(self, row: dict[str, Any]) -> bool:
        """Tell whether it is."""
        return bool(self.value(row) == self.wanted)


def unquote(text: str) -> str:
    """Give the text of a literal between quotes."""
    return text[1:-1].replace("''", "'")


class FilterParser(ABC):
    """One pass over the tokens; `or` binds loosest, then `and`, then `not`."""

    pattern: ClassVar[re.Pattern[str]]
    """Matches one token with the blanks before it; its groups name the kinds."""
    joins: frozenset[str] = frozenset({"or", "and", "not"})
    """Those that the dialect knows; another one is refused as any word is that is not expected."""

    def __init__(self, text: str) -> None:
        self._tokens, self._at = list(self._read(text)), 0

    @abstractmethod
    def wrong(self, what: str) -> Exception:
        """Make the vendor's refusal of a filter; `what` is a sentence without its full stop."""

    @abstractmethod
    def term(self) -> Predicate:
        """Read a comparison, or a call of a function."""

    def parse(self) -> Predicate:
        """Turn the whole text into a predicate over records; raises the vendor's refusal."""
        try:
            found = self._either()
        except RecursionError:
            raise self.wrong("The $filter is nested too deeply") from None
        if self._at < len(self._tokens):
            raise self.wrong(f"'{self.peek()}' is not expected in the $filter")
        return found

    def peek(self) -> str:
        """Give the text of the next token; nothing at the end."""
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def take(self, expected: str = "") -> Token:
        """Go on by one token, which must be the expected one where one is named."""
        if self._at >= len(self._tokens):
            raise self.wrong("The $filter ends too early")
        token = self._tokens[self._at]
        if expected and token.text != expected:
            raise self.wrong(f"'{expected}' is expected in the $filter, not '{token.text}'")
        self._at += 1
        return token

    def call_with_text(self, name: str, field: Callable[[], FieldT]) -> tuple[FieldT, Token]:
        """Read the arguments of a function over a text: a field, which `field` reads, and a literal.

        OData 3 has them the other way round in `substringof`.
        """
        self.take("(")
        first = self.take() if name == "substringof" else None
        if first is not None:
            self.take(",")
        found = field()
        if first is None:
            self.take(",")
            first = self.take()
        self.take(")")
        return found, first

    def _read(self, text: str) -> Iterator[Token]:
        position = 0
        while text[position:].strip():
            match = self.pattern.match(text, position)
            if match is None or match.lastgroup is None:
                raise self.wrong(f"The $filter cannot be read at position {position}: {text[position:]}")
            yield Token(match.lastgroup, match.group(match.lastgroup))
            position = match.end()

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._joined("or"):
            parts.append(self._both())
        return _any_of(parts)

    def _both(self) -> Predicate:
        parts = [self._single()]
        while self._joined("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _single(self) -> Predicate:
        if self._joined("not"):
            denied = self._single()
            return lambda row: not denied(row)
        if self.peek() == "(":
            self.take()
            inner = self._either()
            self.take(")")
            return inner
        return self.term()

    def _joined(self, word: str) -> bool:
        if self.peek() != word or word not in self.joins:
            return False
        self.take()
        return True


def _any_of(parts: list[Predicate]) -> Predicate:
    """Join by `or`; what only asks one field for several values looks each row's up, however many they are."""
    first, equal = parts[0], [part for part in parts if isinstance(part, Equals)]
    if len(parts) > 1 and len(equal) == len(parts) and len({part.field for part in equal}) == 1:
        value, wanted = equal[0].value, {part.wanted for part in equal}
        return lambda row: value(row) in wanted
    return first if len(parts) == 1 else lambda row: any(part(row) for part in parts)
