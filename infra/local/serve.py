"""Left running: schedules fire, webhooks are received, and the same functions' logic works as on AWS."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from ml_connector import registry
from ml_connector.bootstrap import SYSTEMS
from ml_connector.engine.schedule.tenant_rows import wanted
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.engine.write import deferred_audit
from ml_connector.engine.write.worker import write
from ml_connector.errors import ConnectorError
from ml_connector.integration_cache import IntegrationCache
from ml_connector.prefetch import prefetch
from ml_connector.receive import LARGEST, Receiver
from ml_connector.runs import Asked, Run, tick
from ml_connector.systems.basware.webhook import HEADER
from ml_connector.tenant import BootstrapOptions

from ..sandbox.server import build
from .state import State
from .worker_threads import WorkerThreads

log = logging.getLogger("ml_connector")
ROSTER = timedelta(seconds=30)
WRITERS, READERS = 6, 4
PATIENCE = 10.0
"""Seconds for which a webhook's connection may say nothing."""
LINGER = 10.0
"""Seconds that a stop waits for requests under way."""


class Server:
    """The product as a process. `stop` ends it after what is under way."""

    def __init__(self, state: State, port: int) -> None:
        """Bind the webhook's port on loopback (0: any free one; read it from `port`)."""
        self.state, self.runtime = state, state.runtime
        self.tools: BootstrapOptions = state.tools()
        self.pairs = IntegrationCache(self.runtime, state.secrets, self.tools)
        self.receiver = Receiver(self.runtime.store, self.runtime.queue, state.vault, self.runtime.clock)
        self._http = build(self._answer, port, PATIENCE)
        self.port: int = self._http.port
        self._stop = threading.Event()
        self._running: set[tuple[str, str]] = set()
        self._asked: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._registry_at: datetime | None = None

    def stop(self) -> None:
        """Ask everything to end."""
        self._stop.set()

    def run(self) -> bool:
        """Work until stopped; tells whether all work has ended, or a request that hangs was left behind.

        The tenant registry comes first: the receiver reads it at most once a minute.
        """
        self._safely(self._enrol)
        self._registry_at = self.runtime.clock.now()
        web = threading.Thread(target=self._http.serve_forever, daemon=True)
        web.start()
        workers = WorkerThreads()
        for _ in range(READERS):
            workers.start(self._read_forever)
        for _ in range(WRITERS):
            workers.start(self._write_forever)
        while not self._stop.is_set():
            self._safely(self._beat)
            self._stop.wait(0.5)
        self._http.shutdown()
        web.join(5)
        return workers.wait(LINGER)

    def _beat(self) -> None:
        now = self.runtime.clock.now()
        if self._registry_at is None or now - self._registry_at > ROSTER:
            self._enrol()
            self._registry_at = now
        wake_due(self.runtime, wanted=wanted(self.runtime.store))
        for system in SYSTEMS:
            tick(self.runtime, system, lambda asked, s=system: self._submit(asked, s))  # type: ignore[misc]

    def _enrol(self) -> None:
        for tenant in registry.rebuild(self.runtime, self.state.secrets, self.tools):
            if tenant.problem:
                log.warning("%s", tenant.problem)

    def _submit(self, asked: Sequence[Asked], system: str) -> None:
        for tenant, _ in asked:
            if (tenant, system) not in self._running:
                self._running.add((tenant, system))
                self._asked.put((tenant, system))

    def _read_forever(self) -> None:
        while not self._stop.is_set():
            try:
                tenant, system = self._asked.get(timeout=0.2)
            except queue.Empty:
                continue
            self._safely(self._read, tenant, system)

    def _read(self, tenant: str, system: str) -> None:
        try:
            Run(self.runtime, self.state.secrets, self.tools, system, prefetch).of(tenant)
        finally:
            self._running.discard((tenant, system))

    def _write_forever(self) -> None:
        messages = self.state.queue
        while not self._stop.is_set():
            queued = messages.take()
            if queued is None:
                messages.wait(0.2)
                continue
            self._safely(self._write, queued.message)
            messages.done(queued)

    def _write(self, message: Any) -> None:
        if deferred_audit.answer(self.runtime, message):
            return
        with self.pairs.lent(message["tenant"], message["integration"], message["flow"]) as (pair, flow):
            if pair is None:
                _, why = self.pairs.put_off(message, flow)
                if why is not None:
                    log.warning("%s: %s", message["tenant"], why, extra={"tenant": message["tenant"]})
            elif pair.scope == message["scope"] and flow.name in pair.active:
                write(pair, flow, message["id"])

    def _safely(self, work: Callable[..., None], *args: Any) -> None:
        """Go on whatever one tenant's work did; the rows keep what it was about."""
        try:
            work(*args)
        except ConnectorError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("an unexpected fault; the work is found again in the state store")

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        prefix = "/webhooks/basware/"
        if request.method != "POST" or not request.path.startswith(prefix):
            return Response("Not here.\n", 404)(environ, start_response)
        status, said = self.receiver.receive(
            request.path.removeprefix(prefix), _body(request), request.headers.get(HEADER)
        )
        return Response(json.dumps(said), status, content_type="application/json")(environ, start_response)


def _body(request: Request) -> bytes:
    """Read a body as it came, packed or not, and no further than to know that it is too large; in chunks as well."""
    if (request.content_length or 0) > LARGEST:
        return b" " * (LARGEST + 1)
    try:
        return request.stream.read(LARGEST + 1)
    except OSError:
        return b""  # its sender went away, or fell silent
