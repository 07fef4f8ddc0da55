"""What every system's secret has in common, and how a wrong secret is explained."""

from __future__ import annotations

import difflib
import hashlib
from ipaddress import ip_address
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ml_connector.errors import Misconfigured


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise ValueError(f"'{name}' is no time zone; write one such as Europe/Berlin") from error
    return name


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"'{url}' is no web address; write one that begins with https://")
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in the address; use the fields for them")
    return url.rstrip("/")


Zone = Annotated[str, AfterValidator(_zone)]
Url = Annotated[str, AfterValidator(_address)]


class SystemSettings(BaseModel):
    """Fields that every system takes. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    timezone: Zone = "UTC"
    ca_bundle: str | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=110)
    max_concurrency: int | None = Field(default=None, ge=1, le=32)
    settle_seconds: int = Field(default=900, ge=0, le=86_400)

    def identity(self) -> str:
        """Name the server, company, region and environment: what makes two configurations different places."""
        raise NotImplementedError

    def company(self) -> str:
        """Name the ERP's company as mappings of companies know it; empty for a platform."""
        return ""

    def webhook_keys(self) -> list[bytes]:
        """List the keys by which the system signs its webhooks; none for most."""
        return []

    def urls(self) -> list[str]:
        """List every address that will be called."""
        raise NotImplementedError

    def secret_values(self) -> list[str]:
        """List the values to be masked wherever they turn up."""
        return [v.get_secret_value() for v in self.__dict__.values() if isinstance(v, SecretStr)]

    def credentials_version(self) -> str:
        """Hash what a session depends on, so that a changed password makes a new one."""
        parts = [self.identity(), self.model_dump_json(), *self.secret_values()]
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


S = TypeVar("S", bound=BaseModel)


def parse(model: type[S], text: str, where: str, *, insecure: bool) -> S:
    """Read a secret. `where` names it in errors; `insecure` allows http and loopback addresses.

    Raises `Misconfigured` with a sentence for each fault, and never with a value of the secret.
    """
    try:
        settings = model.model_validate_json(text)
    except ValidationError as error:
        raise Misconfigured("; ".join(_explain(model, where, dict(e)) for e in error.errors())) from None
    for url in settings.urls() if isinstance(settings, SystemSettings) else []:
        if not insecure and (urlsplit(url).scheme != "https" or _is_loopback(url)):
            raise Misconfigured(
                f"{where}: the address {url} must be https and not this machine's own; "
                "set the stack parameter AllowInsecureEndpoints only for tests."
            )
    return settings


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _explain(model: type[BaseModel], where: str, error: dict[str, Any]) -> str:
    path = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "missing":
            return f"{where}: the field '{path}' is missing; add it"
        case "extra_forbidden":
            near = difflib.get_close_matches(path, model.model_fields, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(model.model_fields)}"
            return f"{where}: the field '{path}' is unknown; {hint}"
        case "json_invalid":
            return f"{where}: this is no valid JSON ({error.get('ctx', {}).get('error', error['msg'])}); mend the file"
        case _:
            return f"{where}: {_field(path)} cannot be used: {error['msg']}"


def _field(path: str) -> str:
    return f"the field '{path}'" if path else "the secret"
