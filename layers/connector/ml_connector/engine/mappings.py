"""Mappings that a person made: CODE of the platform, TARGET of the ERP, by kind. See also `codes.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, get_args

from msgspec import Struct

from ml_connector.ports import Item, Store

Kind = Literal["account", "cost_center", "supplier", "term", "tax", "company", "branch", "currency"]
KINDS: tuple[str, ...] = get_args(Kind)
AS_IT_IS = frozenset({"term", "tax", "branch", "currency"})
"""Kinds whose code is sent as it is where nobody mapped it."""


class Mapping(Struct, frozen=True, kw_only=True):
    """One translation. `origin`: manual (a person's) or sync (made by delivering a master record)."""

    integration: str
    kind: str
    code: str
    target: str
    origin: str = "manual"
    by: str = ""
    at: str = ""


class Mappings:
    """What people mapped, for one tenant and integration."""

    def __init__(self, store: Store, tenant: str, integration: str) -> None:
        """Keep the rows of one partition."""
        self._store, self._pk, self._integration = store, f"m#{tenant}#{integration}", integration

    def get(self, kind: str, code: str) -> Mapping | None:
        """Read the mapping of a platform's code."""
        item = self._store.get(self._pk, f"{kind}#{code}")
        return self._load(item) if item else None

    def all(self, kind: str = "") -> Iterator[Mapping]:
        """Read every mapping of a kind, or of all kinds."""
        for item in self._store.query(self._pk, f"{kind}#" if kind else ""):
            yield self._load(item)

    def set(self, mapping: Mapping) -> None:
        """Write a mapping; the last writer wins."""
        sk = f"{mapping.kind}#{mapping.code}"
        item = self._store.get(self._pk, sk) or Item(self._pk, sk)
        data = {"target": mapping.target, "origin": mapping.origin, "by": mapping.by, "at": mapping.at}
        self._store.put(replace(item, data=data))

    def remove(self, kind: str, code: str) -> None:
        """Delete a mapping."""
        self._store.delete(self._pk, f"{kind}#{code}")

    def _load(self, item: Item) -> Mapping:
        kind, code = item.sk.split("#", 1)
        return Mapping(integration=self._integration, kind=kind, code=code, **item.data)
