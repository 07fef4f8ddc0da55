"""Credentials from a folder (`DIR/<tenant>/<system>.json`), or in memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from ml_connector.errors import Misconfigured
from ml_connector.ports import Secret

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
SYSTEM = re.compile(r"[a-z][a-z0-9_]{0,40}")


def _secret(text: str) -> Secret:
    """Version = hash of the content: every change of a file, and nothing else, is a new version."""
    return Secret(text, hashlib.blake2b(text.encode(), digest_size=12).hexdigest())


class FolderSecrets:
    """The secrets of a folder, read again each time. What cannot be read is listed all the same: `read` says why."""

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)

    @property
    def lags(self) -> bool:
        """A folder shows what is in it."""
        return False

    def listed(self) -> dict[tuple[str, str], str | None]:
        """List (tenant, system) of every file; only reading it tells its version."""
        return dict.fromkeys(self.names())

    def names(self) -> list[tuple[str, str]]:
        """List (tenant, system) of every file, also of those with a name that cannot be used.

        Hidden folders and files (the state, editors' leftovers) are none. Raises `Misconfigured` where the folder
        itself cannot be listed.
        """
        try:
            tenants = [path for path in self._folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        except OSError as error:
            raise Misconfigured(
                f"The folder of secrets {self._folder} cannot be listed: {error.strerror}. "
                "It holds one folder for each tenant, and there one file for each system."
            ) from None
        return sorted(name for tenant in tenants for name in _systems(tenant))

    def read(self, tenant: str, system: str, *, fresh: bool = False) -> Secret | None:  # noqa: ARG002 (always is)
        """Read one secret; None where there is none. Raises `Misconfigured`, naming the file, where it is unusable."""
        path = self._folder / tenant / f"{system}.json"
        _check(tenant, system, path.parent, path)
        return self._read(path)

    def _read(self, path: Path) -> Secret | None:
        try:
            return _secret(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a byte order mark
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Misconfigured(f"{path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise Misconfigured(f"{path} is not text in UTF-8; save it as such.") from None


def _check(tenant: str, system: str, folder: Path | str, where: Path | str) -> None:
    """Refuse a name that is no tenant's or system's; `folder` and `where` (the file) are named, so that a person finds
    them: a tenant's name is wrong once, and not for each of its files.
    """
    if not TENANT.fullmatch(tenant):
        raise Misconfigured(
            f"{folder} cannot be the name of a tenant; rename the folder: lower case letters, digits and hyphens, a "
            "letter or digit first, at most 41 characters"
        )
    if not SYSTEM.fullmatch(system):
        raise Misconfigured(
            f"{where}: '{system}' cannot be the name of a system; rename the file: lower case letters, digits and "
            "underscores"
        )


def _systems(tenant: Path) -> list[tuple[str, str]]:
    """Name a tenant's files; a folder that cannot be listed is named as `settings`, whose reading says why."""
    try:
        return [(tenant.name, path.stem) for path in tenant.iterdir() if _is_secret(path)]
    except OSError:
        return [(tenant.name, "settings")]


def _is_secret(path: Path) -> bool:
    return path.suffix == ".json" and not path.name.startswith(".")


class MemorySecrets:
    """Secrets in memory, for tests and simulations: `{(tenant, system): text}`."""

    def __init__(self, texts: Mapping[tuple[str, str], str] | None = None) -> None:
        self._secrets = {name: _secret(text) for name, text in (texts or {}).items()}

    def __repr__(self) -> str:
        return f"MemorySecrets({sorted(self._secrets)})"

    @property
    def lags(self) -> bool:
        """Memory shows what is in it."""
        return False

    def listed(self) -> dict[tuple[str, str], str | None]:
        """List (tenant, system) with versions."""
        return {name: secret.version for name, secret in self._secrets.items()}

    def names(self) -> list[tuple[str, str]]:
        """List (tenant, system)."""
        return sorted(self._secrets)

    def read(self, tenant: str, system: str, *, fresh: bool = False) -> Secret | None:  # noqa: ARG002 (always is)
        """Read one secret; None where there is none. Raises `Misconfigured` for an impossible name."""
        _check(tenant, system, tenant, f"{tenant}/{system}")
        return self._secrets.get((tenant, system))

    def write(self, tenant: str, system: str, text: str) -> None:
        """Set or change a secret."""
        self._secrets[tenant, system] = _secret(text)

    def remove(self, tenant: str, system: str) -> None:
        """Delete a secret: the end of an integration."""
        self._secrets.pop((tenant, system), None)
