"""A vault for what is short-lived and read at every run: one data key for all tenants of a stack, another each day.

Each tenant's session under a data key of its own costs a call of KMS for each run of each tenant. One for the stack
costs a call for each container and hour. Whoever may open it may open every tenant's session, as the functions that
log in may anyway; a session cannot be taken for another's, since its context is bound to the text.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ml_connector.aws.vault import KmsVault
from ml_connector.errors import Conflict
from ml_connector.ports import Clock, Item, Store

GROUP = "sessions"
"""KMS's encryption context for the data keys: none of a webhook key, which its function alone may open."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ROW = ("vault", GROUP)


class SessionVault:
    """Seals under the data key that stands in the table, and opens what was sealed under any of them.

    Raises `Transient` where AWS throttles or is not reached, and `Misconfigured` where the KMS key cannot be used.
    """

    def __init__(self, client: Any, key_id: str, store: Store, clock: Clock) -> None:
        """`client` is boto3's for `kms`."""
        self._vault = KmsVault(client, key_id, clock, max_age=HOUR.total_seconds())
        self._store, self._clock = store, clock
        self._current: tuple[bytes, datetime] | None = None

    @property
    def key_name(self) -> str:
        """Name the KMS key."""
        return self._vault.key_name

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt; `context` must be given again to open, and is no secret."""
        return self._vault.seal(plain, context, data_key=self._data_key(), group=GROUP)

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; raises `ValueError` where the text or the context is not the one sealed."""
        return self._vault.open(sealed, context, group=GROUP)

    def stand_in(self) -> bytes:
        """Give a text that opens for nobody."""
        return self._vault.stand_in()

    def _data_key(self) -> bytes:
        """Give the encrypted data key of today; it is looked up once an hour, since another may have replaced it."""
        now = self._clock.now()
        if self._current is None or now - self._current[1] >= HOUR:
            self._current = self._shared(now), now
        return self._current[0]

    def _shared(self, now: datetime) -> bytes:
        item = self._store.get(*ROW) or Item(*ROW)
        kept = self._usable(item, now)
        if kept is not None:
            return kept
        made = self._vault.new_key(GROUP)
        data = {"key": base64.b64encode(made).decode(), "made": now.isoformat()}
        try:
            self._store.put(replace(item, data=data))
        except Conflict:  # another container was first; where its key is no better, ours seals as well
            latest = self._store.get(*ROW)
            return (self._usable(latest, now) if latest else None) or made
        return made

    def _usable(self, item: Item, now: datetime) -> bytes | None:
        """Give a row's data key; None where it is a day old, damaged, or opens no more under today's KMS key."""
        try:
            key = base64.b64decode(item.data["key"], validate=True)
            if abs(now - datetime.fromisoformat(item.data["made"])) >= DAY:  # also one that a wrong clock dated ahead
                return None
            self._vault.load_key(key, GROUP)
        except (KeyError, TypeError, ValueError, binascii.Error):
            return None
        return key
