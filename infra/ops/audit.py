"""`audit`: the history of one record, down to each request, and the proof that nobody changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import advice, completion, options, table, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ml_connector.engine.ledger.rows import Chunk
    from ml_connector.ports import Blobs, Store

TenantName = Annotated[str, typer.Argument(metavar="TENANT", autocompletion=completion.tenants, help="The tenant.")]
FlowName = Annotated[
    str,
    typer.Argument(
        metavar="FLOW", autocompletion=completion.flows, help="The flow: invoices, or sap_b1-basware/invoices."
    ),
]
Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="The record's key in its source system, or an invoice, order or voucher number."
    ),
]
UNLINKED = {
    "beside_the_chain": "outside of the chain: its worker had lost the record",
    "before_a_gap": "not linked: an attempt after it is missing or cannot be read",
}
CHUNKS = {"done": "completed", "waiting": "not completed", "posted": "sent", "sending": "under way"}
"""States of a chunk, as people are shown them."""
BODY_KEYS = ("request_body", "response_body", "request_headers", "response_headers")


def audit(
    tenant: TenantName,
    flow: FlowName,
    key: Key,
    bodies: Annotated[bool, typer.Option("--bodies", help="Print requests and responses, secrets removed.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check that no attempt was changed or removed.")] = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Show all that is known of one record: its state, its chunks (units of work), and each attempt.

    With --verify, exits with 1 where the audit trail does not verify; without it too, where an attempt cannot be read.

    Example: ml-connector audit acme invoices INV-1001 --verify --secrets ./secrets
    """
    from ml_connector.engine.write.deferred_audit import Whole
    from ml_connector.systems import registry

    from .find import chunks_of, record_key
    from .readable_blobs import ReadableBlobs
    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    stream = workspace.stream(tenant, flow)
    found = record_key(stream, key)
    chunks = chunks_of(stream, found)
    row = stream.ledger.rows([found], consistent=True).get(found)
    blobs = ReadableBlobs(Whole(workspace.runtime.blobs, stream.ledger))
    history: dict[str, Any] = {
        **stream.name,
        "key": found,
        "record": _advised(_plain(row[0]), tenant) if row else None,
        "chunks": [_chunk(chunk, attempts, bodies) for chunk, attempts in _attempts(blobs, chunks)],
    }
    faults = [*(_faults(blobs, chunks, workspace.runtime.store, row) if verify else []), *blobs.faults()]
    if verify or faults:
        history["faults"] = faults
    table.dump(history) if as_json else _print(history, verify, registry.BY_NAME[stream.flow.source].title)
    if faults:
        raise typer.Exit(1)


def _plain(row: Any) -> dict[str, Any]:
    from ml_connector.engine.ledger.rows import dump

    return dump(row)


def _faults(blobs: Blobs, chunks: Sequence[Chunk], store: Store, row: Any) -> list[str]:
    from ml_connector.engine.ledger.audit import strays, verify

    if not chunks and row is not None and row[0].outcome == "delivered":
        return [
            "Nothing is left that could be verified: this record was delivered, and no chunk of it is on record. After "
            "the audit retention that is as it should be; before it, restore the state store from a backup"
        ]
    return [*(fault for chunk in chunks for fault in verify(blobs, chunk, store)), *strays(blobs, chunks)]


def _attempts(blobs: Blobs, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, list[dict[str, Any]]]]:
    """Give each chunk its attempts. A document that came twice in a day has one folder for both: the chain tells.

    What stands in no chain (its worker had lost the row), or before an attempt that is missing, goes with the last
    chunk of the folder, and says so.
    """
    from ml_connector.engine.ledger.audit import prefix, read

    folders = {prefix(c): {head["hash"]: (head, body) for head, body in read(blobs, c)} for c in chunks}
    for n, chunk in enumerate(chunks):
        folder = folders[prefix(chunk)]
        made: list[dict[str, Any]] = []
        at = chunk.chain
        while at in folder:
            head, body = folder.pop(at)
            made.insert(0, _attempt(head, body))
            at = head["previous"]
        if all(prefix(later) != prefix(chunk) for later in chunks[n + 1 :]):
            why = "beside_the_chain" if at is None else "before_a_gap"
            made += [{**_attempt(*stray), why: True} for stray in folder.values()]
        yield chunk, made


