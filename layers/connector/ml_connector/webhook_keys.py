"""Who may notify us: the row and the webhook keys of the one tenant that a request names.

What a request costs does not grow with the tenants: one row is read, one tenant's keys are opened, and no other's. A
name that is no tenant's costs the same, so that neither the time nor the answer tells which names are.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ml_connector.engine.schedule import tenant_rows
from ml_connector.errors import ConnectorError, Transient
from ml_connector.ports import Clock, Store, Vault

log = logging.getLogger("ml_connector")
FRESH = timedelta(seconds=60)
"""For so long a tenant's row is not read again, whatever is asked."""
KEPT = 4096
"""Names kept in memory, known or not: more than the throttled API lets through in a minute."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
"""What can be a tenant's name; anything else is asked of nobody."""
_UNOPENED = (
    "A webhook key cannot be opened ({}), so that notifications signed with it are refused. It is sealed again from "
    "the secret when the tenant registry is rebuilt; until then the scheduled polls find what was missed."
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a name: the tenant's row (None: no such tenant) and the keys that its notifications may have.

    `not_yet`: a key could not be opened just now. `at`: when this was read; `again`: when it was last read out of turn.
    """

    row: tenant_rows.TenantRow | None
    keys: list[bytes] = field(repr=False)
    not_yet: bool
    at: datetime
    again: datetime | None = None
    opened: dict[str, bytes] = field(default_factory=dict, repr=False)


class KnownTenants:
    """Tenants by name, each read when it is first named, and at most once a minute."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, faulty: Callable[[str], None]) -> None:
        """`faulty` is told the name of a tenant whose keys cannot be opened."""
        self._store, self._vault, self._clock, self._faulty = store, vault, clock, faulty
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Known] = OrderedDict()

    def of(self, name: str) -> Known:
        """Tell what is known of a name, at most a minute old. Raises where the table cannot be read."""
        now = self._clock.now()
        if not NAME.fullmatch(name):
            return Known(None, [], False, now)
        before = self._last(name)
        if before is not None and now - before.at < FRESH:
            return before
        return self._read(name, before, now, before.again if before is not None else None)

    def again(self, name: str) -> Known:
        """Read a name's row although the minute is not over, once a minute."""
        now, before = self._clock.now(), self._last(name)
        if before is None or (before.again is not None and now - before.again < FRESH):
            return self.of(name)
        return self._read(name, before, now, now)

    def _last(self, name: str) -> Known | None:
        with self._lock:
            return self._known.get(name)

    def _read(self, name: str, before: Known | None, now: datetime, again: datetime | None) -> Known:
        row = tenant_rows.row(self._store, name)
        opened: dict[str, bytes] = {}
        not_yet = False
        for sealed in row.webhook if row is not None else ():
            key, passing = self._opened(name, sealed, before)
            not_yet |= passing
            if key.strip():  # anybody could guess an empty one
                opened[sealed] = key
        if row is None or not row.webhook:
            not_yet = (before is None or before.not_yet) and self._opens_nothing(name)
        known = Known(row, list(opened.values()), not_yet, now, again, opened)
        with self._lock:
            self._known[name] = known
            self._known.move_to_end(name)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return known

    def _opened(self, name: str, sealed: str, before: Known | None) -> tuple[bytes, bool]:
        """Open a key, once for as long as it stays; else tell whether it may open later."""
        if before is not None and (key := before.opened.get(sealed)) is not None:
            return key, False
        try:
            return self._vault.open(base64.b64decode(sealed, validate=True), tenant_rows.webhook_context(name)), False
        except (ValueError, ConnectorError) as error:
            log.warning("%s: %s", name, _UNOPENED.format(error), extra={"tenant": name})
            self._faulty(name)
            return b"", isinstance(error, Transient)

    def _opens_nothing(self, name: str) -> bool:
        """Do for a name without keys what is done for one with a key; tells whether the vault is away."""
        try:
            self._vault.open(self._vault.stand_in(), tenant_rows.webhook_context(name))
        except Transient:
            return True
        except (ValueError, ConnectorError):
            return False
        return False
