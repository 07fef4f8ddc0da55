"""JSON Web Tokens: one that we sign ourselves with a shared secret (HS256), and what one that was given to us says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_connector.ports import Clock

BACK = timedelta(seconds=30)
"""How far `iat` is dated back: a server whose clock is behind ours refuses a token from the future."""


def _coded(plain: bytes) -> bytes:
    return base64.urlsafe_b64encode(plain).rstrip(b"=")


def minted(claims: Mapping[str, Any], secret: str) -> str:
    """Sign claims; the secret is used as it stands, as UTF-8."""
    head = _coded(b'{"alg":"HS256","typ":"JWT"}')
    signed = head + b"." + _coded(json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode())
    return (signed + b"." + _coded(hmac.new(secret.encode(), signed, hashlib.sha256).digest())).decode()


def claims_of(token: str) -> dict[str, Any]:
    """Read what a token says, for its times and scopes; nothing where it is none. The server checks its signature."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def ends_at(token: str) -> datetime | None:
    """Read when a token ends; None where it does not say it."""
    return _moment(claims_of(token).get("exp"))


def lasts(token: str) -> timedelta | None:
    """Read how long a token is good from when it was given, whatever the clocks say; None where it does not say it."""
    claims = claims_of(token)
    begins, ends = _moment(claims.get("iat")), _moment(claims.get("exp"))
    return ends - begins if begins is not None and ends is not None and ends > begins else None


def _moment(told: object) -> datetime | None:
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(told, UTC)
    except (ValueError, OverflowError, OSError):
        return None


class Minted:
    """The token of now: signed with a shared secret, and signed again when half of its life is over."""

    def __init__(
        self, clock: Clock, secret: str, validity: timedelta, claims: Mapping[str, str], learn: Callable[[str], None]
    ) -> None:
        """`validity`: from `iat` to `exp`, which a server limits. `learn` hears each token before it is used."""
        self._clock, self._secret, self._validity, self._claims, self._learn = clock, secret, validity, claims, learn
        self._lock = threading.Lock()
        self._current: tuple[str, datetime] | None = None

    def __call__(self) -> str:
        """Give the token, as the header carries it."""
        with self._lock:
            now = self._clock.now()
            if self._current is None or now >= self._current[1]:
                self._current = self._signed(now), now + max(self._validity - BACK, BACK) / 2
            return f"Bearer {self._current[0]}"

    def _signed(self, now: datetime) -> str:
        begins = int((now - BACK).timestamp())
        ends = begins + int(self._validity.total_seconds())
        token = minted({**self._claims, "iat": begins, "exp": ends}, self._secret)
        self._learn(token)
        return token
