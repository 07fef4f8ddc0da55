"""Why nothing of a tenant was run, and what to do about it; a fault of a secret is said elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ml_connector.embedded.secrets import TENANT
from ml_connector.integrations import INTEGRATIONS
from ml_connector.tenant import Tenant

from .selection import EVERYTHING, Selection

NOBODY = (
    "There is no tenant yet: make a folder for one, with its two secrets, such as acme/sap_b1.json and "
    "acme/basware.json. `ml-connector sandbox` makes such a folder that leads to simulated systems."
)


def standstill(tenants: Iterable[Tenant], selection: Selection = EVERYTHING) -> list[str]:
    """Give a sentence for each tenant that has nothing to run, or one where there is no tenant at all."""
    every = list(tenants)
    return [why for tenant in every for why in _whys(tenant, selection)] if every else [NOBODY]


def _whys(tenant: Tenant, selection: Selection) -> Iterator[str]:
    if tenant.faults or tenant.problem:
        return
    if not tenant.pairs:
        yield f"{incomplete(tenant, sorted(tenant.zones))}."
    elif tenant.options.paused:
        yield f"{tenant.name} is paused, so nothing of it was run: take 'paused' out of {tenant.name}/settings."
    elif not (
        asked := [(p, f) for p in tenant.pairs for f in p.integration.flows if selection.takes(p.integration, f)]
    ):
        yield f"{tenant.name} has no flow '{selection.flow}', so nothing of it was run."
    elif selection.flow is not None and not any(flow.name in pair.active for pair, flow in asked):
        yield (
            f"The flow '{selection.flow}' of {tenant.name} is off, so nothing was run: change 'schedules' in "
            f"{tenant.name}/settings."
        )
    elif not any(pair.active for pair in tenant.pairs):
        yield (
            f"Every flow of {tenant.name} is off, so nothing of it was run: change 'schedules' in "
            f"{tenant.name}/settings."
        )


def incomplete(tenant: Tenant, systems: list[str]) -> str | None:
    """Say which secret is missing where a tenant has no pair of `systems`; None where it has one."""
    if tenant.pairs or tenant.faults or not TENANT.fullmatch(tenant.name):  # that has a reason of its own
        return None
    if not systems:
        return (
            f"Nothing of {tenant.name} moves: it has settings alone; write {tenant.name}/basware, and its ERP's secret"
        )
    halves = [{i.erp, i.platform} for i in INTEGRATIONS if {i.erp, i.platform} & set(systems)]
    others = sorted({other for both in halves for other in both - set(systems)})
    which = f": write {' or '.join(f'{tenant.name}/{other}' for other in others)}" if others else ""
    here = ", ".join(systems)
    return f"Nothing of {tenant.name} moves: it has {here}, and the secret of the other system is missing{which}"
