"""The epoch of a tenant's settings: a hash of those that shape what is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ml_connector.context import TenantSettings
from ml_connector.systems import registry
from ml_connector.systems.settings import SystemSettings

_NO_SHAPE = frozenset({"timeout_seconds", "max_concurrency", "in_doubt_seconds", "ca_bundle"})
"""Fields of every secret that do not shape what is sent; each vendor has its own beside them (`registry`)."""


def settings_epoch(options: TenantSettings, settings: Mapping[str, SystemSettings]) -> str:
    """Hash the settings that shape what is sent; credentials, times and schedules do not."""
    shape = [options.model_dump_json(include={"send_bank_details"})]
    for system in sorted(settings):
        shapeless = _NO_SHAPE | registry.BY_NAME[system].shapeless
        fields = {n for n in type(settings[system]).model_fields if n not in shapeless}
        shape.append(settings[system].model_dump_json(include=fields))
    return hashed(*shape)[:8]


def hashed(*parts: str) -> str:
    """Hash some texts together."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
