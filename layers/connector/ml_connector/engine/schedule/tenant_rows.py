"""The tenant registry: a row for each tenant, so that most functions need no secret to know whom they work for.

It holds what is not secret (scope, epoch, companies, options) and the webhook keys, encrypted. `enroll.py` writes it
from the secrets.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from msgspec import Struct, ValidationError, field

from ml_connector.engine.ledger.rows import Chunk, load
from ml_connector.ports import Item, Store

log = logging.getLogger("ml_connector")
PK = "tenants"
FORM = 2
"""How rows are made from secrets. Raise it where a release makes them otherwise: all are then made again."""
SUBSCRIBING = timedelta(minutes=10)
"""For how long a subscription counts as being made: long enough for the tries that follow a failed one."""


class IntegrationRow(Struct, kw_only=True):
    """What a pair is, without its credentials. `zone` is the ERP's; `dimensions` have lists at the platform.

    `endpoints`: each system's server, company …
    """

    scope: str
    epoch: str
    companies: list[str]
    erp_company: str
    in_doubt_seconds: dict[str, int]
    lanes: dict[str, int]
    active: list[str]
    shadow: bool
    zone: str = "UTC"
    dimensions: list[str] = field(default_factory=list)
    endpoints: dict[str, dict[str, str]] = field(default_factory=dict)


class TenantRow(Struct, kw_only=True):
    """A tenant as the functions see it, its pairs by integration. `zones`: each system's; `webhook`: sealed keys.

    Sealing differs each time, so `webhook_hash` tells whether the keys are the same, and `webhook_seal` whether what
    was sealed is whole and under which key of the vault; `webhook_problem`: why there is nothing sealed. While
    `subscribing_until` is to come, a subscription to notifications is being made.

    `versions` are those of the secrets that the row was made from, `read_on` when they were read, `form` how rows were
    made then: by these a rebuild knows what it need not read. `missing`: since when a secret is not found, by system.
    `owns`: hashes of what only one tenant may have, while it works. `unplanned`: its flows may not all have a time yet.
    """

    name: str
    pairs: dict[str, IntegrationRow] = field(default_factory=dict)
    options: str = "{}"
    zones: dict[str, str] = field(default_factory=dict)
    webhook: list[str] = field(default_factory=list)
    webhook_hash: str = ""
    webhook_seal: str = ""
    webhook_problem: str | None = None
    webhook_url: str | None = None
    problem: str | None = None
    subscribing_until: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    read_on: str = ""
    form: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    owns: list[str] = field(default_factory=list)
    unplanned: bool = False


def rows(store: Store) -> Iterator[TenantRow]:
    """Read every tenant's row but damaged ones, which are named in the log."""
    for item in store.query(PK):
        found = read(item)
        if found is not None:
            yield found


def row(store: Store, tenant: str) -> TenantRow | None:
    """Read one tenant's row; None where it is damaged, too."""
    item = store.get(PK, tenant)
    return read(item) if item else None


def read(item: Item) -> TenantRow | None:
    """Read a tenant's row; None, with a word in the log, where it is damaged: the next rebuild writes it again."""
    try:
        found = load(TenantRow, item.data)
    except ValidationError as error:
        log.warning("%s: its entry in the tenant registry is damaged (%s).", item.sk, error, extra={"tenant": item.sk})
        return None
    if found.name != item.sk:
        log.warning(
            "%s: its entry in the tenant registry is that of %r.", item.sk, found.name, extra={"tenant": item.sk}
        )
        return None
    return found


class Wanted:
    """Tells of a chunk and its scope whether its tenant still is, and its flow is on.

    Only the rows of tenants that are asked about are read: `know` reads many at once, a hundred a call.
    """

    def __init__(self, store: Store) -> None:
        """Begin with no row read."""
        self._store = store
        self._known: set[str] = set()
        self._on: set[tuple[str, str, str, str]] = set()

    def know(self, tenants: Iterable[str]) -> None:
        """Read the rows of tenants that were not asked about before."""
        new = sorted(set(tenants) - self._known)
        self._known.update(new)
        for item in self._store.get_many(PK, new, consistent=True).values() if new else ():
            if (found := read(item)) is not None:
                self._on |= {(found.name, n, pair.scope, f) for n, pair in found.pairs.items() for f in pair.active}

    def __call__(self, chunk: Chunk, scope: str) -> bool:
        """Tell it of one chunk."""
        self.know([chunk.tenant])
        return (chunk.tenant, chunk.integration, scope, chunk.flow) in self._on


def wanted(store: Store) -> Wanted:
    """Tell of a chunk and its scope whether its tenant still is, and its flow is on."""
    return Wanted(store)


def wanted_among(store: Store, tenants: Iterable[str]) -> Callable[[Chunk, str], bool]:
    """Tell the same as `wanted` of the chunks of some tenants, from their rows alone."""
    return _on(filter(None, map(read, store.get_many(PK, sorted(set(tenants))).values())))


def _on(tenants: Iterable[TenantRow]) -> Callable[[Chunk, str], bool]:
    on = {
        (tenant.name, name, pair.scope, flow)
        for tenant in tenants
        for name, pair in tenant.pairs.items()
        for flow in pair.active
    }
    return lambda chunk, scope: (chunk.tenant, chunk.integration, scope, chunk.flow) in on


def webhook_context(tenant: str) -> str:
    """Name what a webhook key is bound to."""
    return f"webhook#{tenant}"


def seal_of(vault_key: str, sealed: Sequence[str]) -> str:
    """Mark sealed keys, so that damage and another key of the vault are seen without opening them."""
    return hashlib.blake2b("\0".join((vault_key, *sealed)).encode(), digest_size=12).hexdigest()
