"""Receives Basware's notifications: verified over the raw bytes, written down, answered at once.

The keys come from the roster, loaded at most once a minute whatever is asked; no other call is made before the
signature is right, but for one: see `Receiver._look_again`. A webhook is a hint: the writer fetches the document as it
is then.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ml_connector.engine import roster
from ml_connector.engine.ledger import Ledger
from ml_connector.engine.offer import lane, put_notice, put_on_its_way, ring_of
from ml_connector.engine.rows import iso
from ml_connector.errors import Conflict, ConnectorError, Transient
from ml_connector.flow import Flow, Offer
from ml_connector.integrations import INTEGRATIONS
from ml_connector.ports import Clock, Item, Rings, Store, Vault
from ml_connector.records import Invoice
from ml_connector.systems.basware.webhook import Notification, parse, verify

log = logging.getLogger("ml_connector")
LARGEST = 256 * 1024
FRESH = timedelta(seconds=60)
REMEMBER = timedelta(days=14)
HEARD = frozenset({"documents", "exported_order"})
KEYS = 2
"""Keys that a tenant has at most, the present one and the one before it: so many are tried for everybody."""
_STAND_IN = secrets.token_bytes(32)
"""Tried in place of keys that are not there. What it says is never looked at."""
_UNOPENED = (
    "A webhook key cannot be opened ({}), so that notifications signed with it are refused. It is sealed again from "
    "the secret when the tenant registry is rebuilt; until then the scheduled polls find what was missed."
)


@dataclass
class Receiver:
    """The door for webhooks. Answers are (status, body) with the body a small JSON object."""

    store: Store
    rings: Rings
    vault: Vault
    clock: Clock
    _tenants: dict[str, roster.TenantRow] = field(default_factory=dict)
    _keys: dict[str, list[bytes]] = field(default_factory=dict)
    _opened: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False)
    _not_yet: set[str] = field(default_factory=set)
    _loaded: datetime | None = None
    _looked_again: datetime | None = None

    def load(self) -> bool:
        """Read the roster, unless it was read within the last minute; tells whether it was read."""
        now = self.clock.now()
        if self._loaded is not None and now - self._loaded < FRESH:
            return False
        self._read(now)
        return True

    def _look_again(self) -> None:
        """Read the roster once more for a ConnectionTest that nothing known speaks for, at most once a minute.

        Basware sends that test while our request to subscribe is under way, within a second of the moment when the
        tenant's row says so. What was read in the minute before cannot know of it, nor of a key that is as new. The
        other ways are worse: to wait out the minute before subscribing would make every run of a new tenant wait,
        and to tell the door directly works in one process only. Ordinary traffic is no such test, so it adds no read;
        whoever sends tests on purpose makes it two a minute. A test that meets an allowance which is spent already
        is refused, and the next try, two minutes later, finds the mark in every door: it stands for ten.
        """
        now = self.clock.now()
        if self._looked_again is None or now - self._looked_again >= FRESH:
            self._looked_again = now
            self._read(now)

    def _read(self, now: datetime) -> None:
        tenants = {row.name: row for row in roster.rows(self.store)}
        self._open_all(tenants.values())
        keys = {name: [k for s in row.webhook if (k := self._opened.get((name, s)))] for name, row in tenants.items()}
        self._tenants, self._keys = tenants, keys  # together: other threads answer meanwhile
        self._loaded = now

    def _open_all(self, tenants: Iterable[roster.TenantRow]) -> None:
        """Open the keys that are new. One that cannot be opened is its own tenant's trouble, and named."""
        opened: dict[tuple[str, str], bytes] = {}
        not_yet: set[str] = set()
        for tenant, sealed in ((row.name, sealed) for row in tenants for sealed in row.webhook):
            try:
                key = self._opened.get((tenant, sealed)) or self._open(tenant, sealed)
            except (ValueError, ConnectorError) as error:
                log.warning("%s: %s", tenant, _UNOPENED.format(error), extra={"tenant": tenant})
                not_yet |= {tenant} if isinstance(error, Transient) else set()
                continue
            if key.strip():  # anybody could guess an empty one
                opened[tenant, sealed] = key
        self._opened, self._not_yet = opened, not_yet

    def _open(self, tenant: str, sealed: str) -> bytes:
        return self.vault.open(base64.b64decode(sealed, validate=True), roster.webhook_context(tenant))

    def receive(self, tenant: str, body: bytes, signature: str | None) -> tuple[int, dict[str, str]]:
        """Take one request: 200, 400 for signed junk, 401 for a wrong signature or tenant alike, 413 for too much.

        503 where the tenant's keys could not be opened just now.
        """
        if len(body) > LARGEST:
            return 413, {"message": "The notification is larger than 256 KB."}
        just_read = self.load()
        signed, test = self._signed(tenant, body, signature), False
        if not signed:
            test = _is_test(body)
            if test and not just_read and not self._subscribing(tenant):
                self._look_again()
                signed = self._signed(tenant, body, signature)
        if not signed:
            return self._unsigned(tenant, test=test)
        try:
            notification = parse(body)
        except ValueError as error:
            return 400, {"message": f"This is no notification: {error}."}
        return self._accept(self._tenants[tenant], notification)

    def _signed(self, tenant: str, body: bytes, signature: str | None) -> bool:
        # an unknown tenant, or one without keys, costs the same work, so that the time tells nothing
        keys = self._keys.get(tenant, [])
        verify(body, signature, [_STAND_IN] * (KEYS - len(keys)))
        return verify(body, signature, keys) and tenant in self._tenants

    def _unsigned(self, tenant: str, *, test: bool) -> tuple[int, dict[str, str]]:
        if test and self._subscribing(tenant):
            return 200, {"message": "Hello."}
        if tenant in self._not_yet:
            return 503, {"message": "The signature cannot be checked at the moment; send it again later."}
        return 401, {"message": "The signature is missing or wrong."}

    def _subscribing(self, tenant: str) -> bool:
        row = self._tenants.get(tenant)
        return row is not None and bool(row.subscribing_until) and str(row.subscribing_until) > iso(self.clock.now())

    def _accept(self, tenant: roster.TenantRow, notification: Notification) -> tuple[int, dict[str, str]]:
        if notification.kind not in HEARD or self._seen(tenant.name, notification.task_id):
            return 200, {"message": "Received."}
        for integration in INTEGRATIONS:
            pair = tenant.pairs.get(integration.name)
            if pair is None or pair.shadow:
                continue
            for flow in integration.flows:
                if flow.name in pair.active and hears(flow, notification.kind):
                    self._write_down(tenant.name, integration.name, flow, pair, notification.document)
        self._remember(tenant.name, notification.task_id)
        return 200, {"message": "Received."}

    def _write_down(self, tenant: str, integration: str, flow: Flow, pair: roster.PairRow, document: str) -> None:
        ledger = Ledger(
            self.store, self.clock, tenant=tenant, integration=integration, scope=pair.scope, flow=flow.name
        )
        if flow.notices:
            in_lane = f"{tenant}.{flow.target}.master"
            chunk = put_notice(ledger, document, in_lane)
        else:
            in_lane = lane(tenant, flow.target, pair.lanes.get(flow.target, 1), document)
            chunk = put_on_its_way(ledger, Offer(document), run=f"webhook {self.clock.now():%Y-%m-%d}", in_lane=in_lane)
        if chunk is not None:
            self.rings.ring(in_lane, ring_of(chunk, pair.scope))

    def _seen(self, tenant: str, task: str) -> bool:
        return self.store.get(f"tasks#{tenant}", task) is not None

    def _remember(self, tenant: str, task: str) -> None:
        """Remember a task once its row is written: the other way round, a crash in between would lose it."""
        ttl = int((self.clock.now() + REMEMBER).timestamp())
        with suppress(Conflict):  # the same notification came twice at once
            self.store.put(Item(f"tasks#{tenant}", task, ttl=ttl))


def _is_test(body: bytes) -> bool:
    try:
        return parse(body).kind == "test"
    except ValueError:
        return False


def hears(flow: Flow, kind: str) -> bool:
    """Tell whether a flow listens to a kind of notification: invoices that can be fetched, orders of the platform."""
    return flow.notices if kind == "exported_order" else flow.source == "basware" and flow.record is Invoice
