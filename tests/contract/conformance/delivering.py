"""Brings master records in as the engine does, and waits for the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec

from ml_connector.flow import Rendered, Sent, Verdict
from ml_connector.records import PurchaseOrder, Record, Supplier
from tests.contract.conformance.cases import MASTER_TARGETS, Case
from tests.contract.conformance.doing import sample
from tests.contract.conformance.stand import Stand

GOOD = {"delivered", "unchanged"}


def rendered(stand: Stand, case: Case, records: Sequence[Any], touch: str | None = None) -> tuple[Any, list[Rendered]]:
    target = stand.connect().target(case.record)
    return target, [target.render(record, stand.codes, touch) for record in records]


def deliver(stand: Stand, case: Case, records: Sequence[Any], touch: str | None = None) -> dict[str, Verdict]:
    """Bring records in, as the engine does: stage after stage, each confirmed before the next."""
    if case.record is PurchaseOrder and Supplier in {one.record for one in MASTER_TARGETS if one.system == case.system}:
        _push(stand, stand.connect().target(Supplier), Supplier, [sample(Supplier, 1)], None)
    return _push(stand, stand.connect().target(case.record), case.record, records, touch)


def _push(
    stand: Stand, target: Any, kind: type[Record], records: Sequence[Any], touch: str | None
) -> dict[str, Verdict]:
    batch = [target.render(record, stand.codes, touch) for record in records]
    said: dict[str, Verdict] = {}
    for stage in target.stages:
        here = [one for one in batch if one.key not in said or said[one.key].outcome in GOOD]
        sent = target.send(stage, here)
        said |= {key: Verdict("rejected", reason) for key, reason in sent.refused.items()}
        here = [one for one in here if one.key not in sent.refused]
        found = settled(stand, target, stage, here, sent)
        assert set(found) == {one.key for one in here}
        said |= found
    return said


def settled(stand: Stand, target: Any, stage: str, here: Sequence[Rendered], sent: Sent) -> dict[str, Verdict]:
    """Ask what became of a stage; without a token there is nothing to ask, as the engine sees it."""
    if not sent.tokens:
        return {one.key: Verdict("delivered") for one in here}
    return confirm(stand, lambda: target.verdicts(stage, here, sent.tokens))


def confirm(stand: Stand, ask: Callable[[], dict[str, Verdict] | None]) -> dict[str, Verdict]:
    for _ in range(5):
        if (found := ask()) is not None:
            return found
        stand.later(60)
    raise AssertionError("the target never gave a verdict")


def samples(case: Case, count: int) -> list[Any]:
    return [sample(case.record, number) for number in range(1, count + 1)]


def is_write(stand: Stand) -> Callable[[httpx.Request], bool]:
    return lambda request: request.method != "GET" and not stand.is_login(request)


def as_request(seen: Any) -> httpx.Request:
    return httpx.Request(seen.method, seen.url)


def as_bytes(one: Rendered) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(one.entities)
