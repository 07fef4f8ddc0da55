"""Which endpoints a tenant's integration was known under: server, company and so on of both of its systems.

Every key of the state contains their hash (`TenantIntegration.scope`), so that a test company that becomes production
starts from scratch. Where only the address changed, nothing is known either, which must not happen in silence: the
endpoints stay noted here, one small row each, and what was known under one that was left is counted once, when it
is left.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from msgspec import Struct, ValidationError, field

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import dump, iso, load
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Conflict
from ml_connector.ports import Item, Store

log = logging.getLogger("ml_connector")
MOST = 100_000
"""Documents that are counted; beyond, the exact number says no more."""
Systems = dict[str, dict[str, str]]


class Endpoint(Struct, kw_only=True, omit_defaults=True):
    """The systems of one scope. `documents`: how many were known when it was left; None while it is the present one.

    `moving`: its state is being carried over, or was when the command was stopped. `apart`: a person said that it is
    another company. `moves`: what was carried over to it, when and by whom.
    """

    systems: Systems
    since: str = ""
    documents: int | None = None
    moving: bool = False
    apart: str | None = None
    moves: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An endpoint that was left, with what is known under it. `changed`: the systems whose endpoint is another now."""

    scope: str
    documents: int
    systems: Systems
    changed: tuple[str, ...]
    moving: bool = False

    def sentence(self, pair: TenantIntegration) -> str:
        """Say what is known under it, and what to do."""
        was = " and ".join(f"{system} at {words(self.systems[system])}" for system in self.changed)
        now = " and ".join(f"{system} at {words(pair.endpoints[system])}" for system in self.changed)
        command = f"{pair.tenant} {self.changed[0]}"
        if self.moving:
            return (
                f"{pair.tenant}: carrying the state over from the earlier endpoint ({was}) was interrupted. To finish "
                f"it, run `ml-connector endpoint move {command}` again."
            )
        are = "document is" if self.documents == 1 else "documents are"
        more = "at least " if self.documents >= MOST else ""
        return (
            f"{pair.tenant}: {more}{self.documents} {are} known under the earlier endpoint ({was}), but not under the "
            f"present one ({now}). If it is the same company under another address, run "
            f"`ml-connector endpoint move {command}`; if it is another company, "
            f"`ml-connector endpoint keep-apart {command}`."
        )


def words(endpoint: Mapping[str, str]) -> str:
    """Write an endpoint as people read it: server X, company Y."""
    return ", ".join(f"{name} {value}" for name, value in endpoint.items())


def partition(pair: TenantIntegration) -> str:
    """Name the partition of an integration's endpoints."""
    return f"e#{pair.tenant}#{pair.integration.name}"


def known(pair: TenantIntegration) -> dict[str, tuple[Endpoint, Item]]:
    """Read the endpoints of an integration by scope; a damaged row is passed over, and the present one made again."""
    found = {}
    for item in pair.runtime.store.query(partition(pair)):
        try:
            found[item.sk] = (load(Endpoint, item.data), item)
        except ValidationError as error:
            log.warning("%s: the entry of an endpoint is damaged (%s).", item.pk, error, extra={"tenant": pair.tenant})
    return found


def note(pair: TenantIntegration) -> list[Earlier]:
    """Note the present endpoint, count what an endpoint that was just left knew, and list those with documents.

    One small query, unless an endpoint was left since. A shadow's own state is no endpoint.
    """
    if pair.apart or not pair.endpoints:
        return []
    found = known(pair)
    mine = found.get(pair.scope)
    if mine is None or mine[0].documents is not None:
        _write(pair.runtime.store, _present(pair, mine))
    for scope, (endpoint, item) in found.items():
        if scope != pair.scope and endpoint.documents is None:
            endpoint.documents = _counted(pair, scope)
            _write(pair.runtime.store, replace(item, data=dump(endpoint)))
    return list(_earlier(pair, found))


def _present(pair: TenantIntegration, known: tuple[Endpoint, Item] | None) -> Item:
    endpoint, item = known or (Endpoint(systems={}), Item(partition(pair), pair.scope))
    endpoint.systems = {system: dict(its) for system, its in pair.endpoints.items()}
    endpoint.since, endpoint.documents, endpoint.apart = iso(pair.runtime.clock.now()), None, None
    return replace(item, data=dump(endpoint))


def _write(store: Store, item: Item) -> None:
    with suppress(Conflict):  # another process notes the same
        store.put(item)


def _earlier(pair: TenantIntegration, found: Mapping[str, tuple[Endpoint, Item]]) -> Iterator[Earlier]:
    for scope, (its, _) in sorted(found.items(), key=lambda one: one[1][0].since, reverse=True):
        changed = tuple(s for s in pair.endpoints if its.systems.get(s) != dict(pair.endpoints[s]) and s in its.systems)
        if scope != pair.scope and changed and its.apart is None and (its.documents or its.moving):
            yield Earlier(scope, its.documents or 0, its.systems, changed, its.moving)


def _counted(pair: TenantIntegration, scope: str) -> int:
    """Count the documents that are delivered or under way under a scope."""
    count = 0
    for flow in pair.integration.flows:
        if flow.manner != "document":
            continue
        ledger = ledger_of(pair, scope, flow.name)
        delivered = {key for key, row in ledger.all_rows() if row.outcome == "delivered"}
        count += len(delivered | {chunk.key for chunk in ledger.unfinished() if chunk.key is not None})
        if count >= MOST:
            return MOST
    return count


def ledger_of(pair: TenantIntegration, scope: str, flow: str) -> Ledger:
    """Give the rows of a flow under a scope."""
    return Ledger(
        pair.runtime.store,
        pair.runtime.clock,
        tenant=pair.tenant,
        integration=pair.integration.name,
        scope=scope,
        flow=flow,
    )


def keep_apart(pair: TenantIntegration, scope: str, by: str) -> None:
    """Note that an earlier endpoint is another company, of which nothing is carried over. Raises `Conflict`."""
    endpoint, item = known(pair)[scope]
    endpoint.apart = f"{by} on {iso(pair.runtime.clock.now())[:19]}Z"
    pair.runtime.store.put(replace(item, data=dump(endpoint)))
