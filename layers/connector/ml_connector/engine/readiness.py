"""Makes a chunk wait until the master data that it points at has been through once."""

from __future__ import annotations

from collections.abc import Iterable

from ml_connector.engine.maintain import release
from ml_connector.engine.pair import Pair
from ml_connector.engine.task import Task
from ml_connector.errors import Held
from ml_connector.flow import Flow


def wait_for_masters(task: Task) -> None:
    """Raise `Held` while a flow named in `after` has not passed completely, or has a chunk on its way.

    A flow that is off counts as complete; what is held or dead waits for a person and holds nobody else.
    """
    for name in task.flow.after:
        if name not in task.pair.active:
            continue
        ledger = task.ledger.sibling(name)
        if ledger.cursor()[0].passes == 0:  # the end of its pass releases what waits here
            raise Held(f"masters:{name}", f"The flow {name} has not been through completely yet.")
        if any(c.in_flight for c in ledger.unfinished()):
            raise Held(f"masters:{name}", f"The flow {name} still has records on their way.", soon=True)


def release_followers(pair: Pair, flow: Flow) -> None:
    """Set going what waits for a flow, once nothing of it is on its way any more."""
    if any(chunk.in_flight for chunk in pair.ledger(flow.name).unfinished()):
        return
    for follower in pair.integration.flows:
        if flow.name in follower.after:
            release(pair.world, pair.ledger(follower.name), f"masters:{flow.name}")


def release_landed(pair: Pair, flow: Flow, codes: Iterable[str]) -> None:
    """Set going what is held for master records that have just reached the platform."""
    causes = [f"{flow.maps}:{code}" for code in codes]
    for follower in pair.integration.flows if flow.maps is not None and causes else ():
        if flow.name in follower.after:
            release(pair.world, pair.ledger(follower.name), *causes)
