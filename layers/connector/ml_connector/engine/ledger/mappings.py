"""Mappings that a person made: CODE of the platform, TARGET of the ERP, by kind. See also `codes.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, get_args

from msgspec import Struct

from ml_connector.ports import Item, Store

Kind = Literal["account", "cost_center", "supplier", "term", "tax", "company", "branch", "currency"]
KINDS: tuple[str, ...] = get_args(Kind)
SYNC = "sync"
"""Who made a mapping that delivering a master record provides."""
PROPOSED = "proposed"
"""Who made one that a comparison of both systems came upon; `Mapping.by` says why."""
AS_IT_IS = frozenset({"term", "tax", "branch", "currency"})
"""Kinds whose code is sent as it is where nobody mapped it."""


class Mapping(Struct, frozen=True, kw_only=True):
    """One translation. `origin`: manual (a person's), sync (made by delivering a master record) or proposed."""

    integration: str
    kind: str
    code: str
    target: str
    origin: str = "manual"
    by: str = ""
    at: str = ""


class Change(Struct, frozen=True, kw_only=True):
    """One change of a mapping: who made it (`sync`: delivering a master record did), when, and the target before and
    after; None: there was none, or there is none any more.
    """

    kind: str
    code: str
    before: str | None = None
    after: str | None = None
    by: str = ""
    at: str = ""


class Mappings:
    """What people mapped, for one tenant and integration, and the history of it."""

    def __init__(self, store: Store, tenant: str, integration: str) -> None:
        """Keep the rows of one partition."""
        self._store, self._pk, self._integration = store, f"m#{tenant}#{integration}", integration
        self._history_pk = f"mh#{tenant}#{integration}"
        self._proposals_pk = f"mp#{tenant}#{integration}"

    def get(self, kind: str, code: str) -> Mapping | None:
        """Read the mapping of a platform's code."""
        item = self._store.get(self._pk, f"{kind}#{code}")
        return self._load(item) if item else None

    def all(self, kind: str = "") -> Iterator[Mapping]:
        """Read every mapping of a kind, or of all kinds."""
        for item in self._store.query(self._pk, f"{kind}#" if kind else ""):
            yield self._load(item)

    def set(self, mapping: Mapping) -> None:
        """Write a mapping; the last writer wins. The change is in the history before it takes effect."""
        sk = f"{mapping.kind}#{mapping.code}"
        item = self._store.get(self._pk, sk) or Item(self._pk, sk)
        before = item.data.get("target")
        if before != mapping.target:
            self.note(
                Change(
                    kind=mapping.kind,
                    code=mapping.code,
                    before=before,
                    after=mapping.target,
                    by=mapping.by,
                    at=mapping.at,
                )
            )
        self._store.put(replace(item, data=_data(mapping)))

    def add(self, mappings: Sequence[Mapping]) -> int:
        """Write mappings of codes that have none, in few calls, with the history; tells how many. A person's stands."""
        told = [Item(self._history_pk, f"{m.at}#{m.kind}#{m.code}", _change(m)) for m in mappings]
        rows = [Item(self._pk, f"{m.kind}#{m.code}", _data(m)) for m in mappings]
        if not rows:
            return 0
        self._store.put_many(told)  # where it is there already, an earlier attempt came this far
        return sum(self._store.put_many(rows))

    def propose(self, kind: str, mappings: Sequence[Mapping]) -> int:
        """Keep proposals that do not count until a person has confirmed them; tells how many are new.

        They stand apart, so that nothing that translates codes reads them. Those of former comparisons go.
        """
        known = {one.code: one for one in self.proposals(kind)}
        new = [one for one in mappings if (known.get(one.code) or one).target != one.target or one.code not in known]
        for code in known.keys() - {one.code for one in mappings}:
            self._store.delete(self._proposals_pk, f"{kind}#{code}")
        revs = self._store.get_many(self._proposals_pk, [f"{kind}#{m.code}" for m in new], consistent=True)
        rows = [
            Item(self._proposals_pk, name, _data(m), revs[name].rev if name in revs else 0)
            for m in new
            if (name := f"{kind}#{m.code}")
        ]
        return sum(self._store.put_many(rows)) if rows else 0

    def proposals(self, kind: str = "") -> Iterator[Mapping]:
        """Read the proposals that wait to be confirmed."""
        for item in self._store.query(self._proposals_pk, f"{kind}#" if kind else ""):
            yield self._load(item)

    def proposal(self, kind: str, code: str) -> Mapping | None:
        """Read the proposal for a platform's code."""
        item = self._store.get(self._proposals_pk, f"{kind}#{code}")
        return self._load(item) if item else None

    def remove(self, kind: str, code: str, by: str = "", at: str = "") -> None:
        """Delete a mapping; `by` and `at` go into the history."""
        before = self.get(kind, code)
        if before is not None:
            self.note(Change(kind=kind, code=code, before=before.target, by=by, at=at))
        self._store.delete(self._pk, f"{kind}#{code}")

    def note(self, change: Change) -> None:
        """Add a change to the history; the same one again is one."""
        sk = f"{change.at}#{change.kind}#{change.code}"
        item = self._store.get(self._history_pk, sk) or Item(self._history_pk, sk)
        data = {"before": change.before, "after": change.after, "by": change.by}
        self._store.put(replace(item, data=data))

    def history(self) -> Iterator[Change]:
        """Read the changes, the oldest first."""
        for item in self._store.query(self._history_pk):
            at, kind, code = item.sk.split("#", 2)
            yield Change(kind=kind, code=code, at=at, **item.data)

    def _load(self, item: Item) -> Mapping:
        kind, code = item.sk.split("#", 1)
        return Mapping(integration=self._integration, kind=kind, code=code, **item.data)


def _data(mapping: Mapping) -> dict[str, str]:
    return {"target": mapping.target, "origin": mapping.origin, "by": mapping.by, "at": mapping.at}


def _change(mapping: Mapping) -> dict[str, str | None]:
    return {"before": None, "after": mapping.target, "by": mapping.by}