def _attempt(head: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    return {
        "n": head["n"],
        "at": body.get("at"),
        "hash": head["hash"],
        "said": body.get("attempt", {}),
        "purged": not body,
        "exchanges": body.get("exchanges", []),
        **{name: head[name] for name in ("purged_at", "purged_by") if name in head},
    }


def _chunk(chunk: Chunk, attempts: list[dict[str, Any]], bodies: bool) -> dict[str, Any]:
    if not bodies:
        attempts = [{**a, "exchanges": [_short(e) for e in a["exchanges"]]} for a in attempts]
    return {**_advised(_plain(chunk), chunk.tenant), "attempt_list": attempts}


def _advised(row: dict[str, Any], tenant: str) -> dict[str, Any]:
    """Complete the commands in a row's reason; what an attempt said is kept as it was said, as its hash covers it."""
    done = advice.row({**row, "tenant": tenant})
    return {name: done[name] for name in row}


def _short(exchange: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in exchange.items() if name not in BODY_KEYS}


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────


def _print(history: dict[str, Any], verified: bool, source: str) -> None:
    terminal.line(f"{history['tenant']}  {history['integration']}/{history['flow']}  {history['key']}")
    record = history["record"]
    terminal.line(f"record: {_words(record or {}, history['chunks'])}")
    for chunk in history["chunks"]:
        state = chunk.get("outcome") or CHUNKS.get(chunk.get("state", ""), chunk.get("state", "queued"))
        terminal.line()
        terminal.line(f"chunk {chunk['id']}  made {table.moment(chunk['created'])}  {state}{_why(chunk)}")
        for note in chunk.get("notes", []) if chunk.get("key") else []:
            terminal.line(f"  note: {advice.pasteable(note, tenant=history['tenant'])}")
        for attempt in chunk["attempt_list"]:
            _print_attempt(attempt, history["tenant"], source)
    if verified or history.get("faults"):
        terminal.line()
        for fault in history["faults"] or [f"✓ Audit trail verified: {_intact(history)}."]:
            terminal.line(fault if fault.startswith("✓") else f"✗ {fault}")


def _intact(history: dict[str, Any]) -> str:
    """Count the attempts whose requests and responses are as they were written; a purge leaves hashes alone."""
    purged = [attempt["purged"] for chunk in history["chunks"] for attempt in chunk["attempt_list"]]
    gone = f", {sum(map(bool, purged))} purged" if any(purged) else ""
    return f"{len(purged) - sum(map(bool, purged))} of {table.counted(len(purged), 'attempt')} intact{gone}"


def _words(record: dict[str, Any], chunks: Sequence[dict[str, Any]]) -> str:
    latest = next((c for c in chunks[::-1] if c.get("key")), {})
    money = " ".join(latest[name] for name in ("amount", "currency") if latest.get("currency") and latest.get(name))
    parts = [f"number {number}"] if (number := record.get("number") or latest.get("number")) else []
    parts += [money] if money else []
    named = (("code", "posted number"), ("target", "posted id"), ("chunk", "chunk"))
    parts += [f"{words} {record[name]}" for name, words in named if record.get(name)]
    reason = f": {record['reason']}" if record.get("reason") else ""
    since = ", deactivated since it is missing in its source system" if record.get("delivered_fp") == "gone" else ""
    return f"{record.get('outcome', 'not completed yet')}{since}{reason}" + (f" ({', '.join(parts)})" if parts else "")


def _why(chunk: dict[str, Any]) -> str:
    waits = f", waiting for {chunk['waiting_for']}" if chunk.get("waiting_for") else ""
    cause = f" ({chunk['cause']})" if chunk.get("cause") else ""
    return f"{cause}{waits}" + (f": {chunk['reason']}" if chunk.get("reason") else "")


def _stood(said: dict[str, Any], source: str) -> str:
    """Say how a record stood after an attempt; `source` is the system to which the result of a document goes."""
    state, step = said.get("state", ""), said.get("step")
    if state == "done":
        return str(said.get("outcome") or "completed")
    if state == "posted":
        done = f"posted as {said['number']}" if said.get("number") else "refused" if said.get("reason") else "sent"
        return f"{done}, reported to {source}" if step == "answered" else done
    return "in doubt" if state == "waiting" and step in {"sent", "unknown"} else str(state)


def _print_attempt(attempt: dict[str, Any], tenant: str, source: str) -> None:
    said = advice.row({**attempt["said"], "tenant": tenant})
    if attempt["purged"]:
        by = f" {table.moment(attempt['purged_at'])} by {attempt['purged_by']}" if "purged_at" in attempt else ""
        terminal.line(f"  #{attempt['n']}  purged{by}; its hash {attempt['hash'][:12]} stands")
        return
    beside = next((f"  ({words})" for name, words in UNLINKED.items() if attempt.get(name)), "")
    reason = f": {said['reason']}" if said.get("reason") else ""
    terminal.line(f"  #{attempt['n']}  {table.moment(attempt['at'])}  {_stood(said, source)}{reason}{beside}")
    for note in said.get("notes") or []:
        terminal.line(f"      note: {note}")
    for exchange in attempt["exchanges"]:
        _print_exchange(exchange)


def _print_exchange(exchange: dict[str, Any]) -> None:
    answer = exchange.get("status") or exchange.get("error") or "no answer"
    terminal.line(f"      {exchange['method']} {exchange['url']} → {answer}")
    for name, mark in (("request_body", ">"), ("response_body", "<")):
        for line in str(exchange.get(name) or "").splitlines():
            terminal.line(f"        {mark} {line}")
