"""The ports on AWS, from a function's environment. Clients are made when first used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ml_connector.aws.clients import Clients
from ml_connector.aws.queue import SqsQueue
from ml_connector.aws.store import DynamoStore
from ml_connector.aws.vault import KmsVault
from ml_connector.embedded.clock import SystemClock, SystemRandom

if TYPE_CHECKING:
    from ml_connector.aws.secrets import SecretsManagerSecrets
    from ml_connector.aws.session_vault import SessionVault
    from ml_connector.engine.runtime import Runtime
    from ml_connector.ports import Clock
    from ml_connector.tenant import BootstrapOptions


@dataclass(frozen=True)
class Names:
    """What the template tells a function; a missing name is an error at the first start, not at the first record."""

    table: str
    records_queue: str
    records_dlq: str
    audit_bucket: str
    kms_key: str
    secret_prefix: str
    stack: str = "local"
    stage: str = "dev"
    insecure: bool = False
    system: str = ""
    runs_queue: str = ""
    lease_seconds: int = 150

    @classmethod
    def from_environment(cls) -> Names:
        """Read `ML_…`; raises `KeyError` with the missing name."""
        env = os.environ
        return cls(
            table=env["ML_TABLE"],
            records_queue=env["ML_RECORDS_QUEUE"],
            records_dlq=env["ML_RECORDS_DLQ"],
            audit_bucket=env["ML_AUDIT_BUCKET"],
            kms_key=env["ML_KMS_KEY"],
            secret_prefix=env["ML_SECRET_PREFIX"],
            stack=env.get("ML_STACK", "local"),
            stage=env.get("ML_STAGE", "dev"),
            insecure=env.get("ML_ALLOW_INSECURE") == "true",
            system=env.get("ML_SYSTEM", ""),
            runs_queue=env.get("ML_RUNS_QUEUE", ""),
            lease_seconds=int(env.get("ML_LEASE_SECONDS", "150")),
        )


def share_of(clock: Clock, context: Any, share: float) -> datetime:
    """Tell when a function will have used up a share of the time that it has from now on: a tick stops there."""
    return clock.now() + timedelta(milliseconds=int(context.get_remaining_time_in_millis())) * share


class Aws:
    """Everything a function may need, each part made when it is first asked for."""

    def __init__(self, names: Names, clients: Clients | None = None) -> None:
        """`clients` may point to a local stack."""
        self.names, self.clients = names, clients or Clients()
        self.clock, self.rng = SystemClock(), SystemRandom()

    @cached_property
    def store(self) -> DynamoStore:
        """The table."""
        return DynamoStore(self.names.table, self.clients.get("dynamodb"), self.clock)

    @cached_property
    def queue(self) -> SqsQueue:
        """The records queue and its dead letters."""
        return SqsQueue(self.clients.get("sqs"), self.names.records_queue, self.names.records_dlq, self.rng)

    @cached_property
    def vault(self) -> KmsVault:
        """The key."""
        return KmsVault(self.clients.get("kms"), self.names.kms_key, self.clock)

    @cached_property
    def session_vault(self) -> SessionVault:
        """The key, for tokens and sessions."""
        from ml_connector.aws.session_vault import SessionVault  # noqa: PLC0415 - the webhook never asks for it

        return SessionVault(self.clients.get("kms"), self.names.kms_key, self.store, self.clock)

    @cached_property
    def secrets(self) -> SecretsManagerSecrets:
        """The tenants' secrets."""
        from ml_connector.aws.secrets import SecretsManagerSecrets  # noqa: PLC0415 - the webhook never asks for it

        return SecretsManagerSecrets(self.clients.get("secretsmanager"), self.names.secret_prefix, self.clock)

    @cached_property
    def runtime(self) -> Runtime:
        """The engine's ports."""
        from ml_connector.aws.blobs import S3Blobs  # noqa: PLC0415
        from ml_connector.engine.runtime import Runtime  # noqa: PLC0415

        blobs = S3Blobs(self.clients.get("s3"), self.names.audit_bucket)
        return Runtime(
            self.store,
            self.queue,
            blobs,
            self.clock,
            self.rng,
            boot=str(self.rng.uuid4()),
            lease=timedelta(seconds=self.names.lease_seconds),
        )

    @cached_property
    def tools(self) -> BootstrapOptions:
        """What wiring needs."""
        from ml_connector.tenant import BootstrapOptions  # noqa: PLC0415

        return BootstrapOptions(
            self.vault, insecure=self.names.insecure, shadow_ledger=True, session_vault=self.session_vault
        )
