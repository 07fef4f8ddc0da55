"""What must hold after every history, told by the two systems and our rows; each breach is one sentence."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.write import deferred_audit
from tests.simulation import troubles, watching
from tests.simulation.checker_masters import agreed, held_as_edited, known, masters, open_chunks, orders
from tests.simulation.ports import unpacked
from tests.simulation.sides import summed
from tests.simulation.worlds import NOWHERE, Office, Paper

if TYPE_CHECKING:
    from ml_connector.engine.ledger.rows import Chunk
    from ml_connector.engine.tenant_integration import TenantIntegration
    from ml_connector.flow import Flow
    from tests.simulation.history import History
    from tests.simulation.sides import Posted

MOST_POSTS, MOST_REQUESTS, MOST_ATTEMPTS = 40, 12_000, 600
"""Of one document; of a tenant's line; at a chunk, also through an outage of five days."""
SILENT = (
    "ours: crash",
    "ours: timed out",
    "ours: out of memory",
    "ours: state rolled back",
    "ours: ended while it stood still",
    "ours: a second installation",
)
"""After these something that was sent may be in nobody's audit trail."""
DEATHS = frozenset(
    {
        "ours: crash",
        "ours: timed out",
        "ours: out of memory",
        "ours: frozen beyond its lease",
        "ours: state rolled back",  # to a moment at which a worker had it, who is not there any more
    }
)
"""Ways in which a worker ends in the midst of its work."""
TAXES = Decimal("0.05")
"""How far an ERP may round taxes away from the platform's total (`rounding_tolerance`)."""


def check(history: History) -> list[str]:
    """Give every breach of a promise: an empty list is a good history."""
    return [] if history.converged and not history.thorough else list(breaches(history))


def judge(history: History) -> list[str]:
    """Live a history through and check it; one that does not pass an hour later too, and what is wrong then counts."""
    return check(history.run()) and check(history.overtime())


def breaches(history: History) -> Iterator[str]:
    """Find them one after the other, the cheap ones first."""
    yield from history.wrong
    yield from (f"raised: {error}" for error in history.plant.raised)
    yield from (f"unexpected fault of ours: {line[-300:]}" for line in history.log.unexpected)
    for office in history.offices:
        if office.gone:
            yield f"{office.name} is gone"
            continue
        pair = history.plant.pair(office)
        for part in PARTS if history.rival is None else OF_ONE:
            yield from (f"{office.name}: {part.__name__.lstrip('_')}: {text}" for text in part(history, office, pair))
        pair.close()
    yield from watching.taken_over(history)
    yield from _lines(history)
    yield from _secrets(history)


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────


