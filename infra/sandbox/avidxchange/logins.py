"""The three logins, and the check of each call: client credentials, fixed token headers, user name and password.

Where nothing is known of a server's wording, that of WSO2 and of RFC 6749 is used (inferred).
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from werkzeug.wrappers import Response

from .call import Call
from .errors import EXPIRED, INVALID, MISSING, GatewayFault, LoginRefused, answer

OAUTH2, HEADERS, LOGIN = "oauth2", "token_headers", "login"


@dataclass
class Logins:
    """Who may log in, and the tokens that are alive.

    modes: the logins that this customer has. clients: client id to secret. header_tokens: header to its whole value.
    users: name to password. gateway_keys: accepted in Authorization beside the token of a login.

    client_auth: "either", "basic" or "body". token_seconds: life of a token. same_token: a repeated request gives the
    same token with what is left of its life. says_expiry: whether `expires_in` is there. token_type: its spelling.
    session_seconds: life of a login's token, which no answer tells. refusal: status of a refused login, 400 or 401.
    attempts: so many refused logins lock an account. locked, expired_passwords: accounts that no password opens.
    after_lock: logins tried with an account that was locked already.
    """

    clock: Callable[[], datetime]
    rng: Random
    modes: set[str] = field(default_factory=lambda: {OAUTH2, HEADERS, LOGIN})
    clients: dict[str, str] = field(default_factory=dict, repr=False)
    header_tokens: dict[str, str] = field(default_factory=dict, repr=False)
    users: dict[str, str] = field(default_factory=dict, repr=False)
    gateway_keys: set[str] = field(default_factory=set, repr=False)
    client_auth: str = "either"
    token_seconds: int = 3600
    same_token: bool = True
    says_expiry: bool = True
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    session_seconds: int = 1800
    refusal: int = 400
    attempts: int = 3
    tokens: dict[str, datetime] = field(default_factory=dict, repr=False)
    sessions: dict[str, datetime] = field(default_factory=dict, repr=False)
    failures: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    logins: int = 0
    locked: set[str] = field(default_factory=set)
    expired_passwords: set[str] = field(default_factory=set)
    after_lock: int = 0

    # ── client credentials ──────────────────────────────────────────────────────────────────────────────────

    def token(self, call: Call) -> Response:
        """Answer POST /token."""
        if OAUTH2 not in self.modes:
            raise self._denied(401, "invalid_client", "Client credentials are not enabled for this customer")
        if call.mimetype != "application/x-www-form-urlencoded" or not call.form.get("grant_type"):
            raise self._denied(400, "invalid_request", "Missing grant_type parameter value", count=False)
        if call.form["grant_type"] != "client_credentials":
            raise self._denied(400, "unsupported_grant_type", "Unsupported grant_type value", count=False)
        client, secret = self._client(call)
        if not client or self.clients.get(client) != secret:
            raise self._denied(401, "invalid_client", "A valid OAuth client could not be found")
        self.logins += 1
        token, left = self._live() if self.same_token else ("", 0)
        if not token:
            token, left = self._mint(), self.token_seconds
            self.tokens[token] = self.clock() + timedelta(seconds=left)
        body: dict[str, Any] = {"access_token": token, "token_type": self.token_type}
        body |= {"expires_in": left} if self.says_expiry else {}
        return answer(body | ({"scope": call.form["scope"]} if call.form.get("scope") else {}))

    def _client(self, call: Call) -> tuple[str, str]:
        basic = _basic(call.headers.get("Authorization", ""))
        body = (call.form.get("client_id", ""), call.form.get("client_secret", ""))
        if self.client_auth == "either":
            return basic or body
        return (basic or ("", "")) if self.client_auth == "basic" else body

    def _live(self) -> tuple[str, int]:
        now = self.clock()
        found = [(token, int((end - now).total_seconds())) for token, end in self.tokens.items() if end > now]
        return found[-1] if found else ("", 0)

    def _mint(self) -> str:
        return f"{self.rng.getrandbits(128):032x}"

    def _denied(self, status: int, error: str, text: str, *, count: bool = True) -> LoginRefused:
        self.refused += count
        return LoginRefused(status, {"error": error, "error_description": text})

    # ── user name and password ──────────────────────────────────────────────────────────────────────────────

    def authorize(self, call: Call) -> Response:
        """Answer POST /v1/authorizations; each refused password counts, and locks a person's account in the end."""
        self._gateway(call)
        form = call.form
        if form.get("grant_type") != "password" or not form.get("username") or "password" not in form:
            raise self._wrong("grant_type, username and password are required")
        user = form["username"]
        if user in self.locked:
            self.after_lock += 1
            raise self._wrong("The account is locked. Contact your administrator.")
        if LOGIN not in self.modes or self.users.get(user) != form["password"]:
            self.failures[user] += 1
            if self.failures[user] >= self.attempts:
                self.locked.add(user)
            raise self._wrong("The user name or password is incorrect.")
        if user in self.expired_passwords:
            raise self._wrong("The password has expired and must be changed.")
        self.failures[user] = 0
        self.logins += 1
        token = self._mint()
        self.sessions[token] = self.clock() + timedelta(seconds=self.session_seconds)
        return answer({"access_token": token})

    def _wrong(self, text: str) -> LoginRefused:
        self.refused += 1
        if self.refusal == 400:
            return LoginRefused(400, {"error_description": text})
        return LoginRefused(401, {"exception": {"reason": "Unauthorized", "detail": text}})

    def _gateway(self, call: Call) -> None:
        key = call.bearer("Authorization")
        if not key:
            raise GatewayFault(401, MISSING, "Missing Credentials", "Make sure your API invocation call has a header")
        if key not in self.gateway_keys:
            self.refused += 1
            raise GatewayFault(401, INVALID, "Invalid Credentials", "Access failure for API: /v1, version: v1")

    # ── each call ───────────────────────────────────────────────────────────────────────────────────────────

    def check(self, call: Call) -> None:
        """Refuse a call without a login that is alive."""
        if LOGIN in self.modes and "AvidAuthorization" in call.headers:
            self._gateway(call)
            if self.sessions.get(call.bearer("AvidAuthorization"), self.clock()) <= self.clock():
                detail = "The authorization token is invalid or has expired."
                raise LoginRefused(401, {"exception": {"reason": "Unauthorized", "detail": detail}})
            return
        if HEADERS in self.modes and self.header_tokens and all(name in call.headers for name in self.header_tokens):
            if any(call.headers.get(name) != value for name, value in self.header_tokens.items()):
                self.refused += 1
                raise GatewayFault(401, INVALID, "Invalid Credentials", "Company token or user token is not valid")
            return
        token = call.bearer("Authorization")
        if not token:
            raise GatewayFault(401, MISSING, "Missing Credentials", "Required OAuth credentials not provided")
        if OAUTH2 not in self.modes or token not in self.tokens:
            raise GatewayFault(401, INVALID, "Invalid Credentials", "Access failure for API. Invalid credentials")
        if self.tokens[token] <= self.clock():
            raise GatewayFault(401, EXPIRED, "Access Token Expired", "Renew the access token and try again")

    # ── what people do ──────────────────────────────────────────────────────────────────────────────────────

    def expire(self) -> None:
        """Let every token die, as a restart of the gateway does."""
        self.tokens.clear()
        self.sessions.clear()

    def change_password(self, user: str, password: str) -> None:
        """Give a user another password, which opens the account again."""
        self.users[user] = password
        self.locked.discard(user)
        self.expired_passwords.discard(user)
        self.failures[user] = 0


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, text = header.partition(" ")
    try:
        plain = base64.b64decode(text, validate=True).decode("utf-8") if kind.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = plain.partition(":")
    return (user, password) if colon else None
