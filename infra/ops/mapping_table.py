"""The mappings of one tenant, over its integrations: what people made, what was delivered, and both as CSV."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from ml_connector.engine.ledger.mappings import KINDS, PROPOSED, SYNC, Mapping
from ml_connector.engine.ledger.rows import Chunk, iso
from ml_connector.engine.schedule.wake_up import release
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Misconfigured, Transient
from ml_connector.flow import Flow

from .suggest import suggest
from .targets import Targets
from .workspace import Stream, Workspace

HEADER = ("integration", "kind", "code", "target", "origin")
MANUAL = "manual"
MOST_FAULTS = 20
LONGEST_CODE = 500
"""Bytes of a code; the name of a row, which has more in it, takes 1,024."""
Entry = tuple[str, str, str, str]
"""Integration, kind, code, target."""


def check_kind(kind: str) -> None:
    """Raise `Misconfigured` for a kind that does not exist."""
    if kind not in KINDS:
        raise Misconfigured(f"There is no kind '{kind}'; {suggest(kind, KINDS)}")


def check_code(name: str, code: str) -> None:
    """Raise `Misconfigured` for a code or target that nothing can be found by; `name` is CODE or TARGET."""
    if not code.strip():
        raise Misconfigured(f"{name} is empty; write the code as the system that it belongs to shows it.")
    if code != code.strip() or not code.isprintable():
        raise Misconfigured(
            f"{name} is {code!r}: no code begins or ends with a space, or has line breaks in it; write it without."
        )
    if len(code.encode()) > LONGEST_CODE:
        raise Misconfigured(f"{name} has {len(code):,} characters: no code of either system is that long.")


class MappingTable:
    """What is mapped for one tenant."""

    def __init__(self, workspace: Workspace, tenant: str) -> None:
        """Raise `Misconfigured` for a tenant that does not exist, or has no integration."""
        self._workspace, self.tenant = workspace, tenant
        found = workspace.tenants(tenant)[0]
        self._targets: dict[tuple[str, str], Targets] = {}
        self._pairs = {pair.integration.name: pair for pair in found.pairs}
        self.integrations = sorted({*self._pairs, *found.faults})  # an unusable secret keeps nobody from mapping
        if not self.integrations:
            raise Misconfigured(f"{tenant} has no integration yet; write the secrets of both of its systems first.")

    def integration(self, name: str | None) -> str:
        """Check the name of an integration, or give the only one. Raises `Misconfigured`."""
        names = ", ".join(self.integrations)
        if name is None and len(self.integrations) > 1:
            raise Misconfigured(f"{self.tenant} has several integrations; add --integration with one of: {names}.")
        if name is not None and name not in self.integrations:
            raise Misconfigured(f"{self.tenant} has no integration '{name}'; it has: {names}.")
        return name or self.integrations[0]

    def get(self, integration: str, kind: str, code: str) -> Mapping | None:
        """Read what a person mapped."""
        return self._workspace.mappings(self.tenant, integration).get(kind, code)

    def set(self, integration: str, kind: str, code: str, target: str, by: str) -> None:
        """Write a mapping of a person's."""
        mapping = Mapping(
            integration=integration,
            kind=kind,
            code=code,
            target=target,
            by=by,
            at=iso(self._workspace.runtime.clock.now()),
        )
        self._workspace.mappings(self.tenant, integration).set(mapping)
        self._compare(integration, kind)

    def remove(self, integration: str, kind: str, code: str, by: str) -> None:
        """Delete a mapping of a person's."""
        self._workspace.mappings(self.tenant, integration).remove(
            kind, code, by, iso(self._workspace.runtime.clock.now())
        )
        self._compare(integration, kind)

    def doubtful(self, integration: str, kind: str, target: str) -> str | None:
        """Say why a target is probably no code of the ERP; None where it is one, or nobody can tell."""
        if integration not in self._pairs:
            return None
        known = self._targets.setdefault((integration, kind), Targets(self._pairs[integration], kind))
        return known.doubtful(target)

    def _compare(self, integration: str, kind: str) -> None:
        """Let what goes out with codes of a kind be compared by the next poll; one that is being read, by the night."""
        pair = self._pairs.get(integration)
        if pair is None:
            return
        for flow in pair.integration.flows:
            if kind in flow.codes:
                with suppress(Transient):
                    pair.ledger(flow.name).compare_everything()

    def release(self, integration: str, entries: Iterable[tuple[str, str, str]], by: str) -> int:
        """Make due at once what waits for one of the codes (inward) or targets (outward); tells how many.

        The audit of each names the mapping, and whose it is.
        """
        pair, now = self._pairs.get(integration), self._workspace.runtime.clock.now()
        if pair is None:
            return 0
        notes = {
            f"{kind}:{name}": f"{kind} {code} -> {target} was mapped by {by} on {iso(now)[:19]}Z."
            for kind, code, target in entries
            for name in (code, target)
        }
        count = 0
        for flow in pair.integration.flows:
            ledger = pair.ledger(flow.name)
            causes = [cause for chunk in ledger.unfinished() for cause in _causes(chunk, notes)]
            count += sum(
                release(self._workspace.runtime, ledger, cause, awaits={cause}, note=notes[why])
                for cause, why in dict(causes).items()
            )
        return count

    # ── listing ─────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self, kind: str | None, integration: str | None) -> list[dict[str, Any]]:
        """List mappings; where a person mapped a code, what was delivered for it does not count and is left out."""
        names = self.integrations if integration is None else [self.integration(integration)]
        return [row for name in names for row in self._rows(name, kind)]

    def history(self, kind: str | None, integration: str | None) -> list[dict[str, Any]]:
        """List the changes of mappings, the latest first. What a delivery provides counts from its latest delivery."""
        names = self.integrations if integration is None else [self.integration(integration)]
        found = [row for name in names for row in self._changes(name) if kind in {None, row["kind"]}]
        return sorted(found, key=lambda row: str(row["at"]), reverse=True)

    def _changes(self, integration: str) -> Iterator[dict[str, Any]]:
        noted = set()
        for change in self._workspace.mappings(self.tenant, integration).history():
            if change.by == SYNC:
                noted.add((change.kind, change.code))
            yield {"integration": integration, **to_builtins(change)}
        for row in self._pairs[integration].integration.flows if integration in self._pairs else ():
            yield from (one for one in self._first(integration, row) if (one["kind"], one["code"]) not in noted)

    def _first(self, integration: str, flow: Flow) -> Iterator[dict[str, Any]]:
        """Give what delivered records provide: none of these codes was another before."""
        if flow.maps is None:
            return
        ledger = self._pairs[integration].ledger(flow.name)
        times = {chunk.id: chunk.done_at for chunk in ledger.finished()}
        for key, row in ledger.all_rows():
            if row.code is not None:
                yield {
                    "integration": integration,
                    "kind": flow.maps,
                    "code": row.code,
                    "before": None,
                    "after": key,
                    "by": SYNC,
                    "at": times.get(row.chunk) or "",
                }

    def _rows(self, integration: str, kind: str | None) -> Iterator[dict[str, Any]]:
        mapped = set()
        mappings = self._workspace.mappings(self.tenant, integration)
        for m in (*mappings.all(kind or ""), *mappings.proposals(kind or "")):
            mapped.add((m.kind, m.code))
            yield {
                "integration": integration,
                "kind": m.kind,
                "code": m.code,
                "target": m.target,
                "origin": m.origin,
                "by": m.by,
                "at": m.at,
            }
        if (pair := self._pairs.get(integration)) is not None:
            yield from (row for row in _delivered(pair, kind) if (row["kind"], row["code"]) not in mapped)


