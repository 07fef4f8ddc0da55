"""The only place where real things are wired together: secrets become tenants, tenants become pairs.

With it come pydantic and every model of settings, which take as long to import as boto3 does. So what a function
imports at its start (`pairs`, `runs`, `enroll`, `aws/assembly`) imports this module where it is first called, and this
module a vendor's folder where a tenant first has it: the budgets of imports are tests.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any

from ml_connector import conflicts
from ml_connector.connection import Connection
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.currencies import is_currency
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.overlay import OverlayStore
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import cron, tenant_rows
from ml_connector.engine.schedule.tenant_rows import IntegrationRow
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Denied, Misconfigured, Transient
from ml_connector.flow import Integration
from ml_connector.integration_defaults import defaults_of
from ml_connector.integrations import INTEGRATIONS
from ml_connector.listing import KNOWN, found, of_tenant
from ml_connector.ports import Secret, Secrets
from ml_connector.settings_epoch import hashed, settings_epoch
from ml_connector.systems import registry
from ml_connector.systems.settings import SystemSettings, parse
from ml_connector.tenant import BootstrapOptions, Tenant

log = logging.getLogger("ml_connector")
SYSTEMS = registry.SYSTEMS
PLATFORMS = registry.PLATFORMS
LANES = {vendor.name: vendor.lanes for vendor in registry.VENDORS}
"""Documents written side by side: the system's default concurrency less one for the poll."""


def tenants(runtime: Runtime, secrets: Secrets, tools: BootstrapOptions, only: str | None = None) -> list[Tenant]:
    """Read every tenant from the secrets, or one by name; a secret that cannot be used spoils its own tenant only."""
    named: dict[str, set[str]] = {}
    for tenant, system in secrets.names() if only is None else of_tenant(secrets, only):
        named.setdefault(tenant, set()).add(system)
    made = [_contained(runtime, secrets, tools, name, systems) for name, systems in sorted(named.items())]
    conflicts.exclude_conflicts(made)
    return made


def read_tenant(
    runtime: Runtime, secrets: Secrets, tools: BootstrapOptions, name: str, systems: Collection[str]
) -> Tenant:
    """Read one tenant alone, its settings by name: the list may lag behind a tenant that was written paused."""
    systems = set(systems) | ({"settings"} if secrets.lags and found(secrets, name, "settings") else set())
    return _contained(runtime, secrets, tools, name, systems)


def module(system: str) -> Any:
    """Import a vendor's folder when it is first needed."""
    return registry.module(system)


def _contained(runtime: Runtime, secrets: Secrets, tools: BootstrapOptions, name: str, systems: set[str]) -> Tenant:
    """Make a tenant, whatever is wrong with it: no other one may stand still for it."""
    try:
        return _tenant(runtime, secrets, tools, name, systems)
    except Exception as error:  # a fault of ours, met by this tenant's words alone
        log.exception("%s: its secrets cannot be used", name, extra={"tenant": name})
        problem = f"{name}: its secrets cannot be used ({type(error).__name__}); the log of the function says more."
        both = [i.name for i in INTEGRATIONS if {i.erp, i.platform} <= systems]
        return Tenant(name, problem=problem, faults=dict.fromkeys(both, problem))


