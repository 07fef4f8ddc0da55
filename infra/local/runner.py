"""Runs the whole product in this process, on the embedded ports: every flow once, then until nothing is due."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from ml_connector import bootstrap
from ml_connector.engine.endpoints import note
from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.ledger.enqueue import wake_up_of
from ml_connector.engine.ledger.ledger import Ledger, due_rows
from ml_connector.engine.ledger.rows import Chunk, iso
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.replay import keys_of
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write import deferred_audit
from ml_connector.engine.write.worker import write
from ml_connector.errors import (
    ConnectorError,
    LeaseLost,
    LoginRefused,
    Misconfigured,
    Throttled,
    Transient,
    Unreachable,
)
from ml_connector.flow import Flow
from ml_connector.leaving import leave
from ml_connector.ports import Item, Store
from ml_connector.prefetch import prefetch
from ml_connector.systems import registry

from ..ops.chunk_state import open_lines
from .rejections import Named, Rejection, rejections
from .report import Outcome
from .selection import EVERYTHING, Selection
from .state import State
from .worker_threads import WorkerThreads

log = logging.getLogger("ml_connector")
HORIZON = timedelta(seconds=60)
"""A run waits for what falls due within this, and leaves later rows pending."""
WRITERS = 6
READERS = 4
ROUNDS = (2.0, 4.0, 8.0, 16.0)
"""Seconds between tries of a source that is away, before the flow is reported as failed."""
PATIENCE = 4
"""Attempts for which a run waits for a system that is away."""
LINGER = 5.0
"""Seconds that a run which is cut short waits for what is under way, or half a request's timeout where that is less."""


@dataclass
class FlowRun:
    """One flow's part in a run: what it took over, whether it was read, and why it could not be, if so.

    `later`: what is taken over once the flow is read. `trouble`: what went wrong last, and was tried again.
    """

    pair: TenantIntegration
    flow: Flow
    taken_over: set[str] = field(default_factory=set)
    later: list[Chunk] = field(default_factory=list)
    reading: Literal["not yet", "under way", "ended"] = "not yet"
    error: str | None = None
    trouble: str = ""

    @property
    def ledger(self) -> Ledger:
        """The flow's ledger."""
        return self.pair.ledger(self.flow.name)


