"""Makes a chunk wait until the master data that it points at is there: once all of it, then its own records alone.

That a record of its own is on its way shows when its codes are translated (`codes.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from ml_connector.engine.ledger.first_delivery import under_way
from ml_connector.engine.schedule.wake_up import release
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.attempt import Attempt
from ml_connector.errors import Held
from ml_connector.flow import Flow


def wait_for_masters(attempt: Attempt) -> None:
    """Raise `Held` while a flow named in `after` has not passed completely, or brings the record that is waited for.

    A flow that is off counts as complete. What else is on its way holds nobody: a request status that is lost must
    not stop the documents of other suppliers.
    """
    for name in attempt.flow.after:
        if name in attempt.pair.active and attempt.ledger.sibling(name).cursor()[0].passes == 0:
            # the end of its pass releases what waits here
            raise Held(f"prerequisite:{name}", f"The flow {name} has not been read completely yet.")
    # At the first look somebody set it going, who may know better; several records may be waiting for different ones.
    again = attempt.chunk.awaits if attempt.chunk.attempts > 1 and attempt.chunk.count == 1 else None
    kind, _, code = (again or "").partition(":")
    for flow in attempt.pair.integration.flows:  # asked here, before any vendor is
        if (
            kind
            and flow.maps == kind
            and flow.name in attempt.pair.active
            and under_way(attempt.pair.ledger(flow.name), code)
        ):
            reason = attempt.chunk.reason or f"{attempt.chunk.awaits} is being sent for the first time."
            raise Held(f"prerequisite:{flow.name}", reason, soon=True, awaits=attempt.chunk.awaits)


def release_followers(pair: TenantIntegration, flow: Flow) -> None:
    """Set going what waits for a flow: it has passed, or what it had under way has stopped."""
    for follower in pair.integration.flows:
        if flow.name in follower.after:
            release(pair.runtime, pair.ledger(follower.name), f"prerequisite:{flow.name}")


def release_landed(pair: TenantIntegration, flow: Flow, codes: Iterable[str], settled: Iterable[str] = ()) -> None:
    """Set going what is held for master records that have just reached the platform.

    `settled`: keys of others that are on their way no more, which some document may have waited for.
    """
    if flow.maps is None:
        return
    causes = [f"{flow.maps}:{code}" for code in codes]
    over = frozenset([*causes, *(f"{flow.maps}:{key}" for key in settled)])
    for follower in pair.integration.flows if over else ():
        if flow.name in follower.after:
            release(pair.runtime, pair.ledger(follower.name), *causes, awaits=over)
