"""`purge`: delete what was said over a tenant's documents, and keep the proof that nothing else was changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from . import options, table, terminal
from .audit import TenantName

if TYPE_CHECKING:
    from .workspace import Workspace

Before = Annotated[
    str | None,
    typer.Option(
        "--before", metavar="DATE", help="Only attempts made before: 2026-01-31, or 90d ago. With --force alone: all."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Also attempts of the last 90 days.")]
FLOOR = 90
"""Days for which a questioned posting is still likely to be looked into."""


@dataclass
class Purged:
    """What a purge did, in attempts; `keys` are the objects that have no body now, `damaged` those left unread.

    `waiting`: attempts that are in no object yet.
    """

    purged: int = 0
    purged_before: int = 0
    kept: int = 0
    waiting: int = 0
    keys: set[str] = field(default_factory=set)
    damaged: list[str] = field(default_factory=list)


def purge(
    tenant: TenantName,
    before: Before = None,
    force: Force = False,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Delete the requests and responses in a tenant's audit trail for good; also of a tenant that has ended.

    Their hashes stay, so that `audit --verify` still proves the rest. Refused where the bucket has Object Lock, and for
    the last 90 days unless --force is given. Exits with 1 where an object cannot be read, and so was left.

    Example: ml-connector purge acme --before 2025-01-01 --by Ada --secrets ./secrets
    """
    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    limit = _limit(before, workspace.runtime.clock.now(), force=force)
    prefix = _prefix(workspace, tenant)
    workspace.erasing.check()
    since = f" made before {table.moment(limit)}" if limit else ""
    options.confirm(f"Delete the bodies of {tenant}'s attempts{since} from {workspace.place} for good?", yes=yes)
    done = _purged(workspace, prefix, limit, options.who(by))
    done.waiting = _waiting(workspace, tenant)
    if as_json:
        table.dump({"tenant": tenant, **{name: n for name, n in asdict(done).items() if name != "keys"}})
    else:
        terminal.line(_said(tenant, done))
    if done.damaged:
        raise typer.Exit(1)


def _limit(before: str | None, now: datetime, *, force: bool) -> str | None:
    """Read the date. Raises `Misconfigured` for one to come, and for one of the last 90 days without `force`."""
    from ml_connector.engine.ledger.rows import iso
    from ml_connector.errors import Misconfigured

    from .documents import moment_of

    limit = moment_of(before, now) if before else None
    if limit is not None and limit > iso(now):
        raise Misconfigured(f"Nothing was purged: --before {before} is in the future; write a date that has passed.")
    floor = iso(now - timedelta(days=FLOOR))
    if not force and (limit is None or limit > floor):
        what = f"--before {before} would take in" if before else "without --before the purge would take in"
        raise Misconfigured(
            f"Nothing was purged: {what} attempts of the last {FLOOR} days, which may still be needed to explain a "
            f"posting. Write --before {floor[:10]} or an earlier date, or add --force."
        )
    return limit


def _prefix(workspace: Workspace, tenant: str) -> str:
    """Name the folder of a tenant's objects. Raises `Misconfigured` where neither objects nor secrets have the name."""
    from ml_connector.errors import Misconfigured

    from .suggest import suggest

    prefix = f"audit/{tenant}/"
    names = {name for name, _ in workspace.secrets.names()}
    if "/" in tenant or (tenant not in names and next(iter(workspace.runtime.blobs.keys(prefix)), None) is None):
        raise Misconfigured(
            f"Nothing is on record of a tenant '{tenant}' in {workspace.place}; {suggest(tenant, names)}"
        )
    return prefix


def _purged(workspace: Workspace, prefix: str, limit: str | None, by: str) -> Purged:
    """Empty object after object; a purge that was cut short is finished by the next."""
    from ml_connector.engine.ledger.audit import emptied, opened, purging
    from ml_connector.engine.ledger.rows import iso

    from .readable_blobs import envelope_of

    done, now = Purged(), iso(workspace.runtime.clock.now())
    tenant = prefix.split("/")[1]
    for key in list(workspace.runtime.blobs.keys(prefix)):
        packed = workspace.runtime.blobs.get(key)
        if packed is None:
            continue
        if envelope_of(packed) is None:
            done.damaged.append(key)
            continue
        envelope, body = opened(packed)
        if not body:
            done.purged_before += 1
        elif limit is not None and _made(body) >= limit:
            done.kept += 1
            continue
        else:
            workspace.erasing.replace(
                key, emptied(envelope, *purging(workspace.runtime.store, tenant, envelope, now, by))
            )
            done.purged += 1
        done.keys.add(key)
    workspace.erasing.forget(prefix, done.keys)
    return done


def _waiting(workspace: Workspace, tenant: str) -> int:
    """Count the attempts that the bucket did not take yet, of a tenant that has not ended."""
    from ml_connector.engine.write.deferred_audit import waiting
    from ml_connector.errors import Misconfigured

    try:
        return sum(1 for stream in workspace.streams(tenant) for _ in waiting(stream.ledger))
    except Misconfigured:
        return 0


def _made(body: bytes) -> str:
    import msgspec

    return str(msgspec.json.decode(body).get("at", ""))


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _said(tenant: str, done: Purged) -> str:
    earlier = f" {done.purged_before} {_were(done.purged_before)} purged before." if done.purged_before else ""
    later = f" {table.counted(done.kept, 'newer attempt')} stay{'s' if done.kept == 1 else ''}." if done.kept else ""
    left = f" These cannot be read and were left; delete them yourself if they must go: {', '.join(done.damaged)}."
    wait = f" {done.waiting} wait in the table until the bucket takes them: purge again in an hour."
    rest = f"{earlier}{later}{left if done.damaged else ''}{wait if done.waiting else ''}"
    if not done.purged:
        return f"Nothing was purged of {tenant}.{rest}"
    count = table.counted(done.purged, "attempt")
    return f"The requests and responses of {count} {_were(done.purged)} purged of {tenant}; their hashes stay.{rest}"