def _tenant(runtime: Runtime, secrets: Secrets, tools: BootstrapOptions, name: str, systems: set[str]) -> Tenant:
    tenant = Tenant(name)
    settings: dict[str, SystemSettings] = {}
    versions: dict[str, str] = {}
    faults: dict[str, str] = {}
    for system in sorted(systems):
        try:
            secret = secrets.read(name, system)
            if secret is not None:
                tenant.versions[system] = secret.version
            if system == "settings":
                if secret is None:  # it was deleted, and is listed for a while yet
                    continue
                tenant.options = parse(TenantSettings, secret.text, f"{name}/settings", insecure=tools.insecure)
                _check_flows(name, tenant.options)
                cron.check(tenant.options, f"{name}/settings")
            elif system in SYSTEMS:
                secret = _there(secret, name, system)
                model = module(system).Settings
                where, defaults = f"{name}/{system}", defaults_of(system, systems)
                settings[system] = parse(model, secret.text, where, insecure=tools.insecure, defaults=defaults)
                versions[system] = secret.version
                tenant.zones[system] = settings[system].timezone
                tenant.timeouts[system] = settings[system].timeout_seconds
                tenant.webhook_keys += settings[system].webhook_keys()
                tenant.webhook_url = settings[system].webhook_address() or tenant.webhook_url
                tenant.owns |= {hashed(key): words for key, words in settings[system].owns().items()}
            else:
                raise Misconfigured(_unknown(name, system))
        except Misconfigured as error:
            faults[system] = str(error)
        except Transient as error:
            faults[system], tenant.unread = str(error), True
    warn = timedelta(days=tenant.options.alert_days_before_refresh_token_end)
    tenant.usable = set(settings)
    tenant.pairings = {s: found for s, one in settings.items() if (found := one.pairing(warn)) is not None}
    if tenant.unread:
        tenant.owns |= _owned(runtime, name)
    tenant.problem = "; ".join(dict.fromkeys(faults.values())) or _clash(name, systems)
    _integrate(runtime, tools, tenant, systems, settings, versions, faults)
    return tenant


def _owned(runtime: Runtime, tenant: str) -> dict[str, str]:
    """Tell what a tenant was known to own while it works: none else may begin to work on it meanwhile."""
    row = tenant_rows.row(runtime.store, tenant)
    return dict.fromkeys(row.owns, "the same company of this account") if row is not None else {}


def _there(secret: Secret | None, tenant: str, system: str) -> Secret:
    if secret is None:
        raise Misconfigured(f"{tenant}/{system}: the secret is gone; write it again.")
    return secret


def _unknown(tenant: str, system: str) -> str:
    if system in KNOWN:
        return f"{tenant}/{system}: this release has no adapter for {system}; remove the secret or upgrade."
    near = difflib.get_close_matches(system.lower(), sorted(KNOWN), n=1)
    meant = f"did you mean '{near[0]}'? Known are" if near else "known are"
    return f"{tenant}/{system}: no such system; {meant} {', '.join(sorted(KNOWN))}."


def _clash(tenant: str, systems: set[str]) -> str | None:
    erps = sorted(systems & KNOWN - PLATFORMS - {"settings"})
    if (platforms := sorted(systems & PLATFORMS & set(SYSTEMS))) and len(erps) > 1:
        served = " and ".join(registry.BY_NAME[name].title for name in platforms)
        return f"{tenant}: one tenant has one ERP for {served}, but here are {' and '.join(erps)}; make two tenants."
    return None


def _check_flows(tenant: str, options: TenantSettings) -> None:
    known = {n for i in INTEGRATIONS for f in i.flows for n in (f.name, f"{i.name}/{f.name}")}
    for name in (*options.schedules, *options.start_dates):
        if name.removesuffix(".full") not in known:
            near = difflib.get_close_matches(name.removesuffix(".full"), sorted(known), n=1)
            meant = f"did you mean '{near[0]}'? Known are" if near else "known are"
            raise Misconfigured(f"{tenant}/settings: there is no flow '{name}'; {meant} {', '.join(sorted(known))}.")
    dated = {n for i in INTEGRATIONS for f in i.flows if f.dated for n in (f.name, f"{i.name}/{f.name}")}
    for name in options.start_dates:
        if name not in dated:
            raise Misconfigured(
                f"{tenant}/settings: a start date means nothing for '{name}', which is always compared as a whole; "
                f"it can be given for {', '.join(sorted(n for n in dated if '/' not in n))}."
            )


def _integrate(
    runtime: Runtime,
    tools: BootstrapOptions,
    tenant: Tenant,
    systems: set[str],
    settings: Mapping[str, SystemSettings],
    versions: Mapping[str, str],
    faults: Mapping[str, str],
) -> None:
    for integration in INTEGRATIONS:
        both = (integration.erp, integration.platform)
        if not set(both) <= systems:
            continue
        wrong = [faults[s] for s in (*both, "settings") if s in faults]
        clash = _clash(tenant.name, systems)
        if wrong or clash:
            tenant.faults[integration.name] = "; ".join([*dict.fromkeys(wrong), *([clash] if clash else [])])
            continue
        tenant.pairs.append(_pair(runtime, tools, tenant, integration, {s: settings[s] for s in both}, versions))


