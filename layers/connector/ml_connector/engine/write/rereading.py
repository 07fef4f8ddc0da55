"""Takes records as their source has them now: what was listed, or was held for a while, may have changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_connector.engine.write.masters import MasterWriter


def read_again(work: MasterWriter, keys: Sequence[str]) -> None:
    """Read these records of a chunk again; nothing more is done for those that their source does not have any more."""
    attempt, found = work.attempt, set[str]()
    attempt.said["talking_to"] = attempt.flow.source
    attempt.pair.check(attempt.flow.source)
    for page in attempt.pair.master_source(attempt.flow).reread(keys):
        for record in page.records:
            work.records[record.key] = record
            found.add(record.key)
        for bad in page.broken:
            work.refuse(bad.key, bad.reason)
    for key in keys:
        if key not in found and key not in work.chunk.results:
            gone = f"{attempt.pair.title(attempt.flow.source)} does not have it any more."
            work.chunk.results[key] = ("unchanged", gone)
    attempt.said["talking_to"] = attempt.flow.target
