"""Records cut into calls, as many as one takes by number and by bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(entities: Sequence[bytes], count: int, size: int) -> Iterator[list[int]]:
    """Split encoded entities into calls by number and by bytes; gives the positions that go together."""
    group: list[int] = []
    weight = 2
    for position, entity in enumerate(entities):
        if group and (len(group) == count or weight + len(entity) + 1 > size):
            yield group
            group, weight = [], 2
        group.append(position)
        weight += len(entity) + 1
    if group:
        yield group
