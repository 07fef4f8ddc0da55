"""Who may call: Basic users, connected applications, and the tokens of the regional gateway (dossier 1.8, 3.6, 4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from .errors import Gateway, Refusal

ACCESS_SECONDS, REFRESH_SECONDS = 300, 2_629_800
_GATEWAY_KEY = "gateway-signing-key"


@dataclass
class Application:
    """A connected application: it signs its own tokens; `url` is compared with `aud` byte for byte."""

    client_id: str
    secret: str
    url: str
    users: set[str]
    validity: int = 600
    needs_sub: bool = True


@dataclass
class Paired:
    """An app of the registry, paired with one customer: the refresh token that is valid, and what it may do."""

    client_id: str
    secret: str
    scopes: list[str]
    folders: list[str]
    accepted: bool = True
    disabled: bool = False
    code: str = ""
    refresh: str = ""


@dataclass
class Logins:
    """Users and applications of one installation.

    spelling: of the token answer, "snake" or "camel". daily_quota: calls of the gateway in a day of UTC (0: any).
    refused: logins that failed, by user or client.
    """

    clock: Callable[[], datetime]
    rng: Random
    users: dict[str, str] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    paired: dict[str, Paired] = field(default_factory=dict)
    region: str = "eu"
    spelling: str = "snake"
    daily_quota: int = 0
    used: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    issued: int = 0

    # ── a direct server ─────────────────────────────────────────────────────────────────────────────────────

    def basic(self, header: str) -> str:
        """The user of a Basic header; raises a 401."""
        kind, _, text = header.partition(" ")
        try:
            plain = base64.b64decode(text, validate=True).decode() if kind == "Basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            plain = ""
        user, colon, password = plain.partition(":")
        if not colon or self.users.get(user) != password:
            self.refused[user] += 1
            raise Refusal(401, "Authentication failed")
        return user

    def signed(self, header: str, text: str = "") -> str:
        """The user of a token that a connected application signed itself; raises a 401 in plain text."""
        claims, application = self._unsealed(header, text)
        now = self.clock().timestamp()
        checks = (
            (not isinstance(claims.get("iat"), int) or claims["iat"] > now, 21),
            (claims.get("aud") != application.url, 45),
            (not isinstance(claims.get("exp"), int) or claims["exp"] <= now, 50),
            (claims.get("exp", 0) - claims.get("iat", 0) > application.validity, 50),  # which number is inferred
            (claims.get("sub") not in application.users and (application.needs_sub or "sub" in claims), 42),
        )
        for wrong, number in checks:
            if wrong:
                raise self._invalid(application.client_id, number, text)
        return str(claims.get("sub") or min(application.users))

    def _unsealed(self, header: str, text: str) -> tuple[dict[str, Any], Application]:
        kind, _, token = header.partition(" ")
        head, claims = opened(token) if kind == "Bearer" else ({}, {})
        application = self.applications.get(str(claims.get("iss", "")))
        if application is None:
            raise self._invalid(str(claims.get("iss", "")), 41, text)
        if head.get("alg") != "HS256" or not _sealed(token, application.secret):
            raise self._invalid(application.client_id, 50, text)
        return claims, application

    def _invalid(self, client: str, number: int, text: str) -> Refusal:
        self.refused[client] += 1
        return Refusal(401, text or f"Error {number}: Invalid token", plain=True)

    # ── the gateway ─────────────────────────────────────────────────────────────────────────────────────────

    def count(self) -> bool:
        """Count a call of today; False where the customer's quota is used up."""
        day = f"{self.clock():%Y-%m-%d}"
        self.used[day] += 1
        return not self.daily_quota or self.used[day] <= self.daily_quota

    def paired_by(self, header: str) -> Paired:
        """The pairing of a Bearer access token; raises the gateway's 401."""
        kind, _, token = header.partition(" ")
        claims = opened(token)[1] if kind == "Bearer" and _sealed(token, _GATEWAY_KEY) else {}
        found = self.paired.get(str(claims.get("azp", "")))
        if found is None or claims.get("use") == "refresh" or claims.get("exp", 0) <= self.clock().timestamp():
            self.refused["gateway"] += 1
            raise Gateway(401, "Unauthorised")
        return found

    def issue(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the token endpoint; the refresh token that was given is dead from now on."""
        grant = body.get("grant_type")
        wanted = {"authorization_code": ("code", "redirect_uri"), "refresh_token": ("refresh_token",)}.get(str(grant))
        if not grant or not body.get("client_id") or not body.get("client_secret"):
            raise Gateway(400, "Missing required request parameters")
        if wanted is None:
            raise Gateway(400, "Invalid grant type")
        if not all(body.get(name) for name in wanted):
            raise Gateway(400, "Missing required request parameters")
        paired = self._application(body)
        if grant == "authorization_code":
            if not paired.code or paired.code != body["code"]:
                raise Gateway(403, "Pairing request not found")
            paired.code = ""
        else:
            self._spend(paired, str(body["refresh_token"]))
        return self.answer(paired)

    def _application(self, body: Mapping[str, Any]) -> Paired:
        paired = self.paired.get(str(body["client_id"]))
        if paired is None or paired.secret != body["client_secret"]:
            self.refused["gateway"] += 1
            raise Gateway(404, "Could not associate the values with an active application", bare=True)
        if paired.disabled:
            raise Gateway(403, "The application registered on Sage Business Cloud is disabled")
        if not paired.accepted:
            raise Gateway(403, "The pairing request has not been accepted.")
        return paired

    def _spend(self, paired: Paired, token: str) -> None:
        if not paired.refresh or token != paired.refresh:
            self.refused["gateway"] += 1
            raise Gateway(403, "Pairing request not found")
        if opened(token)[1]["exp"] <= self.clock().timestamp():
            self.refused["gateway"] += 1
            raise Gateway(403, "The request has expired.")

    def answer(self, paired: Paired) -> dict[str, Any]:
        """Make a new pair of tokens and give it in this installation's spelling."""
        now, self.issued = int(self.clock().timestamp()), self.issued + 1
        common = {"iss": "sage-x3-gateway", "aud": "sage-x3", "iat": now, "region": self.region, "sub": "config-1"}
        common |= {"azp": paired.client_id, "scopes": paired.scopes}
        access = sealed(common | {"exp": now + ACCESS_SECONDS, "n": self.issued}, _GATEWAY_KEY)
        extra = {"exp": now + REFRESH_SECONDS, "jti": f"{self.rng.getrandbits(64):016x}", "use": "refresh"}
        paired.refresh = sealed(common | extra, _GATEWAY_KEY)
        if self.spelling == "camel":
            return {"accessToken": access, "refreshToken": paired.refresh, "expiresIn": ACCESS_SECONDS}
        return {
            "access_token": access,
            "refresh_token": paired.refresh,
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
        }


def sealed(claims: Mapping[str, Any], secret: str) -> str:
    """Sign claims as HS256."""
    parts = [_packed(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    return ".".join([*parts, _seal(".".join(parts), secret)])


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, empty where it is none; nothing is verified."""
    parts = token.split(".")
    try:
        head, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except ValueError:
        return {}, {}
    whole = len(parts) == 3 and isinstance(head, dict) and isinstance(claims, dict)
    return (head, claims) if whole else ({}, {})


def _sealed(token: str, secret: str) -> bool:
    text, _, seal = token.rpartition(".")
    return hmac.compare_digest(seal, _seal(text, secret))


def _seal(text: str, secret: str) -> str:
    return _packed(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
