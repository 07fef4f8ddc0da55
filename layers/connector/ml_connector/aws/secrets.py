"""Credentials from AWS Secrets Manager: `{prefix}/{tenant}/{system}`."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ml_connector.aws.errors import MISSING, REFUSED, code_of, is_passing, translated
from ml_connector.errors import Misconfigured, Transient
from ml_connector.ports import Clock, Secret

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
SYSTEM = re.compile(r"[a-z][a-z0-9_]{0,40}")
ABSENT = {"ResourceNotFoundException", "InvalidRequestException"}
"""There is none, or it was marked for deletion."""
PAGE = 100
"""Secrets in one answer of `ListSecrets`: the most that it gives."""


@dataclass(frozen=True, slots=True)
class _Read:
    secret: Secret | None
    at: float


class SecretsManagerSecrets:
    """The secrets under a prefix, kept in memory for a while: a read costs money, and the service throttles."""

    def __init__(self, client: Any, prefix: str, clock: Clock, max_age: float = 300) -> None:
        """`client` is boto3's for `secretsmanager`; `max_age` in seconds."""
        self._client, self._prefix, self._clock, self._max_age = client, prefix, clock, max_age
        self._lock = threading.Lock()
        self._reads: dict[tuple[str, str], _Read] = {}

    @property
    def lags(self) -> bool:
        """`ListSecrets` is eventually consistent: it may lag by minutes, both ways."""
        return True

    def listed(self) -> dict[tuple[str, str], str | None]:
        """List (tenant, system) of every secret under the prefix with the version it has now, 100 a call."""
        found: dict[tuple[str, str], str | None] = {}
        with translated(f"the secrets under {self._prefix}"):
            pages = self._client.get_paginator("list_secrets").paginate(
                Filters=[{"Key": "name", "Values": [f"{self._prefix}/"]}], PaginationConfig={"PageSize": PAGE}
            )
            for page in pages:
                found |= {name: _current(one) for one in page["SecretList"] if (name := self._split(one["Name"]))}
        return found

    def names(self) -> list[tuple[str, str]]:
        """List (tenant, system) of every secret under the prefix; a new one may take a while to appear."""
        return sorted(self.listed())

    def read(self, tenant: str, system: str, *, fresh: bool = False) -> Secret | None:
        """Read one secret, at most `max_age` old; None where there is none.

        While AWS throttles or is not reached an older one serves. `fresh` reads it now, and raises `Transient` where
        that fails: after a refused login an old secret proves nothing. Raises `Misconfigured` for an unusable one.
        """
        self._check(tenant, system)
        with self._lock:
            known = self._reads.get((tenant, system))
        now = self._clock.now().timestamp()
        if known is not None and not fresh and now - known.at < self._max_age:
            return known.secret
        try:
            secret = self._fetch(tenant, system)
        except Transient:
            if known is None or fresh:
                raise
            return known.secret
        with self._lock:
            self._reads[tenant, system] = _Read(secret, now)
        return secret

    def _fetch(self, tenant: str, system: str) -> Secret | None:
        name = f"{self._prefix}/{tenant}/{system}"
        with translated(f"the secret {name}"):
            try:
                answer = self._client.get_secret_value(SecretId=name)
            except ClientError as error:
                if code_of(error) in ABSENT:
                    return None
                if code_of(error) in REFUSED | MISSING or is_passing(error):
                    raise
                raise Misconfigured(
                    f"AWS cannot give the secret {name} ({code_of(error)}); check the KMS key that it rests under, or "
                    "write it again."
                ) from error
        if "SecretString" not in answer:
            raise Misconfigured(f"The secret {name} is binary; write it as text.")
        return Secret(answer["SecretString"], answer["VersionId"])

    def _split(self, name: str) -> tuple[str, str] | None:
        """Take (tenant, system) off a name; None for another depth, which is somebody else's secret."""
        parts = name.removeprefix(f"{self._prefix}/").split("/")
        return (parts[0], parts[1]) if len(parts) == 2 else None

    def _check(self, tenant: str, system: str) -> None:
        if not TENANT.fullmatch(tenant) or not SYSTEM.fullmatch(system):
            raise Misconfigured(
                f"{self._prefix}/{tenant}/{system} cannot be the name of a secret. A tenant takes lower case letters, "
                "digits and hyphens, begins with a letter or digit, and has at most 41 characters; a system takes "
                "lower case letters, digits and underscores."
            )


def _current(listed: Any) -> str | None:
    """Give the version that a read would give now; a list without stages tells none."""
    stages = listed.get("SecretVersionsToStages") or {}
    return next((version for version, names in stages.items() if "AWSCURRENT" in names), None)
