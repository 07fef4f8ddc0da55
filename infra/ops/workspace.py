"""What a command works on: the local state beside a secrets folder, or a deployed stack."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ml_connector.bootstrap import tenants
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.mappings import Mappings
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import ConnectorError, Misconfigured
from ml_connector.flow import Flow
from ml_connector.ports import Blobs, Secrets
from ml_connector.tenant import BootstrapOptions, Tenant

from .suggest import suggest

DeadLetter = Mapping[str, Any]


class NotThere(ConnectorError):
    """What was asked for is not there: exit code 1."""


class DeadLetters(Protocol):
    """The dead-letter queue, as far as commands need it."""

    def count(self) -> int | None:
        """Tell about how many messages there are; None where no queue can be seen."""

    def clear(self, stale: Callable[[DeadLetter], bool]) -> int:
        """Delete the messages that say nothing any more; tells how many."""


class Refused(ConnectorError):
    """What was asked for is not allowed here: exit code 1."""


class Eraser(Protocol):
    """What a purge needs beside the port: objects that are overwritten for good."""

    def check(self) -> None:
        """Raise `Refused` where no object can be changed before its time."""

    def replace(self, key: str, body: bytes) -> None:
        """Overwrite an object."""

    def forget(self, prefix: str, keys: Collection[str]) -> None:
        """Delete the earlier versions of objects under a prefix, where the store keeps such."""


@dataclass
class FileEraser:
    """Objects that have no earlier versions: files."""

    blobs: Blobs

    def check(self) -> None:
        """Allow it: the folder is its owner's."""

    def replace(self, key: str, body: bytes) -> None:
        """Overwrite the file."""
        self.blobs.put(key, body)

    def forget(self, prefix: str, keys: Collection[str]) -> None:
        """Have nothing to delete."""


class NoDeadLetters:
    """The dead letters of a local state: they live in the engine's own process, and its rows say the same."""

    def count(self) -> int | None:
        """See none."""
        return None

    def clear(self, stale: Callable[[DeadLetter], bool]) -> int:  # noqa: ARG002
        """Delete none."""
        return 0


@dataclass(frozen=True)
class Stream:
    """One flow of one tenant, with its ledger."""

    pair: TenantIntegration
    flow: Flow

    @property
    def ledger(self) -> Ledger:
        """The flow's rows."""
        return self.pair.ledger(self.flow.name)

    @property
    def name(self) -> dict[str, str]:
        """The columns that every listing begins with."""
        return {"tenant": self.pair.tenant, "integration": self.pair.integration.name, "flow": self.flow.name}

    def __str__(self) -> str:
        return f"{self.pair.tenant} {self.pair.integration.name}/{self.flow.name}"


