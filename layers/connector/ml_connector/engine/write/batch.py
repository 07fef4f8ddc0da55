"""The records of a chunk in the target's words, said when somebody first looks at them.

A look-up that finds its request still under way looks at none, and each chunk is asked about many times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from ml_connector.flow import Rendered


class Batch(Sequence[Rendered]):
    """What is undecided of a chunk at the moment at which it is looked at."""

    def __init__(self, render: Callable[[], None], undecided: Callable[[], list[Rendered]]) -> None:
        """Say nothing yet."""
        self._render, self._undecided, self._said = render, undecided, False

    def say(self) -> None:
        """Say the records. Raises `Held` where the whole chunk waits for one thing."""
        if not self._said:
            self._render()
            self._said = True

    def _now(self) -> list[Rendered]:
        self.say()
        return self._undecided()

    def __iter__(self) -> Iterator[Rendered]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    @overload
    def __getitem__(self, index: int) -> Rendered: ...

    @overload
    def __getitem__(self, index: slice) -> list[Rendered]: ...

    def __getitem__(self, index: int | slice) -> Rendered | list[Rendered]:
        return self._now()[index]
