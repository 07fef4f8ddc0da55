"""Tries one system of one tenant: its secret, its login, its records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ml_connector import bootstrap
from ml_connector.connection import Check, Connection, document_target
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.endpoints import note
from ml_connector.engine.write.resolving import not_sent_here
from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured
from ml_connector.flow import Found
from ml_connector.integration_defaults import defaults_of
from ml_connector.integrations import INTEGRATIONS
from ml_connector.listing import of_tenant
from ml_connector.ports import Secret, Secrets
from ml_connector.systems.settings import SystemSettings, parse
from ml_connector.tenant import Tenant

from .workspace import Workspace


@dataclass(frozen=True)
class OneSecret:
    """The secrets as if there were but one, so that it is judged alone."""

    secrets: Secrets
    tenant: str
    system: str

    @property
    def lags(self) -> bool:
        """There is nothing to list."""
        return False

    def listed(self) -> dict[tuple[str, str], str | None]:
        """List the one, whose version only reading tells."""
        return dict.fromkeys(self.names())

    def names(self) -> list[tuple[str, str]]:
        """List the one."""
        return [(self.tenant, self.system)]

    def read(self, tenant: str, system: str, *, fresh: bool = False) -> Secret | None:
        """Read as ever."""
        return self.secrets.read(tenant, system, fresh=fresh)


def checks(workspace: Workspace, tenant: str, system: str) -> Iterator[Check]:
    """Try the secret, then the system. The check named `secret` fails where the secret cannot be used as written."""
    whole = bootstrap.tenants(workspace.runtime, workspace.secrets, workspace.tools, tenant)[0]
    present = [s for _, s in of_tenant(workspace.secrets, tenant)]
    faults = {s: _fault(workspace, tenant, s) for s in present}
    clash = None if any(faults.values()) else whole.problem  # each is right, but together they are not
    if (fault := faults[system] or clash) is not None:
        yield Check("secret", False, fault)
        return
    yield Check("secret", True, "can be used as written")
    if system == "settings":
        return
    yield from _renamed(workspace, tenant, system)
    yield from _incomplete(system, set(present))
    yield from _moved(whole, system)
    breaker, connection = _connection(workspace, whole, tenant, system)
    try:
        yield from _tried(breaker, connection)
        yield from _of_others(whole, system, connection)
    finally:
        connection.close()


def _renamed(workspace: Workspace, tenant: str, system: str) -> Iterator[Check]:
    """Mention fields under an earlier name, which are read as well."""
    for earlier, now in _settings(workspace, tenant, system)[1].renamed():
        detail = f"the field '{earlier}' is called '{now}' now; it is still read, rename it"
        yield Check("secret", True, detail, warning=True)


def _incomplete(system: str, present: set[str]) -> Iterator[Check]:
    """Warn where the secret of the other system is missing, so that nothing will move."""
    others = [i.platform if system == i.erp else i.erp for i in INTEGRATIONS if system in {i.erp, i.platform}]
    if others and not present & set(others):
        detail = (
            f"the secret of {' or '.join(others)} is missing, so nothing moves for this tenant yet; write that one too"
        )
        yield Check("integration", True, detail, warning=True)


def _moved(whole: Tenant, system: str) -> Iterator[Check]:
    """Say what is known under an earlier endpoint of the system alone."""
    for pair in whole.pairs:
        for earlier in note(pair) if system in pair.endpoints else ():
            if system in earlier.changed:
                yield Check("endpoint", True, earlier.sentence(pair), warning=True)


def _fault(workspace: Workspace, tenant: str, system: str) -> str | None:
    return bootstrap.tenants(workspace.runtime, OneSecret(workspace.secrets, tenant, system), workspace.tools)[
        0
    ].problem


def _tried(breaker: Breaker, connection: Connection) -> Iterator[Check]:
    """Log in, even where the last login was refused; another refusal suspends it again by itself."""
    try:
        breaker.may_log_in()
    except LoginRefused:
        breaker.reset()
    well = True
    try:
        for check in connection.ping():
            well = well and check.ok
            yield check
    except ConnectorError as error:
        well = False
        yield Check("login" if isinstance(error, LoginRefused) else "answer", False, str(error))
    if well:
        breaker.reset()


def _of_others(whole: Tenant, system: str, connection: Connection) -> Iterator[Check]:
    """Warn of documents with a key of ours that this installation did not send: another one works on the company.

    What this state knows under an earlier endpoint was sent from here: `endpoint` tells of it.
    """
    for pair in whole.pairs:
        for flow in pair.integration.flows if system == pair.integration.erp else ():
            if flow.target != system or flow.manner != "document":
                continue
            try:
                strange = not_sent_here(pair, flow, document_target(connection, flow.record).recent())
            except ConnectorError as error:
                yield Check("other installations", False, str(error))
                continue
            if strange:
                yield Check("other installations", True, _strange(strange), warning=True)


def _strange(found: Sequence[Found]) -> str:
    numbers = ", ".join(one.number for one in found[:5]) + (", …" if len(found) > 5 else "")
    return (
        f"{len(found)} recent document(s) carry a key of ml-connector, and were not sent with this state: {numbers}. "
        "Does another installation, or another state folder, work on this company? One company belongs to one "
        "installation: stop the other one, or documents may be posted twice."
    )


def _connection(workspace: Workspace, whole: Tenant, tenant: str, system: str) -> tuple[Breaker, Connection]:
    """Connect as the pair would, so that its session is used; a system without its other half gets one of its own."""
    secret, settings = _settings(workspace, tenant, system)
    pair = next((p for p in whole.pairs if system in {p.integration.erp, p.integration.platform}), None)
    integration = pair.integration if pair else next(i for i in INTEGRATIONS if system in {i.erp, i.platform})
    active = pair.active if pair else bootstrap.active_flows(integration, whole.options)
    breaker, context = bootstrap.wire(
        workspace.runtime,
        workspace.tools,
        tenant,
        system,
        settings,
        secret.version,
        scope=pair.scope if pair else "alone",
        integration=integration.name,
        options=whole.options,
        # so that it asks for what a run asks for
        active=(*sorted(active), *bootstrap.subscribed_flows(integration, active)),
    )
    connection: Connection = bootstrap.module(system).connect(settings, context)
    return breaker, connection


def _settings(workspace: Workspace, tenant: str, system: str) -> tuple[Secret, SystemSettings]:
    secret = workspace.secrets.read(tenant, system, fresh=True)
    if secret is None:
        raise Misconfigured(f"{tenant}/{system}: the secret is gone; write it again.")
    model = bootstrap.module(system).Settings
    defaults = defaults_of(system, {one for name, one in workspace.secrets.names() if name == tenant})
    insecure = workspace.tools.insecure
    return secret, parse(model, secret.text, f"{tenant}/{system}", insecure=insecure, defaults=defaults)
