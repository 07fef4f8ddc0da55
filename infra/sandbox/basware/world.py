"""All state of one simulated Basware tenant, in memory, with an injected clock and random source."""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import RLock
from uuid import UUID

from . import model, notify
from .codec import Record
from .scopes import SCOPES


def real_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def accept_delivery(_: model.Notification) -> int:
    """Pretend that the receiver answered 200: the default where nobody listens."""
    return 200


@dataclass
class World:
    """One tenant. Change the settings at will; hold `lock` while reading state that a server may change.

    `entities` is the API layer, `imported` the target system, both `{entity: {externalCode: ...}}` with entity
    `vendors`, `accounts`, ..., `lists/ACC_LIST_1`. `calls` counts `"GET /v1/vendors/<code>"` (the route).
    """

    clock: Callable[[], datetime] = real_clock
    rng: Random = field(default_factory=lambda: Random(1))
    companies: set[str] = field(default_factory=lambda: {"1000"})
    companies_posted: bool = True
    clients: dict[str, str] = field(default_factory=lambda: {"sandbox-client": "sandbox-secret"})
    granted: frozenset[str] = SCOPES
    token_seconds: int = 3600
    verdict_delay: float = 0.5
    require_request_id: bool = True
    wrapped_lists: bool = True
    signature_format: str = "hex"
    signed_tests: bool = True
    status_lookup: bool = True
    coding_rows_per_page: int = 400
    link_seconds: int = 900
    single_use_links: bool = False
    extract_format: str = "json"
    extract_rows: int = 100_000
    extract_host: str = ""
    control: bool = True
    deliver: Callable[[model.Notification], int] = accept_delivery
    sleep: Callable[[float], None] = time.sleep

    lock: RLock = field(default_factory=RLock, repr=False)
    tokens: dict[str, model.Grant] = field(default_factory=dict, repr=False)
    entities: dict[str, dict[str, model.Row]] = field(default_factory=dict, repr=False)
    imported: dict[str, dict[str, Record]] = field(default_factory=dict, repr=False)
    requests: dict[str, model.RequestRecord] = field(default_factory=dict, repr=False)
    open_requests: list[model.RequestRecord] = field(default_factory=list, repr=False)
    forced: list[model.ForcedVerdict] = field(default_factory=list)
    documents: dict[str, model.Document] = field(default_factory=dict, repr=False)
    extracts: dict[str, model.Extract] = field(default_factory=dict, repr=False)
    exported: dict[str, dict[str, Record]] = field(default_factory=dict, repr=False)
    attachments: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict, repr=False)
    links: dict[str, model.Link] = field(default_factory=dict, repr=False)
    cursors: dict[str, model.Cursor] = field(default_factory=dict, repr=False)
    subscriptions: list[Record] = field(default_factory=list, repr=False)
    tasks: dict[str, Record] = field(default_factory=dict, repr=False)
    outbox: list[model.Notification] = field(default_factory=list, repr=False)
    faults: list[model.Fault] = field(default_factory=list)
    seen_request_ids: set[str] = field(default_factory=set, repr=False)
    calls: Counter[str] = field(default_factory=Counter)
    logins: int = 0
    refused_logins: int = 0
    log: deque[model.LoggedRequest] = field(default_factory=lambda: deque(maxlen=500), repr=False)

    def now(self) -> datetime:
        """Return the clock's time cut to milliseconds, the precision of the stamps on the wire."""
        moment = self.clock().astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def new_id(self) -> str:
        """Return a fresh UUID from the seeded source."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def accept(self, record: model.RequestRecord) -> None:
        """Enter an accepted request; its verdict comes `verdict_delay` seconds later, by the clock."""
        self.requests[record.request_id] = record
        self.open_requests.append(record)

    def due(self) -> datetime:
        """Return when a request accepted now gets its verdict."""
        return self.now() + timedelta(seconds=self.verdict_delay)

    def settle(self) -> None:
        """Give every verdict that is due, in the order of acceptance, and queue its notification."""
        now = self.now()
        ready = [record for record in self.open_requests if record.due <= now]
        for record in ready:
            self._judge(record)
        self.open_requests = [record for record in self.open_requests if not record.done]

    def _judge(self, record: model.RequestRecord) -> None:
        for item in record.items:
            if item.status == "InProgress":
                status, message = self._forced(record, item) or record.judge(item)
                item.status = status
                item.errors = [_detail(status, message)] if message else []
        record.done = all(item.status != "InProgress" for item in record.items)
        if record.done:
            notify.request_settled(self, record)

    def _forced(self, record: model.RequestRecord, item: model.Item) -> model.Verdict | None:
        for rule in self.forced:
            if rule.times and rule.entity_type == record.entity_type and re.fullmatch(rule.code, item.code):
                rule.times -= 1 if rule.status != "InProgress" else 0
                return rule.status, None if rule.status in ("InProgress", "Success") else rule.message
        return None


def _detail(status: str, message: str) -> Record:
    kind = status if status in ("Warning", "RecordExpired") else "Error"
    return {"type": kind, "message": message, "category": "DataValidation"}
