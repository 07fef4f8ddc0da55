"""What every system's secret has in common, and how a wrong secret is explained."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)

from ml_connector.deadline import LONGEST_TIMEOUT
from ml_connector.errors import Misconfigured
from ml_connector.systems.addresses import literal
from ml_connector.systems.explain import explain

if TYPE_CHECKING:
    from ml_connector.engine.access.chain import Pairing

MOST = 20
"""Faults that a message lists."""
_HOST = re.compile(
    r"(?!.*\.\.)[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_.])?|[0-9a-f.]*:[0-9a-f:.]+", re.IGNORECASE | re.ASCII
)
"""A name or an address as DNS knows it; one with other letters is written in its xn-- form."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        shown = (
            f"'{name}'" if re.fullmatch(r"[A-Za-z_/]{1,40}", name) else "this"
        )  # it may be a secret of another field
        raise ValueError(f"{shown} is not a time zone; write one such as Europe/Berlin") from error
    return name


def _address(url: str) -> str:
    """Take an address that can be called. It is not shown: what stands there by mistake may be a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("this is not a valid web address; write one such as https://erp.example.com:443") from error
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in the address; use the fields for them")
    if parts.scheme not in {"http", "https"} or port == 0 or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError("this is not a valid web address; write one that begins with https:// and names a host")
    return url.rstrip("/")


def _pem(text: str) -> str:
    """Take certificates in PEM form; what is no such file is said here, and not at the first call."""
    try:
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise ValueError("this holds no certificate in PEM form; copy the whole file of the authority") from error
    return text


def server(url: str) -> str:
    """Write an address as every spelling of it comes to: for telling one server from another, not for calling it.

    Case, a default port, a last dot, a last slash, percent signs and the xn-- form of a name say nothing; another
    name for the same machine may be another server.
    """
    parts = urlsplit(url)
    path = quote(unquote(parts.path), safe="/:@!$&'()*+,;=~-._").lower().rstrip("/")
    return f"{parts.scheme.lower()}://{authority(url)}{path}"


def authority(url: str) -> str:
    """Write host and port of an address as every spelling of them comes to; a default port is left out."""
    parts = urlsplit(url)
    port = "" if parts.port in {None, _PORTS.get(parts.scheme.lower())} else f":{parts.port}"
    return f"{_host(parts.hostname or '')}{port}"


def _host(name: str) -> str:
    try:
        address = ip_address(name)
    except ValueError:
        plain = unquote(name).lower().rstrip(".")
        try:
            return plain.encode("idna").decode()
        except UnicodeError:
            return plain
    return f"[{address}]" if address.version == 6 else str(address)


_PORTS = {"http": 80, "https": 443}
_RENAMED = {"settle_seconds": "in_doubt_seconds"}
"""Fields that had another name: what was written under the earlier one is still read."""
Zone = Annotated[str, AfterValidator(_zone)]
Url = Annotated[str, AfterValidator(_address)]


class SystemSettings(BaseModel):
    """Fields that every system takes. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    private_network: ClassVar[bool] = True
    """Whether the system may stand in a private network, as an ERP may."""

    timezone: Zone = "UTC"
    ca_bundle: Annotated[str, AfterValidator(_pem)] | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=LONGEST_TIMEOUT)
    max_concurrency: int | None = Field(default=None, ge=1, le=32)
    in_doubt_seconds: int = Field(default=900, ge=0, le=86_400)
    _earlier_names: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="wrap")
    @classmethod
    def _renamed(cls, found: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Read a field under its earlier name, too. Both at once are refused where they differ."""
        earlier = [name for name in _RENAMED if isinstance(found, dict) and name in found]
        for name in earlier:
            now = _RENAMED[name]
            if found.get(now, found[name]) != found[name]:
                raise ValueError(f"'{name}' is the earlier name of '{now}', and the two differ; remove '{name}'")
            found = {now: found[name]} | {field: value for field, value in found.items() if field != name}
        settings = read(found)
        settings._earlier_names = tuple(earlier)
        return settings

    def renamed(self) -> list[tuple[str, str]]:
        """List the fields that were written under an earlier name, each with the name of today."""
        return [(name, _RENAMED[name]) for name in self._earlier_names]

    def endpoint(self) -> dict[str, str]:
        """Name server, company, region and environment, as far as the system has them, for people to read.

        What differs here makes two configurations different places; another spelling of an address does not.
        """
        raise NotImplementedError

    def identity(self) -> str:
        """Write the endpoint as one text."""
        return "|".join(self.endpoint().values())

    def company(self) -> str:
        """Name the ERP's company as mappings of companies know it; empty for a platform."""
        return ""

    def owns(self) -> dict[str, str]:
        """Name what only one tenant may have, with the words for it; nothing for most."""
        return {}

    def pairing(self, warn: timedelta) -> Pairing | None:  # noqa: ARG002 - of systems that have one
        """Say what a secret says of a pairing whose refresh token rotates; None for most."""
        return None

    def webhook_keys(self) -> list[bytes]:
        """List the keys by which the system signs its webhooks; none for most."""
        return []

    def webhook_address(self) -> str | None:
        """Name the address that the system is to notify; most notify nobody."""
        return None

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


def parse(model: type[S], text: str, where: str, *, insecure: bool, defaults: Mapping[str, str] | None = None) -> S:
    """Read a secret. `where` names it in errors; `insecure` allows http and loopback addresses.

    `defaults` stand for fields that it leaves out.

    Raises `Misconfigured` with a sentence for each fault, and never with a value of the secret.
    """
    try:
        settings = model.model_validate_json(_filled(text, defaults or {}).encode("utf-8", "replace"))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        said = [explain(model, where, dict(e)) for e in faults[:MOST]]
        more = [f"and {len(faults) - MOST} more"] if len(faults) > MOST else []
        raise Misconfigured("; ".join([*said, *more])) from None
    if isinstance(settings, SystemSettings) and not insecure:
        for url in settings.urls():
            if why := _unfit(url, private=settings.private_network):
                raise Misconfigured(
                    f"{where}: the address {url} {why}; set the stack parameter AllowInsecureEndpoints only for tests."
                )
    return settings


def _filled(text: str, defaults: Mapping[str, str]) -> str:
    """Add fields that a secret leaves out; one that is no object is left to whoever explains it."""
    try:
        given = json.loads(text) if defaults else None
    except ValueError:
        return text
    if not isinstance(given, dict) or not (more := {n: v for n, v in defaults.items() if given.get(n) is None}):
        return text
    return json.dumps({**given, **more})


def _unfit(url: str, *, private: bool) -> str | None:
    """Say why a deployed stack does not call an address. What a name leads to is judged at each connection."""
    parts = urlsplit(url)
    found = literal(parts.hostname or "")
    if parts.scheme != "https" or found in {"loopback", "link-local", "unusable"}:
        return "must be https and not this machine's own"
    if found == "private" and not private:
        return "must be https and not in a private network"
    return None
