"""A login as a secret describes it: user and password, a pairing's rotating tokens, or tokens that we sign ourselves.

Each `type` has fields of its own, and takes none of the others'. What a vendor's answers mean, its folder says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from ml_connector.connection import Check
from ml_connector.context import AdapterContext
from ml_connector.engine.access.chain import MONTH, Pairing
from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, Throttled
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import Unproven
from ml_connector.systems.kit.credentials import Proven, basic
from ml_connector.systems.kit.login import Scheme
from ml_connector.systems.kit.refresh_tokens import AGAIN, RefreshToken
from ml_connector.systems.kit.sdata import fault_in
from ml_connector.systems.kit.secret_fields import only_fields_of
from ml_connector.systems.kit.signed_tokens import Minted, ends_at
from ml_connector.systems.settings import Url, server

Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=250)]
Password = Annotated[SecretStr, Field(min_length=1)]


class Part(BaseModel):
    """An object within a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class UserPassword(Part):
    """A user with a password."""

    user: Filled
    password: Password

    def secret_values(self) -> list[str]:
        """List what is masked, also the two as their header carries them."""
        password = self.password.get_secret_value()
        return [password, basic(self.user, password)]


class Auth(Part):
    """How to log in."""

    type: Literal["basic", "oauth2", "connected_app"]
    user: Filled | None = None
    password: Password | None = None
    token_url: Url | None = None
    client_id: Filled | None = None
    client_secret: Password | None = None
    refresh_token: Password | None = None
    refresh_token_issued_at: datetime | None = None
    audience: str | None = None
    validity_seconds: int = Field(default=300, ge=60, le=86_400)

    @model_validator(mode="after")
    def _has_its_fields(self) -> Auth:
        fields = {
            "basic": ("user", "password"),
            "oauth2": ("token_url", "client_id", "client_secret", "refresh_token", "[refresh_token_issued_at]"),
            "connected_app": ("client_id", "client_secret", "user", "audience", "[validity_seconds]"),
        }
        return only_fields_of(self, "type", fields)

    @property
    def token_server(self) -> str:
        """Give scheme and host of the address that gives tokens; empty where there is none."""
        parts = urlsplit(self.token_url or "")
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def secret_values(self) -> list[str]:
        """List what is masked."""
        secrets = [one.get_secret_value() for one in self.__dict__.values() if isinstance(one, SecretStr)]
        return [*secrets, *([basic(self.user, plain(self.password))] if self.user and self.password else [])]

    def owned(self, title: str) -> dict[str, str]:
        """Name the pairing: it has one refresh token at a time, and two tenants would use up each other's."""
        if self.refresh_token is None:
            return {}
        digest = hashlib.blake2b(plain(self.refresh_token).encode(), digest_size=12).hexdigest()
        return {f"{server(self.token_url or '')}|{digest}": f"this refresh token of {title}"}

    def pairing(self, warn: timedelta) -> Pairing | None:
        """Say what the secret says of a pairing; None for another login. `warn`: before a token's end."""
        if self.refresh_token is None:
            return None
        token, issued = plain(self.refresh_token), self.refresh_token_issued_at
        if issued is not None and issued.tzinfo is None:
            issued = issued.replace(tzinfo=UTC)
        ends = ends_at(token) or (issued + MONTH if issued else None)
        return Pairing(token, issued, ends, warn)


def plain(secret: SecretStr | None) -> str:
    """Give a secret as it is sent."""
    return secret.get_secret_value() if secret is not None else ""


def scheme_of(
    auth: Auth,
    context: AdapterContext,
    http: Http,
    tokens: Http,
    *,
    proof: Call,
    judge: Callable[[Reply], ConnectorError | None],
    nowhere: Callable[[object], Misconfigured],
    learn: Callable[[str], None],
    timeout: float,
    advice: Callable[[str], str] = lambda _: AGAIN,
) -> Scheme:
    """Make the scheme that `auth` describes. `tokens` is the server of `token_url`; the rest is as the schemes tell.

    `proof`, `judge` and `nowhere` prove credentials that each request carries; a pairing is proven by its refresh.
    """
    pairing = auth.pairing(timedelta(days=context.options.alert_days_before_refresh_token_end))
    if pairing is not None:
        return RefreshToken(
            tokens,
            context.clock,
            context.sessions.chain,
            pairing,
            (auth.client_id or "", plain(auth.client_secret)),
            path=urlsplit(auth.token_url or "").path,
            timeout=timeout,
            learn=learn,
            advice=advice,
        )
    header = f"Basic {basic(auth.user or '', plain(auth.password))}"
    claims = {"iss": auth.client_id or "", "sub": auth.user or "", "aud": auth.audience or ""}
    signed = Minted(context.clock, plain(auth.client_secret), timedelta(seconds=auth.validity_seconds), claims, learn)
    return Proven(http, (lambda: header) if auth.type == "basic" else signed, proof, judge=judge, nowhere=nowhere)


# ── what answers mean ───────────────────────────────────────────────────────────────────────────────────────────


def proof_judged(reply: Reply, vendor: str, refused: Callable[[str], LoginRefused]) -> ConnectorError | None:
    """Judge the answer to a proof over JSON: what the vendor itself says of what was asked proves the login as well.

    `refused` makes the error of a refusal, given what was said.
    """
    said = f"{reply.status}, {reply.text(200) or 'without a text'}"
    if reply.status == 401:
        return refused(said)
    if reply.status in {429, 502, 503, 504}:
        return Throttled(f"{vendor} is not available: {said}.", None)
    fault = fault_in(reply)
    if reply.status == 403 or (fault.worded if fault is not None else reply.status == 200 and _is_of_it(reply)):
        return None
    return Unproven(f"What answers is not {vendor}: {said}.")


def _is_of_it(reply: Reply) -> bool:
    """Tell an answer of SData or GraphQL from any other object."""
    try:
        body = reply.json()
    except ValueError:
        return False
    return isinstance(body, dict) and bool({"$resources", "data"} & body.keys())


def refresh_token(auth: Auth, context: AdapterContext) -> Iterator[Check]:
    """Tell until when the refresh token of a pairing is good; nothing for another login."""
    warn = timedelta(days=context.options.alert_days_before_refresh_token_end)
    if (pairing := auth.pairing(warn)) is not None:
        standing = context.sessions.chain.standing(pairing)
        why = standing.warning(context.clock.now(), warn)
        until = f"good until {standing.ends_at:%Y-%m-%d}; each use renews it" if standing.ends_at else "without an end"
        yield Check("refresh token", True, why or until, warning=why is not None)