@dataclass
class Workspace:
    """The ports, and the tenants that the secrets make. `place` is the option that led here, for hints.

    `registered`: functions with roles of their own keep the tenant registry, and may see what nobody sees from here.

    `exclusive` keeps engines of a local state out meanwhile; raises `Misconfigured` where one is at work.
    """

    runtime: Runtime
    secrets: Secrets
    tools: BootstrapOptions
    place: str
    dead_letters: DeadLetters
    eraser: Eraser | None = None
    exclusive: Callable[[], AbstractContextManager[Any]] = nullcontext
    registered: bool = False

    @property
    def erasing(self) -> Eraser:
        """What overwrites audit objects for good; the port alone where they are files."""
        return self.eraser or FileEraser(self.runtime.blobs)

    def tenants(self, only: str | None = None) -> list[Tenant]:
        """Read the tenants, or the one asked for. Raises `Misconfigured` where there is none of that name."""
        found = tenants(self.runtime, self.secrets, self.tools, only)
        for tenant in found:
            # a shadow tenant's pairs write to a sheet that ends with the process; a person's changes are meant to stay
            tenant.pairs = [replace(pair, runtime=self.runtime) for pair in tenant.pairs]
        if only is not None and not found:
            names = suggest(only, (tenant for tenant, _ in self.secrets.names()))
            raise Misconfigured(f"There is no tenant '{only}' in {self.place}; {names}")
        return found

    def pairs(self, tenant: str | None = None) -> list[TenantIntegration]:
        """List the integrations that can be worked on. Raises `Misconfigured` where the tenant asked for has none."""
        found = self.tenants(tenant)
        pairs = [pair for one in found for pair in one.pairs]
        if tenant is not None and not pairs:
            raise Misconfigured(problem(found[0]) or f"{tenant} has no integration.")
        return pairs

    def streams(self, tenant: str | None = None, flow: str | None = None) -> list[Stream]:
        """List flows, of one tenant or all. Raises `Misconfigured` where no flow has the name."""
        every = [Stream(pair, one) for pair in self.pairs(tenant) for one in pair.integration.flows]
        found = [s for s in every if flow in {None, s.flow.name, f"{s.pair.integration.name}/{s.flow.name}"}]
        if flow is not None and not found:
            names = suggest(flow, (s.flow.name for s in every))
            raise Misconfigured(f"There is no flow '{flow}' in {tenant or self.place}; {names}")
        return found

    def stream(self, tenant: str, flow: str) -> Stream:
        """Find one flow by `flow` or `integration/flow`. Raises `Misconfigured` where it is unknown or ambiguous."""
        found = self.streams(tenant, flow)
        if len(found) > 1:
            names = " or ".join(f"{s.pair.integration.name}/{s.flow.name}" for s in found)
            raise Misconfigured(f"{tenant} has several flows '{flow}'; write {names}.")
        return found[0]

    def mappings(self, tenant: str, integration: str) -> Mappings:
        """Give the table of mappings, which needs no usable secret."""
        return Mappings(self.runtime.store, tenant, integration)

    def clear_dead_letters(self) -> int:
        """Delete the dead letters whose row is not dead, or died again since; tells how many."""
        return self.dead_letters.clear(self._is_stale)

    def _is_stale(self, message: DeadLetter) -> bool:
        names = {n: str(message[n]) for n in ("tenant", "integration", "scope", "flow")}
        found = Ledger(self.runtime.store, self.runtime.clock, **names).chunk(str(message["id"]))
        return found is None or found[0].state != "failed" or found[0].death != message.get("death")


def problem(tenant: Tenant) -> str | None:
    """Say in words why a tenant cannot run, wholly or in part."""
    whys = list(dict.fromkeys(w for w in (tenant.problem, *tenant.faults.values()) if w))
    return "; ".join(w for w in whys if not any(w != other and w in other for other in whys)) or None


def unfinished(streams: list[Stream]) -> Iterator[tuple[Stream, Chunk]]:
    """Read what is not done yet."""
    for stream in streams:
        for chunk in stream.ledger.unfinished():
            yield stream, chunk


def open_workspace(secrets: Path | None, state: Path | None, stack: str | None) -> Workspace:
    """Open the place that the options name. Raises `Misconfigured` where they name none, or two."""
    if (secrets is None) == (stack is None):
        raise Misconfigured(
            "Say where to work: `--secrets DIR` for a local state, or `--stack NAME` for a deployed stack. The "
            "environment variables ML_CONNECTOR_SECRETS and ML_CONNECTOR_STACK say the same for every command."
            if stack is None
            else "Take either `--secrets DIR` or `--stack NAME`, not both. Where neither is given, only one of the "
            "environment variables ML_CONNECTOR_SECRETS and ML_CONNECTOR_STACK may be set."
        )
    if stack is not None and state is not None:
        raise Misconfigured("`--state DIR` goes with `--secrets DIR`: a deployed stack keeps its state in its table.")
    if stack is not None:
        from .stack import open_stack

        return open_stack(stack)
    assert secrets is not None
    return _local(secrets, state)


def _local(secrets: Path, state: Path | None) -> Workspace:
    from ml_connector.embedded.disk import told
    from ml_connector.embedded.lock import StateLock

    from ..local.state import open_state

    with told(secrets, "read"):
        there = secrets.is_dir()
    if not there:
        what = "is not a folder; name one" if secrets.exists() else "does not exist; make it as a folder"
        raise Misconfigured(f"{secrets} {what}, with TENANT/SYSTEM.json for each system.")
    opened = open_state(secrets, state, sole=False)
    return Workspace(
        opened.runtime,
        opened.secrets,
        opened.tools(),
        f"the folder {secrets}",
        NoDeadLetters(),
        exclusive=lambda: StateLock(opened.folder),
    )
