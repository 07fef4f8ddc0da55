"""What two tenants must not share: both would do the same work, and each invoice would be posted twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_connector.tenant import Tenant


def exclude_conflicts(found: Sequence[Tenant]) -> None:
    """Let none of two tenants run that would do the same work twice. One in shadow, paused or unusable does none."""
    claims = Claims({})
    for tenant in found:
        claims.take(tenant.name, owned(tenant))
    for tenant in found:
        claims.stop(tenant)


def owned(tenant: Tenant) -> dict[str, str]:
    """Name what a tenant that works must have for itself: a hash of each thing, and the words for it."""
    at_work = tenant.pairs and not tenant.options.shadow and not tenant.options.paused
    return dict(tenant.owns) if at_work or tenant.unread else {}  # what is not known just now stays as it was


class Claims:
    """Who has what, over all tenants: of those that were not read now, as their rows in the registry say."""

    def __init__(self, known: Mapping[str, Iterable[str]]) -> None:
        """`known` has what each tenant owns, hashed."""
        self._of: dict[str, set[str]] = {}
        self._by: dict[str, set[str]] = {}
        for tenant, keys in known.items():
            self.take(tenant, keys)

    def take(self, tenant: str, keys: Iterable[str]) -> None:
        """Note what a tenant has, in place of what it had."""
        for key in self._of.pop(tenant, ()):
            self._by[key].discard(tenant)
        self._of[tenant] = set(keys)
        for key in self._of[tenant]:
            self._by.setdefault(key, set()).add(tenant)

    def stop(self, tenant: Tenant) -> set[str]:
        """Let a tenant not run while others have the same; gives the others."""
        found: set[str] = set()
        for key, words in owned(tenant).items():
            others = self._by.get(key, set()) - {tenant.name}
            if others:
                _stop(tenant, words, others)
                found |= others
        return found


def _stop(tenant: Tenant, words: str, others: set[str]) -> None:
    problem = (
        f"{tenant.name}: {' and '.join(sorted(others))} has {words} as well, and each would post the same invoices. "
        "Give it to one tenant in 'companies', or delete the secrets of the other."
    )
    tenant.problem = tenant.problem or problem
    tenant.faults |= {pair.integration.name: problem for pair in tenant.pairs}
    tenant.pairs = []