class Runner:
    """A run over all tenants of a secrets folder."""

    def __init__(self, state: State, *, dry_run: bool = False, selection: Selection = EVERYTHING) -> None:
        """Read the tenants; secrets that cannot be used are reported, not raised.

        Raises `Misconfigured` where nothing has the name that `selection` asks for.
        """
        self.state, self.runtime, self.selection = state, state.runtime, selection
        tools = state.tools(dry_run=dry_run)
        self.tenants = selection.among(bootstrap.tenants(self.runtime, state.secrets, tools))
        self.run = iso(self.runtime.clock.now())
        self.earlier = [(p, one) for t in self.tenants for p in t.pairs for one in note(p)]
        """What is known under endpoints that were left."""
        self.laps = [
            FlowRun(p, f)
            for t in self.tenants
            for p in t.pairs
            for f in p.integration.flows
            if selection.takes(p.integration, f)
        ]
        self._by_name = {(lap.pair.tenant, lap.pair.integration.name, lap.flow.name): lap for lap in self.laps}
        self._given_up: set[tuple[str, str]] = set()  # sources that were waited for in vain: their other flows try once
        self._stop = threading.Event()
        self._busy = 0
        self._lock = threading.Lock()
        self._unread: queue.SimpleQueue[TenantIntegration] = queue.SimpleQueue()
        self.news: queue.SimpleQueue[str] = queue.SimpleQueue()
        """Sentences about what did not work at once and is tried again, for whoever looks on."""
        self._reading = 0
        self.dry_run = dry_run
        self.cut = False
        self.broken: str | None = None
        """Why the state itself could not be worked with, so that the run ended before its work did."""
        self.left_behind = False
        """A request was still under way at the end: the process must end without waiting for its threads."""
        self._deadline: datetime | None = None

    def stop(self) -> None:
        """End the run after what is under way."""
        self._stop.set()

    def once(self, max_seconds: float | None = None, tell: Callable[[Runner], None] | None = None) -> None:
        """Run every active flow once and work until idle; `tell` is called a few times a second."""
        deadline = self.runtime.clock.now() + timedelta(seconds=max_seconds) if max_seconds else None
        self._deadline = deadline
        workers = WorkerThreads()
        try:
            for breaker in (b for t in self.tenants for p in t.pairs for b in p.breakers.values()):
                breaker.try_again()
            for lap in self.laps:
                self._take_over(lap)
            self._hire(workers)
            self._until_idle(deadline, tell)
        except ConnectorError as error:  # the state itself: a full disk, a damaged file
            self.broken = str(error)
        self._stop.set()
        try:
            self.left_behind = not workers.wait(self._linger())
            for pair in (p for t in self.tenants for p in t.pairs if not self.left_behind):
                leave(pair)
                pair.close()
        except ConnectorError as error:
            self.broken = self.broken or str(error)

    def _hire(self, workers: WorkerThreads) -> None:
        """Set readers and writers to work."""
        pairs = [p for t in self.tenants for p in t.pairs]
        self._reading = len(pairs)
        for pair in pairs:
            self._unread.put(pair)
        for _ in range(READERS):
            workers.start(self._read_pairs)
        for _ in range(WRITERS):
            workers.start(self._write_forever)

    def _linger(self) -> float:
        return min([LINGER, *(seconds / 2 for tenant in self.tenants for seconds in tenant.timeouts.values())])

    # ── what is open from earlier runs ──────────────────────────────────────────────────────────────────────

    def _take_over(self, lap: FlowRun) -> None:
        """Queue what an earlier run left; whoever starts a run wants held documents looked at again.

        What only rehearses answers nothing, so its source offers a document once more that was rehearsed before it was
        listed: there the flow is read first.
        """
        for chunk in list(lap.ledger.unfinished()):
            lap.taken_over.add(chunk.id)
            if lap.flow.name not in lap.pair.active or chunk.state == "failed":
                continue
            if lap.pair.shadow:
                lap.later.append(chunk)
            else:
                self._wake(lap, chunk)

    def _wake(self, lap: FlowRun, chunk: Chunk) -> None:
        """Have a chunk looked at now, whatever its step: what may have been sent is not sent again before its time."""

        def wake(fresh: Chunk) -> bool:
            fresh.due_at, fresh.attempts = lap.ledger.now(), 0
            return fresh.state in {"posted", "waiting"}

        with suppress(Transient):  # somebody works on it
            lap.ledger.change(chunk.id, wake)
        self.runtime.queue.notify(chunk.lane, wake_up_of(chunk, lap.pair.scope))

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def _read_pairs(self) -> None:
        while not self._stop.is_set():
            try:
                pair = self._unread.get_nowait()
            except queue.Empty:
                return
            try:
                self._read_pair(pair)
            finally:
                with self._lock:
                    self._reading -= 1

    def _read_pair(self, pair: TenantIntegration) -> None:
        for flow in pair.integration.flows:
            lap = self._by_name.get((pair.tenant, pair.integration.name, flow.name))
            if lap is not None and flow.name in pair.active and not self._stop.is_set():
                lap.reading = "under way"
                lap.error = self._read(lap)
                for chunk in lap.later:
                    self._wake(lap, chunk)
                lap.reading = "ended"

    def _read(self, lap: FlowRun) -> str | None:  # noqa: PLR0911 - one return for each way in which a source fails
        """Read a flow, again where passing trouble came between; gives the reason where it could not be read."""
        away, began = (lap.pair.tenant, lap.flow.source) in self._given_up, self.runtime.clock.now()
        for pause in (None,) if away else (*ROUNDS, None):
            try:
                if not Poll(lap.pair, lap.flow, self.run, prefetch, self._deadline).read():
                    return None  # cut short: the position is kept
            except (LoginRefused, Misconfigured) as error:
                return str(error)
            except (Transient, LeaseLost) as error:
                wait = max(pause or 0.0, getattr(error, "retry_after", None) or 0.0)
                late = self.runtime.clock.now() + timedelta(seconds=wait) > began + HORIZON
                if pause is None or late or self._waited(lap, error, wait):
                    if isinstance(error, (Unreachable, Throttled)):
                        lap.pair.breakers[lap.flow.source].failed(error)
                    if isinstance(error, Transient):
                        self._given_up.add((lap.pair.tenant, lap.flow.source))
                    return str(error)
            except ConnectorError as error:
                return str(error)
            except Exception as error:  # a fault of ours in one flow must not stop the others
                log.exception("the flow %s of %s failed", lap.flow.name, lap.pair.tenant)
                return f"Internal error: {type(error).__name__}: {error}"
            else:
                return None
        return None

    def _waited(self, lap: FlowRun, error: ConnectorError, seconds: float) -> bool:
        """Say what is tried again, and wait; true where the run is to end meanwhile."""
        what = "still the same." if lap.trouble == str(error) else str(error)
        lap.trouble = str(error)
        self.news.put(f"{lap.pair.tenant} {lap.flow.name}: {what} It is tried again in {seconds:.0f} s.")
        return self._stop.wait(seconds)

    def awaited(self) -> list[str]:
        """Name what the run waits for now: systems that have not answered yet, and those that are away."""
        reading = [
            f"{_title(lap.flow.source)} to answer ({lap.pair.tenant} {lap.flow.name})"
            for lap in self.laps
            if lap.reading == "under way"
        ]
        doors = {(p.tenant, s): b for t in self.tenants for p in t.pairs for s, b in p.breakers.items()}
        away = [f"{tenant}: {why}" for (tenant, _), door in doors.items() if (why := door.trouble_now())]
        return reading + away

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def _write_forever(self) -> None:
        messages = self.state.queue
        while not self._stop.is_set():
            queued = messages.take()
            if queued is None:
                messages.wait(0.1)
                continue
            with self._lock:
                self._busy += 1
            try:
                self._write(queued.message)
            finally:
                messages.done(queued)
                with self._lock:
                    self._busy -= 1

    def _write(self, message: Any) -> None:
        lap = self._by_name.get((message["tenant"], message["integration"], message["flow"]))
        try:
            if not self.dry_run and deferred_audit.answer(self.runtime, message):
                return
            if lap is None or lap.pair.scope != message["scope"] or lap.flow.name not in lap.pair.active:
                return
            write(lap.pair, lap.flow, message["id"])
        except Exception:  # the row keeps its lease and is found again; the other lanes go on
            log.exception("the chunk %s could not be worked on", message["id"])

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────

    def _until_idle(self, deadline: datetime | None, tell: Callable[[Runner], None] | None) -> None:
        while not self._stop.is_set():
            for runtime in self._worlds():
                wake_due(runtime)
            if tell is not None:
                tell(self)
            if not self._reading and self._idle():
                return
            if deadline is not None and self.runtime.clock.now() > deadline:
                self.cut = True
                return
            self._stop.wait(0.1)

    def _worlds(self) -> Iterator[Any]:
        """Give each store that is worked on once: the shared one, unless all only rehearse, and their sheets."""
        return iter({id(lap.pair.runtime.store): lap.pair.runtime for lap in self.laps}.values())

    def _idle(self) -> bool:
        if self._busy or not self.state.queue.empty():
            return False
        until = self.runtime.clock.now() + HORIZON
        return not any(self._ours(w.store, item) for w in self._worlds() for item in due_rows(w.store, until))

    def _ours(self, store: Store, item: Item) -> bool:
        """Tell whether the run waits for a row that is due in a store.

        A removed tenant's work waits for its return, what found its system away several times for a later run, and
        what a shadow tenant has open in the shared store for the day when it is none any more. What is open under an
        endpoint that was left waits for `endpoint move`: nobody works on it here.
        """
        data = item.data
        lap = self._by_name.get((data["tenant"], data["integration"], data["flow"]))
        if lap is None or lap.pair.runtime.store is not store or item.pk != lap.ledger.pk:
            return False
        away = data.get("cause") == "away" and data.get("attempts", 0) >= PATIENCE
        return lap.flow.name in lap.pair.active and not away

    def outcome(self) -> Outcome:
        """Add up what the run came to."""
        seconds = (self.runtime.clock.now() - datetime.fromisoformat(self.run)).total_seconds()
        sheets, named = self._added_up()
        for key, lap in self._by_name.items():
            sheets[key].error = sheets[key].error or self.broken or self._not_read(lap)
        return Outcome(
            self.tenants,
            sheets,
            seconds,
            self.cut,
            dry_run=self.dry_run,
            rejections=named,
            earlier=self.earlier,
            selection=self.selection,
        )

    def _added_up(self) -> tuple[dict[tuple[str, str, str], FlowTotals], dict[Named, Rejection]]:
        """Add up every flow; where the state cannot be read any more, its error is all that is known."""
        try:
            sheets = self.sheets()
            for key, lap in self._by_name.items():
                sheets[key].open = list(open_lines(lap.ledger, lap.flow, frozenset(sheets[key].listed)))
            return sheets, rejections((lap.pair, lap.flow, sheets[key]) for key, lap in self._by_name.items())
        except ConnectorError as error:
            self.broken = self.broken or str(error)
            return {key: FlowTotals(lap.flow) for key, lap in self._by_name.items()}, {}

    def _not_read(self, lap: FlowRun) -> str | None:
        """Tell of a run that was cut short why a flow was not read."""
        if lap.reading == "ended" or lap.flow.name not in lap.pair.active or not self.cut:
            return None
        if lap.reading == "under way":
            return f"The run was cut short while {_title(lap.flow.source)} had not answered; run again with more time."
        return "The run was cut short before this flow was read; run again with more time."

    def sheets(self) -> dict[tuple[str, str, str], FlowTotals]:
        """Add up the figures of every flow of this run."""
        return {key: self._sheet(lap) for key, lap in self._by_name.items()}

    def _reason(self, lap: FlowRun) -> str | None:
        """Tell why one of the two systems could not be worked with, where work is left for it."""
        reasons = (lap.pair.breakers[s].trouble_now() for s in (lap.flow.source, lap.flow.target))
        return next((r for r in reasons if r), None)

    def _sheet(self, lap: FlowRun) -> FlowTotals:
        sheet, ledger = FlowTotals(lap.flow), lap.ledger
        sheet.error = lap.error
        sheet.add_cursor(ledger, self.run)
        open_chunks = list(ledger.unfinished())
        if any(c.state != "failed" for c in open_chunks):
            sheet.error = sheet.error or self._reason(lap)
        for chunk in (*open_chunks, *ledger.finished(self.run)):
            if chunk.run == self.run or chunk.id.split(".")[0] in lap.taken_over or chunk.id in lap.taken_over:
                sheet.add_chunk(chunk, keys_of(ledger, chunk) if chunk.waiting_for or chunk.state == "failed" else ())
                if chunk.state == "waiting" and chunk.cause in {"login", "away", "setup"}:
                    sheet.error = sheet.error or chunk.reason
        if lap.pair.shadow and sheet.would_send is None:
            sheet.would_send = 0
        return sheet


def _title(system: str) -> str:
    """Name a system as people do."""
    return registry.BY_NAME[system].title
