"""Receives Basware's notifications: verified over the raw bytes, written down, answered at once.

The keys come from the roster, loaded at most once a minute whatever is asked; no other call is made before the
signature is right. A webhook is a hint: the writer fetches the document as it is then.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ml_connector.engine import roster
from ml_connector.engine.ledger import Ledger
from ml_connector.engine.offer import lane, put_notice, put_on_its_way, ring_of
from ml_connector.engine.rows import iso
from ml_connector.errors import Conflict
from ml_connector.flow import Flow, Offer
from ml_connector.integrations import INTEGRATIONS
from ml_connector.ports import Clock, Item, Rings, Store, Vault
from ml_connector.records import Invoice
from ml_connector.systems.basware.webhook import Notification, parse, verify

LARGEST = 256 * 1024
FRESH = timedelta(seconds=60)
REMEMBER = timedelta(days=14)
HEARD = frozenset({"documents", "exported_order"})


@dataclass
class Receiver:
    """The door for webhooks. Answers are (status, body) with the body a small JSON object."""

    store: Store
    rings: Rings
    vault: Vault
    clock: Clock
    _tenants: dict[str, roster.TenantRow] = field(default_factory=dict)
    _keys: dict[str, list[bytes]] = field(default_factory=dict)
    _loaded: datetime | None = None

    def load(self) -> None:
        """Read the roster, unless it was read within the last minute."""
        now = self.clock.now()
        if self._loaded is not None and now - self._loaded < FRESH:
            return
        self._tenants = {row.name: row for row in roster.rows(self.store)}
        self._keys = {name: [self._open(name, key) for key in row.webhook] for name, row in self._tenants.items()}
        self._loaded = now

    def _open(self, tenant: str, sealed: str) -> bytes:
        return self.vault.open(base64.b64decode(sealed), roster.webhook_context(tenant))

    def receive(self, tenant: str, body: bytes, signature: str | None) -> tuple[int, dict[str, str]]:
        """Take one request: 200, 400 for signed junk, 401 for a wrong signature or tenant alike, 413 for too much."""
        if len(body) > LARGEST:
            return 413, {"message": "The notification is larger than 256 KB."}
        self.load()
        # an unknown tenant costs the same work, so that the time tells nothing
        keys = self._keys.get(tenant) or [hashlib.sha256(tenant.encode("utf-8", "replace")).digest()]
        signed = verify(body, signature, keys) and tenant in self._tenants
        if not signed:
            return self._unsigned(tenant, body)
        try:
            notification = parse(body)
        except ValueError as error:
            return 400, {"message": f"This is no notification: {error}."}
        return self._accept(self._tenants[tenant], notification)

    def _unsigned(self, tenant: str, body: bytes) -> tuple[int, dict[str, str]]:
        row = self._tenants.get(tenant)
        if row is not None and row.subscribing_until and row.subscribing_until > iso(self.clock.now()):
            try:
                if parse(body).kind == "test":
                    return 200, {"message": "Hello."}
            except ValueError:
                pass  # answered like any other unsigned request
        return 401, {"message": "The signature is missing or wrong."}

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


def hears(flow: Flow, kind: str) -> bool:
    """Tell whether a flow listens to a kind of notification: invoices that can be fetched, orders of the platform."""
    return flow.notices if kind == "exported_order" else flow.source == "basware" and flow.record is Invoice
