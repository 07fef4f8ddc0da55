"""A bench with dimensions that people edit at the platform too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk, Decision, SharedField
from ml_connector.engine.replay import decide
from ml_connector.flow import Chunking, Flow, Integration, Page, Rendered, Sent, Verdict
from ml_connector.records import CostCenter
from tests.unit.engine.bench import Bench, Killed

DIMENSIONS = Flow("dimensions", CostCenter, "erp", "ap", "master", "masters", maps="cost_center", guarded=True)
TABLE = Integration("erp-ap", "erp", "ap", (DIMENSIONS,))
CENTERS: Chunking = {CostCenter: (100, lambda _: 1)}


@dataclass
class Lists:
    """Both systems. `ap`: entities by key; `posted`, `patched`: what went there; `reads`: how many were asked for."""

    erp: dict[str, CostCenter] = field(default_factory=dict)
    ap: dict[str, dict[str, str]] = field(default_factory=dict)
    posted: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    patched: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    faults: list[tuple[str, BaseException]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def fault(self, where: str) -> None:
        if self.faults and self.faults[0][0] == where:
            raise self.faults.pop(0)[1]


class Dimensions:
    """The ERP's dimensions, and the platform as their target: codes beginning with L go to a list."""

    stages = ("centers", "list")
    once = False

    def __init__(self, lists: Lists) -> None:
        self.s = lists

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[CostCenter]]:
        yield Page(list(self.s.erp.values()))

    def reread(self, keys: Sequence[str]) -> Iterator[Page[CostCenter]]:
        self.s.fault("reread")
        yield Page([self.s.erp[key] for key in keys if key in self.s.erp])

    def render(self, record: CostCenter, codes: Any, touch: str | None = None) -> Rendered:
        body = {"code": record.code, "name": record.name, "active.1000": str(record.active).lower()}
        return Rendered(record.key, record.code, {"list" if record.code[0] == "L" else "centers": [body]})

    def present(self, stage: str, batch: Sequence[Rendered]) -> dict[str, Mapping[str, Any]]:
        self.s.fault("present")
        self.s.reads.append(len(batch))
        assert all(stage in one.entities for one in batch)
        return {one.key: dict(self.s.ap[one.key]) for one in batch if one.key in self.s.ap}

    def fields(self, stage: str, entity: Mapping[str, Any]) -> dict[str, str]:
        return {name: value for name, value in entity.items() if name in {"code", "name", "active.1000"}}

    def send(self, stage: str, batch: Sequence[Rendered]) -> Sent:
        self.s.fault("send")
        for one in batch:
            (body,) = one.entities[stage]
            assert one.kept is not None
            if one.present is not None:
                change: dict[str, str] = {
                    n: v for n, v in body.items() if n not in one.kept and one.present.get(n) != v
                }
                self.s.patched.append((one.key, change))
            else:
                change = dict(body)
                self.s.posted.append((one.key, change))
            self.s.ap[one.key] = {**self.s.ap.get(one.key, {}), **change}
        self.s.fault("sent")
        return Sent(("token",), {one.key: "no" for one in batch if one.key in self.s.refused})

    def verdicts(self, stage: str, batch: Sequence[Rendered], tokens: Any) -> dict[str, Verdict]:
        self.s.fault("verdict")
        return {one.key: Verdict("delivered") for one in batch}

    def deactivate(self, keys: Sequence[str]) -> Sent:
        for key in keys:
            self.s.ap[key]["active.1000"] = "false"
        return Sent(("off",))

    def deactivated(self, keys: Sequence[str], tokens: Any) -> dict[str, Verdict]:
        return {}


class Both:
    """A connection to both systems at once."""

    def __init__(self, lists: Lists) -> None:
        self._dimensions = Dimensions(lists)

    def source(self, record: type) -> Any:
        return self._dimensions

    target = source

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class GuardedBench(Bench):
    """The bench over these two systems."""

    lists: Lists = field(default_factory=Lists)
    chunking: Chunking = field(default_factory=lambda: CENTERS)

    @property
    def table(self) -> Integration:
        return TABLE

    def place(self) -> Any:
        return Both(self.lists)

    def pair(self) -> Any:
        return replace(super().pair(), chunking=self.chunking, titles={"erp": "Sage X3", "ap": "Basware"})

    @property
    def ledger(self) -> Ledger:
        ledger: Ledger = self.pair().ledger(DIMENSIONS.name)
        return ledger

    def enter(self, key: str, name: str = "Sales", *, active: bool = True, code: str | None = None) -> None:
        """Enter a dimension in the ERP."""
        self.lists.erp[key] = CostCenter(key=key, code=code or key, name=name, active=active)

    def edit(self, key: str, **fields: str) -> None:
        """Edit a dimension at the platform, as people do."""
        self.lists.ap[key] |= fields

    def run(self, *, full: bool = False) -> None:
        """Read the flow, and do the work that follows."""
        self.lists.posted, self.lists.patched, self.lists.reads = [], [], []
        self.poll(DIMENSIONS, full=full)
        self.work(0.05)

    def held(self) -> list[Chunk]:
        """List what is held."""
        return [chunk for chunk in self.ledger.unfinished() if chunk.waiting_for]

    def decide(self, what: Any, chunk: Chunk | None = None) -> None:
        """Let a person decide over what is held, and do the work that follows."""
        chosen = chunk or self.held()[0]
        decision = Decision(what=what, number="", by="ada", at=self.ledger.now())
        assert decide(self.ledger, chosen.id, decision, "Decided by ada.") is not None
        self.work(0.05)

    def agreed(self, key: str) -> dict[str, SharedField]:
        """Tell what both sides agree on."""
        return self.ledger.rows([key], consistent=True)[key][0].shared or {}

    def counts_of_run(self) -> dict[str, int]:
        """Count what the last run came to, with what it took over open."""
        sheet, ledger, run = FlowTotals(DIMENSIONS), self.ledger, f"run{self.runs}"
        sheet.add_cursor(ledger, run)
        for chunk in (*ledger.unfinished(), *(c for c in ledger.finished() if c.run == run)):
            sheet.add_chunk(chunk)
        assert sheet.reconciled
        return {k: v for k, v in sheet.counts.items() if v and k != "read"}

    def die(self) -> None:
        """Work until the process dies, and let another one take over."""
        with pytest.raises(Killed):
            self.work(0.05)
        self.runtime = type(self.runtime)(**{**self.runtime.__dict__, "boot": "another"})
        for queued in list(self.queue._taken.values()):
            self.queue.done(queued)