def active_flows(integration: Integration, options: TenantSettings) -> frozenset[str]:
    """Name the flows that are not switched off."""
    if options.paused:
        return frozenset()
    off = {name for name, schedule in options.schedules.items() if schedule.strip() == "off"}
    return frozenset(f.name for f in integration.flows if not {f.name, f"{integration.name}/{f.name}"} & off)


def _pair(
    runtime: Runtime,
    tools: BootstrapOptions,
    tenant: Tenant,
    integration: Integration,
    settings: Mapping[str, SystemSettings],
    versions: Mapping[str, str],
) -> TenantIntegration:
    platform: Any = settings[integration.platform]
    shadow = tools.dry_run or tenant.options.shadow
    apart = ("shadow",) if shadow and tools.shadow_ledger else ()
    row = IntegrationRow(
        scope=hashed(*(f"{s}|{settings[s].identity()}" for s in sorted(settings)), *apart),
        epoch=settings_epoch(tenant.options, settings),
        companies=list(getattr(platform, "companies", ())),
        erp_company=settings[integration.erp].company(),
        in_doubt_seconds={s: i.in_doubt_seconds for s, i in settings.items()},
        lanes={s: (i.max_concurrency - 1 if i.max_concurrency else LANES[s]) or 1 for s, i in settings.items()},
        active=sorted(active_flows(integration, tenant.options)),
        shadow=shadow,
        zone=settings[integration.erp].timezone,
        dimensions=sorted(getattr(platform, "dimension_lists", ())),
        endpoints={s: settings[s].endpoint() for s in sorted(settings)},
    )
    return assemble(runtime, tools, tenant.name, integration, row, tenant.options, settings, versions)


def assemble(
    runtime: Runtime,
    tools: BootstrapOptions,
    tenant: str,
    integration: Integration,
    row: IntegrationRow,
    options: TenantSettings,
    settings: Mapping[str, SystemSettings],
    versions: Mapping[str, str],
) -> TenantIntegration:
    """Make a pair from its row; only the systems in `settings` can be called."""
    connectors: dict[str, Callable[[], Connection]] = {}
    breakers: dict[str, Breaker] = {}
    for system, its in settings.items():
        breakers[system], context = wire(
            runtime,
            tools,
            tenant,
            system,
            its,
            versions[system],
            scope=row.scope,
            integration=integration.name,
            options=options,
            active=(*row.active, *subscribed_flows(integration, row.active)),
            dimensions=tuple(row.dimensions),
        )
        connectors[system] = partial(module(system).connect, its, context)
    return TenantIntegration(
        runtime=overlay(runtime) if row.shadow and not tools.shadow_ledger else runtime,
        shadow=row.shadow,
        tenant=tenant,
        integration=integration,
        scope=row.scope,
        connectors=connectors,
        breakers=breakers,
        options=options,
        active=frozenset(row.active),
        epoch=row.epoch,
        companies=tuple(row.companies),
        zone=row.zone,
        dimensions=tuple(row.dimensions),
        endpoints=row.endpoints,
        apart=row.shadow and tools.shadow_ledger,
        erp_company=row.erp_company,
        is_currency=is_currency,
        in_doubt_seconds=row.in_doubt_seconds,
        lanes=row.lanes,
        titles={s: registry.BY_NAME[s].title for s in (integration.erp, integration.platform)},
        chunking={k: v for s in (integration.erp, integration.platform) for k, v in module(s).CHUNKING.items()},
    )


def subscribed_flows(integration: Integration, active: Collection[str]) -> tuple[str, ...]:
    """Name what is called beside the active flows: the platform's own orders, where notices of them are kept."""
    return ("order_notices",) if any(f.notices and f.name in active for f in integration.flows) else ()


