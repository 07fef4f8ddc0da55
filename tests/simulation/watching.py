"""What is looked at every hour meanwhile: that nothing waits for what is not its own, or stands in no list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.ops.chunk_state import is_open
from tests.simulation.worlds import Office, Paper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml_connector.engine.ledger.rows import Chunk
    from ml_connector.engine.tenant_integration import TenantIntegration
    from tests.simulation.history import History

HOUR = 3600.0
CODES = {"accounts": "accountCode", "cost_centers": "costCenterCode"}


TAKEN_OVER = "was taken over by another worker"


def taken_over(history: History) -> Iterator[str]:
    """See that no worker loses its work to another but where it stood still, died, or could not write."""
    known = ("ours: ", "store: ", "queue: received", "objects: ", "secrets: ")
    harmless = ("ours: tick", "ours: mapping", "ours: settings", "ours: released", "ours: replayed", "ours: resolved")
    faults = [kind for kind in history.machine.faults if kind.startswith(known) and not kind.startswith(harmless)]
    lost = [line for line in history.log.lines if TAKEN_OVER in line]
    if lost and not faults:
        yield f"a worker lost its work, and nothing was wrong with it: {lost[0][:300]}"


def watch(history: History) -> None:
    """Look at every tenant, and again in an hour."""
    for office in history.offices:
        if not office.gone:
            pair = history.plant.pair(office)
            chunks = {c.key: c for c in pair.ledger("invoices").unfinished()}
            _own_masters(history, office, pair, chunks)
            _listed(history, office, chunks)
            pair.close()
    history.after(HOUR, "watch", lambda: watch(history), standing=True)


def _own_masters(history: History, office: Office, pair: TenantIntegration, chunks: dict[Any, Chunk]) -> None:
    """See that no invoice is held for masters twice that has all its own: others' verdicts are not its business."""
    flow = pair.integration.flow("invoices")
    passed = all(pair.ledger(name).cursor()[0].passes for name in flow.after if name in pair.active)
    waiting = [c for c in chunks.values() if c.state == "waiting" and (c.waiting_for or "").startswith("prerequisite:")]
    if not waiting or not passed or office.mappings:
        return
    codes = {office.erp.suppliers_flow: "supplierCode", **CODES}
    there = {
        name: {row.code for _, row in pair.ledger(name).all_rows() if row.outcome == "delivered"} for name in codes
    }
    for chunk in waiting:
        paper, before = office.papers.get(chunk.key or ""), history.waited.get((office.name, chunk.id))
        if paper is None or not _has_all(office, paper, there):
            history.waited.pop((office.name, chunk.id), None)
        elif before is None or before > chunk.attempts:
            history.waited[office.name, chunk.id] = chunk.attempts
        elif chunk.attempts > before:
            history.wrong.append(f"{paper.number} waits for {chunk.waiting_for}, and all its own are there")


def _has_all(office: Office, paper: Paper, there: dict[str, set[str | None]]) -> bool:
    record = office.ap.documents[paper.key].record
    codes = {office.erp.suppliers_flow: "supplierCode", **CODES}
    named = [
        (name, holder[field])
        for name, field in codes.items()
        for holder in (record, *record["codingRows"])
        if holder.get(field)
    ]
    return all(code in there[name] for name, code in named)


def _listed(history: History, office: Office, chunks: dict[Any, Chunk]) -> None:
    """See that what the platform shows as taken by us stands in a list: as open, held, in doubt or given up."""
    for paper in office.papers.values():
        known = paper.forgotten or paper.rivalled or paper.recalled
        if known or office.ap.documents[paper.key].status != "TransferInProgress":
            continue
        chunk = chunks.get(paper.key)
        if chunk is None or not (is_open(chunk) or chunk.state == "failed"):
            history.wrong.append(f"{paper.number} was taken from the platform, and stands in no list of ours")
