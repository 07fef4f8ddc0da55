"""Receives a platform's notifications: verified over the raw bytes, written down, answered at once.

The keys are those of the tenant that the path names; its row is read at most once a minute whatever is asked. No other
call is made before the signature is right, but for one: see `Receiver._look_again`. A webhook is a hint: the writer
fetches the document as it is then.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from ml_connector.engine.ledger.enqueue import enqueue, enqueue_notification, lane, wake_up_of
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.schedule import tenant_rows
from ml_connector.errors import Conflict, ConnectorError
from ml_connector.flow import Flow, ListedDocument
from ml_connector.integrations import INTEGRATIONS
from ml_connector.ports import Clock, Item, Queue, Store, Vault
from ml_connector.records import Invoice
from ml_connector.systems import registry
from ml_connector.systems.registry import Notification, Webhook
from ml_connector.webhook_keys import Known, KnownTenants

log = logging.getLogger("ml_connector")
LARGEST = 256 * 1024
REMEMBER = timedelta(days=14)
NOTICES = frozenset({"exported_order", "exported_requisition"})
HEARD = NOTICES | {"documents"}
KEYS = 2
"""Keys that a tenant has at most, the present one and the one before it: so many are tried for everybody."""
_STAND_IN = secrets.token_bytes(32)
"""Tried in place of keys that are not there. What it says is never looked at."""
_LATER = (503, {"message": "The signature cannot be checked at the moment; send it again later."})


@dataclass
class Receiver:
    """The door for webhooks. Answers are (status, body) with the body a small JSON object.

    `faulty` is told the name of a tenant whose keys cannot be opened; `system` is the platform that notifies.
    """

    store: Store
    queue: Queue
    vault: Vault
    clock: Clock
    faulty: Callable[[str], None] = lambda _: None
    system: str = registry.NOTIFYING

    def __post_init__(self) -> None:
        """Know nobody yet: a tenant is read when it is first named."""
        self._webhook = registry.webhook(self.system)
        self._tenants = KnownTenants(self.store, self.vault, self.clock, self.faulty)

    def receive(self, tenant: str, body: bytes, signature: str | None) -> tuple[int, dict[str, str]]:
        """Take one request: 200, 400 for signed junk, 401 for a wrong signature or tenant alike, 413 for too much.

        503 where the tenant's row could not be read or its keys not be opened just now.
        """
        if len(body) > LARGEST:
            return 413, {"message": "The notification is larger than 256 KB."}
        try:
            asked = self.clock.now()
            known, test = self._tenants.of(tenant), False
            signed = _signed(self._webhook, known, body, signature)
            if not signed:
                test = _is_test(self._webhook, body)
                if test and known.at < asked and not self._subscribing(known):
                    known = self._look_again(tenant)
                    signed = _signed(self._webhook, known, body, signature)
        except ConnectorError as error:
            log.warning("the tenant registry cannot be read: %s", error)
            return _LATER
        if known.row is None or not signed:
            return self._unsigned(known, test=test)
        try:
            notification = self._webhook.parse(body)
        except ValueError as error:
            return 400, {"message": f"This is no notification: {error}."}
        return self._accept(known.row, notification)

    def _look_again(self, tenant: str) -> Known:
        """Read a tenant's row once more for a ConnectionTest that nothing known speaks for, at most once a minute.

        The platform sends that test while our request to subscribe is under way, within a second of the moment when the
        tenant's row says so. What was read in the minute before cannot know of it, nor of a key that is as new. The
        other ways are worse: to wait out the minute before subscribing would make every run of a new tenant wait,
        and to tell the door directly works in one process only. Ordinary traffic is no such test, so it adds no read;
        whoever sends tests on purpose makes it two a minute for each name. A test that meets an allowance which is
        spent already is refused, and the next try, two minutes later, finds the mark in every door: it stands for ten.
        """
        return self._tenants.again(tenant)

    def _unsigned(self, known: Known, *, test: bool) -> tuple[int, dict[str, str]]:
        if test and self._subscribing(known):
            return 200, {"message": "Hello."}
        return _LATER if known.not_yet else (401, {"message": "The signature is missing or wrong."})

    def _subscribing(self, known: Known) -> bool:
        until = known.row.subscribing_until if known.row is not None else None
        return bool(until) and str(until) > iso(self.clock.now())

    def _accept(self, tenant: tenant_rows.TenantRow, notification: Notification) -> tuple[int, dict[str, str]]:
        if notification.kind not in HEARD or self._seen(tenant.name, notification.task_id):
            return 200, {"message": "Received."}
        for integration in INTEGRATIONS:
            pair = tenant.pairs.get(integration.name)
            if pair is None or pair.shadow:
                continue
            for flow in integration.flows:
                if flow.name in pair.active and subscribes_to(flow, notification.kind, self.system):
                    self._write_down(tenant.name, integration.name, flow, pair, notification)
        self._remember(tenant.name, notification.task_id)
        return 200, {"message": "Received."}

    def _write_down(
        self, tenant: str, integration: str, flow: Flow, pair: tenant_rows.IntegrationRow, notification: Notification
    ) -> None:
        document, kind = notification.document, notification.kind
        ledger = Ledger(
            self.store, self.clock, tenant=tenant, integration=integration, scope=pair.scope, flow=flow.name
        )
        if flow.notices:
            in_lane = f"{tenant}.{flow.target}.master"
            chunk = enqueue_notification(ledger, document, in_lane, "" if kind == "exported_order" else kind)
        else:
            in_lane = lane(tenant, flow.target, pair.lanes.get(flow.target, 1), document)
            chunk = enqueue(
                ledger, ListedDocument(document), run=f"webhook {self.clock.now():%Y-%m-%d}", in_lane=in_lane
            )
        if chunk is not None:
            self.queue.notify(in_lane, wake_up_of(chunk, pair.scope))

    def _seen(self, tenant: str, task: str) -> bool:
        return self.store.get(f"tasks#{tenant}", task) is not None

    def _remember(self, tenant: str, task: str) -> None:
        """Remember a task once its row is written: the other way round, a crash in between would lose it."""
        ttl = int((self.clock.now() + REMEMBER).timestamp())
        with suppress(Conflict):  # the same notification came twice at once
            self.store.put(Item(f"tasks#{tenant}", task, ttl=ttl))


def _signed(webhook: Webhook, known: Known, body: bytes, signature: str | None) -> bool:
    # an unknown tenant, or one without keys, costs the same work, so that the time tells nothing
    webhook.verify(body, signature, [_STAND_IN] * (KEYS - len(known.keys)))
    return webhook.verify(body, signature, known.keys) and known.row is not None


def _is_test(webhook: Webhook, body: bytes) -> bool:
    try:
        return webhook.parse(body).kind == "test"
    except ValueError:
        return False


def subscribes_to(flow: Flow, kind: str, system: str) -> bool:
    """Tell whether a flow listens to a kind of notification: invoices that can be fetched, orders of the platform."""
    return flow.notices if kind in NOTICES else flow.source == system and flow.record is Invoice