def overlay(runtime: Runtime) -> Runtime:
    """Lay a sheet over the store and the audit trail, so that a dry run leaves no trace."""
    return replace(runtime, store=OverlayStore(runtime.store), blobs=MemoryBlobs())


def wire(
    runtime: Runtime,
    tools: BootstrapOptions,
    tenant: str,
    system: str,
    settings: SystemSettings,
    version: str,
    *,
    scope: str,
    integration: str,
    options: TenantSettings,
    active: tuple[str, ...],
    dimensions: tuple[str, ...] = (),
) -> tuple[Breaker, AdapterContext]:
    """Make what an adapter works with; also for one system alone, as `ping` does."""
    breaker = Breaker(
        runtime.store,
        runtime.clock,
        tenant=tenant,
        system=system,
        version=version,
        boot=runtime.boot,
        sole=runtime.sole,
    )
    sessions = Sessions(
        runtime.store,
        tools.session_vault or tools.vault,
        runtime.clock,
        breaker,
        name=f"{tenant}#{system}#{scope}",
        version=settings.credentials_version(),
        boot=runtime.boot,
    )
    context = AdapterContext(
        tenant=tenant,
        integration=integration,
        clock=runtime.clock,
        rng=runtime.rng,
        sessions=sessions,
        options=options,
        insecure=tools.insecure,
        flows=lambda: active,
        deadline=runtime.deadline,
        kept=runtime.kept,
        dimensions=dimensions,
        transport=tools.transport(tenant, system) if tools.transport else None,
    )
    return breaker, context


def incomplete_integration(
    runtime: Runtime,
    secrets: Secrets,
    tools: BootstrapOptions,
    tenant: str,
    integration: Integration,
    row: IntegrationRow,
    options: TenantSettings,
    system: str,
) -> TenantIntegration:
    """Make a pair of which only one side can be called, with that system's secret alone: what a poll needs."""
    secret = _there(secrets.read(tenant, system), tenant, system)
    defaults, where = integration.defaults.get(system), f"{tenant}/{system}"
    settings = parse(module(system).Settings, secret.text, where, insecure=tools.insecure, defaults=defaults)
    return assemble(runtime, tools, tenant, integration, row, options, {system: settings}, {system: secret.version})


def complete_integration(
    runtime: Runtime, secrets: Secrets, tools: BootstrapOptions, tenant: str, integration: Integration
) -> TenantIntegration:
    """Make a pair from its secrets alone: what the writer needs. Raises `Misconfigured`."""
    systems = {integration.erp, integration.platform}
    if _has_settings(runtime, secrets, tenant, integration):
        systems.add("settings")
    made = _contained(runtime, secrets, tools, tenant, systems)
    if made.unread:
        raise Transient(made.faults.get(integration.name) or f"The secrets of {tenant} cannot be read just now.")
    for pair in made.pairs:
        if pair.integration.name == integration.name:
            return pair
    raise Misconfigured(made.faults.get(integration.name) or made.problem or f"{tenant} has no {integration.name}.")


def _has_settings(runtime: Runtime, secrets: Secrets, tenant: str, integration: Integration) -> bool:
    """Tell whether the optional secret is there.

    Of one that is not there AWS says so, or denies access to it, as the policy is written. Denied counts as absent
    where the tenant's row knows of none: the tenant registry is made from the list of secrets. Where it knows of one,
    its words (shadow, dates, tolerances) must not be passed over. Raises `Misconfigured`.
    """
    try:
        return secrets.read(tenant, "settings") is not None
    except Denied as error:
        row = tenant_rows.row(runtime.store, tenant)
        if row is not None and not (integration.name in row.pairs and _says_nothing(row.options)):
            raise
        _tell_once(tenant, f"{tenant}/settings counts as absent: {error}")
        return False


def _says_nothing(options: str) -> bool:
    try:
        return TenantSettings.model_validate_json(options) == TenantSettings()
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _tell_once(tenant: str, said: str) -> None:
    log.warning("%s", said, extra={"tenant": tenant})
