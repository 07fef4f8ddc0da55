"""Types that msgspec must know before threads use them.

It resolves a type's fields when the type is first used, and two threads that do so at once crash the interpreter
(seen with 0.22 on Python 3.11). So whoever may be the first asks here.
"""

from __future__ import annotations

import threading
from typing import Any

import msgspec

_learned: set[Any] = set()
_learning = threading.Lock()


def resolve(kind: Any) -> None:
    """Resolve a type's fields, by one thread at a time; cheap from the second time on."""
    if kind in _learned:
        return
    with _learning:
        if kind not in _learned:
            msgspec.json.Decoder(kind)
            _learned.add(kind)