def _papers(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    ledger = pair.ledger("invoices")
    rows = dict(ledger.all_rows())
    chunks = {c.key: c for c in ledger.unfinished()}
    for paper in office.papers.values():
        document, posted = office.ap.documents[paper.key], office.erp.posted(paper)
        chunk = chunks.get(paper.key)
        if (
            paper.troubles or paper.rivalled
        ) and paper.fate == "post":  # what has no account waits for it, whoever it is
            yield from troubles.judged(history, office, paper, chunk, rows.get(paper.key))
        elif troubles.standing(office, paper) > 1:
            yield from _doubled(paper, posted, chunk)
        elif paper.recalled:
            if posted and not paper.by_hand:
                yield f"{paper.number} was taken back and is posted"
        elif paper.fate == "hold":
            yield from _held(paper, posted, chunk)
            if document.status != "WaitingForTransfer":
                yield f"{paper.number} is held, and {document.status} on the platform"
        elif history.short and paper.forgotten and document.status == "TransferInProgress" and paper.key not in chunks:
            continue  # acknowledged, and our row of it was rolled back: the next night's sweep finds it
        elif not posted or document.status not in {"Transferred", "Paid"}:
            yield f"LOST {paper.number}: {document.status}, {len(posted)} posted, {_where(paper, rows, chunks)}"
        else:
            yield from _agrees(office, paper, document, posted[0], rows.get(paper.key), chunk)


def _doubled(paper: Paper, posted: list[Posted], chunk: Any) -> Iterator[str]:
    """A posting carried out later than `in_doubt_seconds` cannot be prevented; it must be found."""
    conflict = chunk is not None and (chunk.waiting_for or "").startswith("conflict:")
    if not paper.very_late:
        yield f"DOUBLED {paper.number}: {[p.number for p in posted]} by_hand={paper.by_hand}"
    elif not conflict and not paper.forgotten:  # a restore forgets a doubt as well
        yield f"UNDETECTED {paper.number}: {[p.number for p in posted]}, carried out late, and nobody was told"


def _held(paper: Paper, posted: list[Posted], chunk: Any) -> Iterator[str]:
    if posted:
        yield f"{paper.number} is posted although it names the account {NOWHERE}"
    if chunk is None or chunk.waiting_for != paper.waits:
        told = chunk and (chunk.state, chunk.waiting_for, chunk.reason)
        yield f"{paper.number} should wait for {paper.waits}: {told}"


def _where(paper: Paper, rows: dict[str, Any], chunks: dict[str | None, Any]) -> str:
    chunk, row = chunks.get(paper.key), rows.get(paper.key)
    told = chunk and (chunk.state, chunk.step, chunk.waiting_for, chunk.due_at, chunk.reason)
    return f"chunk {told}, row {row and (row.outcome, row.target, row.reason)}"


def _agrees(office: Office, paper: Paper, document: Any, posted: Posted, row: Any, chunk: Any) -> Iterator[str]:
    if abs(posted.total - abs(document.gross)) > (TAXES if any(r["taxSum"] for r in _coding(document)) else 0):
        yield f"{paper.number}: posted with {posted.total}, approved with {document.gross}"
    if not any(troubles.fits(office, posted, one) for one in paper.versions):
        told = (posted.reference, posted.supplier, posted.total, posted.dated)
        yield f"{paper.number}: posted as {told}, approved as {paper.versions}"
    coded = summed(office.erp.coding(_coding(document)))
    mapped = any(NOWHERE in account for account in coded) or any(
        k in {"account", "cost_center"} for k, _ in office.mappings
    )
    if not paper.by_hand and posted.lines != coded and not mapped:
        yield f"{paper.number}: posted on {posted.lines}, coded on {coded}"
    if document.record.get("voucherNumber1") != posted.number:
        yield f"{paper.number}: told {document.record.get('voucherNumber1')}, posted as {posted.number}"
    if chunk is not None:
        yield f"{paper.number}: done at both ends, and our chunk is {chunk.state} {chunk.step} {chunk.reason}"
    known = row is not None and row.outcome in {"delivered", "unchanged"} and row.number in {*paper.numbers, None}
    lost = paper.forgotten and (row is None or row.outcome == "rejected")  # a restore brought its refusal back
    if not known and not lost:
        yield f"{paper.number}: our row says {row and (row.outcome, row.reason)}"
    if not paper.forgotten and row is not None and row.outcome != "delivered":
        yield f"{paper.number}: our row says {row.outcome}: {row.reason}"


def _coding(document: Any) -> list[Any]:
    return list(document.record["codingRows"])


def _delivered_once(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """What our finished chunks say was delivered is what stands in the books: each once, with its amount."""
    said: dict[str, list[Decimal]] = {}
    for chunk in pair.ledger("invoices").finished():
        if chunk.delivered and chunk.key:
            said.setdefault(chunk.key, []).append(Decimal(chunk.amount or 0))
    for paper in office.papers.values():
        document = office.ap.documents[paper.key]
        if paper.forgotten or paper.very_late or document.status not in {"Transferred", "Paid"}:
            continue
        if (paper.troubles or paper.rivalled) and len(said.get(paper.key, [])) <= 1:
            continue
        if said.get(paper.key) != [document.gross]:
            yield f"{paper.number}: {document.gross} {document.status}, and we say {said.get(paper.key)}"
    strange = said.keys() - office.papers.keys()
    if strange:
        yield f"delivered, and nobody offered it: {sorted(strange)}"


def _payments(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """The platform knows of each posted invoice what has been paid on it by now."""
    for paper in office.papers.values() if office.erp.pays else ():
        document = office.ap.documents[paper.key]
        for posted in office.erp.posted(paper)[:1]:
            told = Decimal(document.payment.get("paidTotal") or 0)
            ours = paper.fate == "post" and not (paper.forgotten or paper.very_late or paper.troubles or paper.rivalled)
            if ours and posted.paid != told and document.gross > 0:
                left = open_chunks(pair, "payments")
                yield f"{paper.number}: paid {posted.paid}, told {told} ({document.status}){left}"


# ── our own rows ─────────────────────────────────────────────────────────────────────────────────────────────


def _sheets(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """Every version that was taken is in one outcome, and the sums agree to the cent."""
    for flow in office.erp.table.flows:
        ledger, sheet = pair.ledger(flow.name), FlowTotals(flow)
        done, left = list(ledger.finished()), list(ledger.unfinished())
        for chunk in (*done, *left):
            sheet.add_chunk(chunk)
        if not sheet.reconciled:
            yield f"{flow.name} does not balance: {sheet.counts} {sheet.amounts}"
        for chunk in done:
            parts = chunk.delivered + chunk.unchanged + chunk.rejected + chunk.moved
            if parts != chunk.count:
                yield f"{flow.name} {chunk.id}: {chunk.count} records, {parts} outcomes"
            if chunk.rejected and not chunk.reason and not all(reason for _, reason in chunk.results.values()):
                yield f"{flow.name} {chunk.id}: rejected without a reason"
        died = any(history.machine.faults[kind] for kind in DEATHS | set(throttles(history)))
        yield from _parts(flow, done, left, died=died)
        ends = Counter(item.sk.rpartition("#")[2] for item in ledger.store.query(ledger.pk, "d#"))
        again = [key for key, times in ends.items() if times > 1 and flow.manner == "master"]
        if again and not died:
            yield f"{flow.name} {again[0]}: finished {ends[again[0]]} times, and nobody died"
        for chunk in left:
            if chunk.state == "failed" or chunk.waiting_for is None:
                yield f"{flow.name} {chunk.id} is still {chunk.state} {chunk.step}: {chunk.cause} {chunk.reason}"
            elif not chunk.reason:
                yield f"{flow.name} {chunk.id} waits for {chunk.waiting_for} without a reason"


def throttles(history: History) -> list[str]:
    """List the faults that may keep a worker from writing down how it ended."""
    return [kind for kind in history.machine.faults if kind.startswith(("store: ", "objects: ", "queue: t"))]


def _parts(flow: Flow, done: list[Chunk], left: list[Chunk], *, died: bool) -> Iterator[str]:
    """What a chunk was split into has as many outcomes as it had records: none lost, and none counted twice but where a
    worker died after it had made a part, and before it let go of its records. What a comparison holds stays held where
    an earlier one held it.
    """
    whole = {c.id: c.count for c in (*done, *left) if "." not in c.id}
    found = Counter[str]()
    for chunk in done:
        found[chunk.id.split(".")[0]] += chunk.delivered + chunk.unchanged + chunk.rejected
    for chunk in left:
        found[chunk.id.split(".")[0]] += chunk.count - sum(1 for o, _ in chunk.results.values() if o == "moved")
    for key, count in whole.items():
        if flow.manner == "master" and not flow.aligns and (found[key] < count or (found[key] > count and not died)):
            yield f"{flow.name} {key}: {count} records, {found[key]} outcomes over its parts"


def _attempts(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """Nothing is tried without end."""
    for flow in office.erp.table.flows:
        ledger = pair.ledger(flow.name)
        for chunk in (*ledger.finished(), *ledger.unfinished()):
            if chunk.attempts > MOST_ATTEMPTS:
                yield f"{flow.name} {chunk.id}: {chunk.attempts} attempts"


def _rows(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """No record counts as `unchanged` while the two systems differ: what was delivered is what the source has."""
    for flow in office.erp.table.flows:
        if flow.aligns:
            continue  # it moves nothing
        ledger = pair.ledger(flow.name)
        rows = dict(ledger.all_rows())
        centers = flow.name == office.erp.centers_flow
        edited = {*office.hand_edits, *held_as_edited(office, pair)} if centers else set()
        for key, row in rows.items():
            if (
                row.outcome is None
                and key not in edited
                and not (flow.enriches and "conflict:" in open_chunks(pair, flow.name))
            ):
                yield f"{flow.name} {key}: a row without an outcome"
            if row.outcome == "rejected" and not row.reason:
                yield f"{flow.name} {key}: rejected without a reason"
        if flow.manner == "master" and flow.source == office.erp.system and not flow.follows:
            yield from known(pair, flow, rows, edited)


def _audits(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    for flow in office.erp.table.flows:
        for chunk in deferred_audit.waiting(pair.ledger(flow.name)):
            yield f"{flow.name} {chunk.id}: still not in the bucket"
        for chunk in pair.ledger(flow.name).finished():
            if not chunk.audits:
                yield f"{flow.name} {chunk.id}: done without an audit object"
            yield from audit.verify(history.plant.blobs, chunk)


def _told(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """Each posting that reached the ERP is in the audit trail, unless the process that sent it died."""
    if any(history.machine.faults[kind] for kind in SILENT):
        return
    blobs, kept = history.plant.blobs, []
    for key in blobs.keys(f"audit/{office.name}/"):
        _, body = audit.opened(blobs.get(key) or b"")
        kept += json.loads(body)["exchanges"]
    for number, times in history.lines[office.name, office.erp.system].posts.items():
        found = sum(office.erp.tells(exchange, number) for exchange in kept)
        if found < times:
            yield f"{number} was sent {times} times, and the audit trail has {found}"


def _crossed(history: History, office: Office, pair: TenantIntegration) -> Iterator[str]:
    """Nothing crosses tenants, or goes to a company that was left."""
    yield from office.erp.strayed
    for text in office.erp.strangers():
        yield f"in the books is {text}"
    for row in office.ap.imported.get("vendors", {}).values():
        if not row["name"].startswith(office.name):
            yield f"vendor {row['vendorCode']} is {row['name']}"


PARTS = (
    _papers,
    _delivered_once,
    _payments,
    masters,
    agreed,
    orders,
    _sheets,
    _attempts,
    _rows,
    _audits,
    _told,
    _crossed,
)
"""The rules for one tenant, the cheap ones first."""
OF_ONE = tuple(part for part in PARTS if part not in {masters, agreed, orders})
"""Those that hold where two installations send one company's masters: an older name may come to lie over a newer."""


# ── lines and secrets ────────────────────────────────────────────────────────────────────────────────────────


def _lines(history: History) -> Iterator[str]:
    for (tenant, system), line in sorted(history.lines.items()):
        if line.relogins:
            yield f"{tenant} {system}: {line.relogins} logins after a refusal"
        if line.requests > MOST_REQUESTS:
            yield f"{tenant} {system}: {line.requests} requests"
        yield from line.wrong
        for number, times in line.posts.items():
            if times > MOST_POSTS:
                yield f"{tenant}: {number} was sent {times} times"


def _secrets(history: History) -> Iterator[str]:
    """Look for planted secrets, tokens and session ids wherever something rests."""
    wanted = history.plant.planted.union(*(line.issued for line in history.lines.values()))
    for where, text in _resting(history):
        for secret in wanted:
            if secret in text:
                yield f"a secret ({secret[:20]}…) rests in {where}"


def _resting(history: History) -> Iterator[tuple[str, str]]:
    for pk, sk, data, blob in history.plant.store.dump():
        yield f"row {pk} {sk}", data
        if blob:
            yield f"body {pk} {sk}", unpacked(blob)
    for key in history.plant.blobs.keys(""):
        yield f"object {key}", gzip.decompress(history.plant.blobs.get(key) or b"").decode()
    for queue in history.plant.queues:
        yield f"messages of {queue.name}", "\n".join(sorted(queue.bodies))
    yield "the log", "\n".join(history.log.lines)
