"""What two tenants must not share: both would do the same work, and each invoice would be posted twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_connector.bootstrap import Tenant


def part(found: Sequence[Tenant]) -> None:
    """Let none of two tenants run that would do the same work twice. One in shadow, paused or unusable does none."""
    owners: dict[str, list[Tenant]] = {}
    for tenant in found:
        at_work = tenant.pairs and not tenant.options.shadow and not tenant.options.paused
        works = at_work or tenant.unread  # what is not known just now goes on as it was
        for key in tenant.owns if works else ():
            owners.setdefault(key, []).append(tenant)
    for key, several in owners.items():
        if len(several) < 2:
            continue
        for tenant in several:
            others = " and ".join(t.name for t in several if t is not tenant)
            problem = (
                f"{tenant.name}: {others} has {tenant.owns[key]} as well, and each would post the same invoices. Give "
                "it to one tenant in 'companies', or delete the secrets of the other."
            )
            tenant.problem = tenant.problem or problem
            tenant.faults |= {pair.integration.name: problem for pair in tenant.pairs}
            tenant.pairs = []
