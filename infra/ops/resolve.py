"""`resolve`: a person decides over what is held: a document is that one of the target, or it is another one; a record
that was edited in Basware stays as it is there, or becomes what the ERP has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import advice, options, table, terminal
from .audit import FlowName, Key, TenantName

if TYPE_CHECKING:
    from ml_connector.engine.ledger.rows import Chunk

    from .workspace import Stream

Match = Annotated[
    str | None,
    typer.Option(
        "--match",
        metavar="ERP-NUMBER",
        help="It is this document of the ERP: taken as delivered once it is read back, whatever differs.",
    ),
]
Post = Annotated[bool, typer.Option("--post", help="It is another document than the one in the ERP: post it.")]


def resolve(
    tenant: TenantName,
    flow: FlowName,
    key: Key,
    match: Match = None,
    post: Post = False,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Decide over a document that is held as `conflict:`, `lookup:` or `approval:`, or over an order that was created
    before and is held as `conflict:`. Nothing that was sent from here and still stands is ever posted again. Of a
    record that was edited in Basware, `--post` sends what the ERP has, and `--match CODE` leaves what was edited.

    Example: ml-connector resolve acme invoices RE-77174010 --match 50800 --secrets ./secrets
    """
    from ml_connector.engine import replay
    from ml_connector.engine.ledger.enqueue import wake_up_of
    from ml_connector.engine.ledger.rows import Decision

    from .find import named
    from .replay import refuse_shadow, say_paused, say_when
    from .workspace import NotThere, open_workspace

    number = _one_of(match, post=post)
    workspace = open_workspace(secrets, state, stack)
    stream = workspace.stream(tenant, flow)
    refuse_shadow(stream)
    chunk = _waiting(stream, key)
    edited = stream.flow.guarded
    found = _left(stream, chunk, number) if edited else _there(stream, chunk, number) if number else ""
    once = stream.flow.manner != "document" and not edited
    name = named(stream, _code(chunk) if edited or once else chunk.key or chunk.id, chunk)
    name = f"{name[0].upper()}{name[1:]}"
    what = f"It is {found or f'document {number}'}" if number else "It is another document, to be posted"
    if once:
        what = "It is as it should be there by now" if number else "It is to be created there once more"
    if edited:
        what = f"{found} is to be kept there"
    options.confirm(f"{name} is held: {chunk.reason or chunk.waiting_for} {what}?", yes=yes)
    ledger, who = stream.ledger, options.who(by)
    decision = Decision(what="match" if number else "post", number=number, by=who, at=ledger.now())
    decided = f"Decided by {who} on {ledger.now()[:19]}Z: " + (f"it is document {number}." if number else "post it.")
    if once:
        decided = f"Decided by {who} on {ledger.now()[:19]}Z: {what[0].lower()}{what[1:]}."
    if edited:
        decided = f"Decided by {who} on {ledger.now()[:19]}Z: {found} is kept."
    done = replay.decide(ledger, chunk.id, decision, decided)
    if done is None:
        raise NotThere(f"{name} does not wait for a decision any more; see `ml-connector held {tenant}`.")
    workspace.runtime.queue.notify(done.lane, wake_up_of(done, ledger.scope))
    if as_json:
        table.dump({**stream.name, "key": chunk.key, "done": decision.what, "number": number or None, "by": who})
        return
    then = (
        f"taken for {found or f'document {number}'}, once it is read back"
        if number
        else "posted, after it is looked for once more"
    )
    if once:
        then = "completed" if number else "created, unless it is there"
    if edited:
        then = f"completed with {found}, unless it was edited once more"
    terminal.line(advice.pasteable(f"{name} is queued to be {then}.{say_when(workspace)}{say_paused(stream)}"))


def _one_of(match: str | None, *, post: bool) -> str:
    """Give the number that is matched, "" where it is to be posted. Raises `Misconfigured` unless one was asked for."""
    from ml_connector.errors import Misconfigured

    number = (match or "").strip()
    if (match is not None) == post or (match is not None and not number):
        raise Misconfigured("Say which: `--match ERP-NUMBER` (it is that document) or `--post` (it is another one).")
    return number


def _waiting(stream: Stream, key: str) -> Chunk:
    """Find the held document. Raises `NotThere` where it does not wait for a decision."""
    from ml_connector.engine.replay import decidable, holder

    from .find import named, record_key
    from .workspace import NotThere

    found = record_key(stream, key)
    chunk = holder(stream.ledger, found)
    if chunk is None:
        name, history = named(stream, found), f"audit {stream.pair.tenant} {stream.flow.name} {found}"
        raise NotThere(
            f"{name[0].upper()}{name[1:]} is not held: it is completed. `ml-connector {history}` shows its history."
        )
    bulk = stream.flow.manner != "document" and not (chunk.waiting_for or "").startswith("conflict:")
    if bulk or not decidable(chunk):
        why = f"waits for {chunk.waiting_for}" if chunk.waiting_for else "is queued or under way"
        name = named(stream, found, chunk)
        held = f"`ml-connector held {stream.pair.tenant}` shows how it stands."
        raise NotThere(
            f"Nothing was changed: {name} {why}, and does not wait for a decision. {chunk.reason or held}".strip()
        )
    return chunk


def _code(chunk: Chunk) -> str:
    return (chunk.waiting_for or "").partition(":")[2]


def _left(stream: Stream, chunk: Chunk, number: str) -> str:
    """Say which side's values a decision over an edited record keeps. Raises `NotThere` where it names another one."""
    from .workspace import NotThere

    pair, code = stream.pair, _code(chunk)
    if number and number.casefold() != code.casefold():
        raise NotThere(
            f"Nothing was changed: what waits is {code}, and not {number}. To leave it as it is in "
            f"{pair.title(stream.flow.target)}, write `--match {code}`."
        )
    return f"what {pair.title(stream.flow.target if number else stream.flow.source)} has"


def _there(stream: Stream, chunk: Chunk, number: str) -> str:
    """Describe the document that a person named, as far as the target can be asked from here.

    Raises `NotThere` where the target has none such. What cannot be asked now is asked by the writer.
    """
    if stream.flow.manner != "document":  # its target creates once, and is asked when the decision is carried out
        return ""
    from ml_connector.engine.write.resolving import named_there
    from ml_connector.errors import ConnectorError, Rejected

    from .workspace import NotThere

    try:
        found = named_there(stream.pair, stream.flow, chunk, number)
    except Rejected as error:
        raise NotThere(str(error)) from error
    except ConnectorError as error:
        terminal.line(f"It could not be looked up from here; the next attempt does that. {error}", err=True)
        return ""
    finally:
        stream.pair.close()
    return found