def _delivered(pair: TenantIntegration, kind: str | None) -> Iterator[dict[str, Any]]:
    for flow in pair.integration.flows:
        if flow.maps is None or kind not in {None, flow.maps}:
            continue
        for key, row in Stream(pair, flow).ledger.all_rows():
            if row.code is not None:
                yield {
                    "integration": pair.integration.name,
                    "kind": flow.maps,
                    "code": row.code,
                    "target": key,
                    "origin": SYNC,
                    "by": "",
                    "at": "",
                }


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────────────


def to_csv(rows: Iterable[dict[str, Any]]) -> str:
    """Write mappings as CSV with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read_csv(
    book: MappingTable, file: Path | None, kind: str | None, integration: str | None
) -> tuple[list[Entry], int]:
    """Read CSV from a file or standard input; gives the manual mappings, and how many others were left out.

    Raises `Misconfigured` naming every wrong line (the first twenty).
    """
    text = _text(file)
    head = text.split("\n", 1)[0]
    lines = csv.reader(io.StringIO(text), delimiter=";" if ";" in head else ",")
    header = [name.strip().lower() for name in next(lines, [])]
    missing = [name for name in ("kind", "code", "target") if name not in header]
    if missing:
        where = f"Nothing was written. {file or 'The input'}:"
        raise Misconfigured(f"{where} the first line must name {', '.join(HEADER)}; missing: {', '.join(missing)}.")
    entries, faults, left_out = dict[tuple[str, str, str], str](), list[str](), 0
    for cells in lines:
        try:
            entry = _entry(book, header, cells, kind, integration)
        except Misconfigured as error:
            faults.append(f"line {lines.line_num}: {error}")
            continue
        if entry is None:
            left_out += 1 if any(cells) else 0
        elif entries.setdefault(entry[:3], entry[3]) != entry[3]:
            faults.append(
                f"line {lines.line_num}: {entry[1]} {entry[2]} is already mapped to {entries[entry[:3]]} above."
            )
    if faults:
        more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise Misconfigured("\n".join(["Nothing was written.", *faults[:MOST_FAULTS], *more]))
    return [(*names, target) for names, target in entries.items()], left_out


def _text(file: Path | None) -> str:
    try:
        return sys.stdin.read() if file is None else file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{file or 'The input'} is not text in UTF-8; save it as such.") from None


def _entry(
    book: MappingTable, header: list[str], cells: list[str], kind: str | None, integration: str | None
) -> Entry | None:
    """Read a line; None where it is empty, or of origin sync. Raises `Misconfigured`."""
    if not any(cells):
        return None
    if len(cells) != len(header):
        raise Misconfigured(f"it has {len(cells)} columns, the first line has {len(header)}.")
    line = {name: value.strip() for name, value in zip(header, cells, strict=True)}
    origin = line.get("origin") or MANUAL
    if origin not in {MANUAL, SYNC, PROPOSED}:
        raise Misconfigured(f"the origin is '{origin}'; it must be manual, sync or proposed.")
    check_kind(line["kind"])
    if kind not in {None, line["kind"]}:
        raise Misconfigured(f"the kind is '{line['kind']}', but only {kind} is imported.")
    if not line["code"] or not line["target"]:
        raise Misconfigured("The columns `code` and `target` must not be empty.")
    check_code("CODE", line["code"])
    check_code("TARGET", line["target"])
    where = book.integration(line.get("integration") or integration)
    if integration not in {None, where}:
        raise Misconfigured(f"the integration is '{where}', but only {integration} is imported.")
    return None if origin in {SYNC, PROPOSED} else (where, line["kind"], line["code"], line["target"])


def _causes(chunk: Chunk, notes: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Give what a chunk waits for, where it may be what was mapped, and which mapping that is.

    Records that wait for several codes of a kind stand in one chunk, which names the first of them.
    """
    for cause in (chunk.waiting_for, chunk.awaits):
        if cause in notes:
            yield cause, cause
    if chunk.awaits is not None and chunk.awaits not in notes and chunk.count > 1:
        kind = chunk.awaits.partition(":")[0]
        yield from ((chunk.awaits, why) for why in notes if why.startswith(f"{kind}:"))
