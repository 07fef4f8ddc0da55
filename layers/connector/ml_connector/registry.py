"""One pass over the tenant registry: which tenants' secrets changed, which are new, and which ended.

A pass reads the list of secrets and the rows, then only the secrets whose version is another one than the row was made
from. It works until a time: first tenants that are new, changed or ended, then those with a problem, last those that
were not read for a day. What it did not come to is `left` to the next.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from ml_connector import enroll, keeping, listing
from ml_connector.conflicts import Claims, owned
from ml_connector.engine.ledger.rows import dump, iso
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import passes
from ml_connector.engine.schedule.tenant_rows import FORM, PK, TenantRow
from ml_connector.errors import ConnectorError
from ml_connector.ports import Item, Secrets

if TYPE_CHECKING:
    from ml_connector.tenant import BootstrapOptions

log = logging.getLogger("ml_connector")
BATCH = 8
"""Tenants whose rows are written together: three rows each, 25 a call."""
ASKED_AGAIN = timedelta(minutes=4)
"""A secret that is neither listed nor found by name is asked for once more after this, before it counts as gone."""
UNREAD = timedelta(hours=23)
"""After this a tenant's secrets are read although nothing says that they changed."""
Listing = dict[str, dict[str, str | None]]


def rebuild(
    runtime: Runtime,
    secrets: Secrets,
    tools: BootstrapOptions,
    only: str | None = None,
    until: datetime | None = None,
) -> list[TenantRow]:
    """Make the rows of tenants that changed, or of one; a tenant whose secrets are gone ends, its work remains."""
    return Pass(runtime, secrets, tools, until=until, only=only).run().made


class Pass:
    """A pass over all tenants, or over one. After `run`: `made`, the rows as they are now, and how many are `left`."""

    def __init__(
        self,
        runtime: Runtime,
        secrets: Secrets,
        tools: BootstrapOptions,
        *,
        until: datetime | None = None,
        only: str | None = None,
    ) -> None:
        """`until`: when to stop, whatever is left; one tenant is made all the same, so that every pass gets on."""
        self.runtime, self.secrets, self.tools, self.until, self.only = runtime, secrets, tools, until, only
        self.left = 0
        self._made: dict[str, TenantRow] = {}
        self._waiting: dict[str, TenantRow] = {}
        self._plans: dict[str, tuple[TenantRow, TenantRow | None]] = {}
        self._todo: list[str] = []
        self._stopped: set[str] = set()

    @property
    def made(self) -> list[TenantRow]:
        """The rows that this pass made, as they are now."""
        return list(self._made.values())

    def run(self) -> Pass:
        """Make the rows again that must be; gives itself."""
        self._items = self._present()  # before the list: who is enrolled from now on is not taken for gone
        self._known = {name: enroll.known(item) for name, item in self._items.items()}
        self._listed = self._list()
        self._claims = Claims({name: row.owns for name, row in self._known.items() if row is not None})
        self._todo = self._order()
        done: set[str] = set()
        while self._todo and (not done or not self._late()):
            name = self._todo.pop(0)
            done.add(name)
            self._contained(name)
            if len(self._waiting) >= BATCH:
                self._write()
        self._write()
        self.left = len(self._todo)
        return self

    def _late(self) -> bool:
        return self.until is not None and self.runtime.clock.now() >= self.until

    # ── what there is ───────────────────────────────────────────────────────────────────────────────────────

    def _present(self) -> dict[str, Item]:
        # all rows also where one tenant is asked for: what the others own decides whether it may run
        return {item.sk: item for item in self.runtime.store.query(PK)}

    def _list(self) -> Listing:
        found: Listing = {}
        if self.only is not None:
            return {self.only: {system: None for _, system in listing.of_tenant(self.secrets, self.only)}}
        for (tenant, system), version in self.secrets.listed().items():
            found.setdefault(tenant, {})[system] = version
        return found

    def _order(self) -> list[str]:
        """Name the tenants to look at, the most urgent first."""
        if self.only is not None:
            return [self.only]
        unread = iso(self.runtime.clock.now() - UNREAD)
        ranks: tuple[list[str], ...] = ([], [], [])
        for name in sorted({*self._listed, *self._items}):
            row = self._known.get(name)
            made = row is not None and row.form == FORM and enroll.is_sealed(row, self.tools.vault)
            made = made and row is not None and not row.unplanned
            if row is None or not made or row.missing or row.versions != self._listed.get(name):
                ranks[0].append(name)
            elif row.problem:
                ranks[1].append(name)  # what is wrong may have been put right elsewhere
            elif row.read_on < unread:
                ranks[2].append(name)
        return [name for rank in ranks for name in rank]

    # ── one tenant ──────────────────────────────────────────────────────────────────────────────────────────

    def _contained(self, name: str) -> None:
        """Look at a tenant; what is wrong with it stays with it, and the next pass tries again."""
        try:
            self._look(name)
        except ConnectorError as error:
            log.warning("%s: cannot be read for the tenant registry: %s", name, error, extra={"tenant": name})
        except Exception as error:
            log.exception("%s: its registry entry cannot be written", name, extra={"tenant": name})
            problem = f"{name}: its registry entry cannot be written ({type(error).__name__}); the log says more."
            self._made[name] = TenantRow(name=name, problem=problem)

    def _look(self, name: str) -> None:
        systems = self._systems(name)
        if systems is None:
            return
        if not systems:
            self._end(name)
            return
        from ml_connector import bootstrap  # noqa: PLC0415 - loaded late, as it says

        tenant = bootstrap.read_tenant(self.runtime, self.secrets, self.tools, name, systems)
        owns = owned(tenant)
        self._claims.take(name, owns)
        if others := self._claims.stop(tenant):  # they stop as well, also those that this pass has made already
            self._stopped.add(name)
            self._todo += sorted(others - self._stopped - set(self._todo))
        known = self._known.get(name)
        if tenant.unread and known is not None:  # the tenant goes on as it was; the row is not written
            self._made[name] = structs.replace(known, problem=tenant.problem)
            return
        for pair in tenant.pairs:
            enroll.note_endpoint(pair, known)
        row = enroll.row_of(tenant, known, self.tools.vault)
        row.owns = sorted(owns)
        keeping.expect(self.runtime, tenant, systems)
        self._keep(row, known)

    def _systems(self, name: str) -> set[str] | None:
        """Name the systems that a tenant has secrets of; None while one is missing for the first time.

        A list may lag: what it leaves out is asked for by name, and again some minutes later.
        """
        here, row = set(self._listed.get(name, ())), self._known.get(name)
        if not self.secrets.lags:
            return here
        from ml_connector import bootstrap  # noqa: PLC0415 - loaded late, as it says

        before = set(row.versions if row is not None else ()) or (set() if here else {*bootstrap.SYSTEMS, "settings"})
        gone = {s for s in before - here if listing.gone(self.secrets, name, s)}
        here |= before - gone
        now = self.runtime.clock.now()
        missing = {s: (row.missing if row is not None else {}).get(s) or iso(now) for s in gone}
        if any(iso(now - ASKED_AGAIN) < since for since in missing.values()):
            self._note_missing(name, missing)
            return None
        return here

    def _note_missing(self, name: str, missing: dict[str, str]) -> None:
        row = self._known.get(name) or TenantRow(name=name)
        if row.missing != missing:
            log.info(
                "%s: a secret is missing; it is asked for again before it counts as deleted",
                name,
                extra={"tenant": name},
            )
            row.missing = missing
            self.runtime.store.put_many([replace(self._items[name], data=dump(row))])

    def _end(self, name: str) -> None:
        """Take a tenant out of the registry: its secrets are gone. Its rows of work remain.

        The registry's own row goes last: a pass that dies before it is repeated, and one that is due for nobody would
        be asked for again and again.
        """
        from ml_connector import bootstrap  # noqa: PLC0415 - loaded late, as it says

        self._claims.take(name, ())
        if name not in self._items:
            return
        for system in bootstrap.SYSTEMS:
            self.runtime.store.delete(f"schedule#{name}", system)
            passes.forget(self.runtime.store, name, system)
            keeping.end(self.runtime, name, system)
        self.runtime.store.delete(PK, name)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────

    def _keep(self, row: TenantRow, known: TenantRow | None) -> None:
        """Have a row written with others, where it changed or was not read for a day."""
        self._made[row.name] = row
        now = iso(self.runtime.clock.now())
        enroll.mark_subscribing(row, known, now=self.runtime.clock.now())
        old = known is None or known.read_on < iso(self.runtime.clock.now() - UNREAD)
        row.read_on = now if known is None or old else known.read_on
        row.unplanned = known is None or known.unplanned or enroll.flows_differ(row, known)
        if dict(self._item(row.name).data) != dump(row):
            self._waiting[row.name] = row
        if old or not self.secrets.lags or row.unplanned:
            self._plans[row.name] = row, known

    def _item(self, name: str) -> Item:
        return self._items.get(name, Item(PK, name))

    def _write(self) -> None:
        """Write the rows that wait, then when flows are due, then that this is done: a pass may die in between."""
        self._put(list(self._waiting.values()))
        plans = list(self._plans.values())
        self._waiting, self._plans = {}, {}
        enroll.plan_all(self.runtime, plans)
        planned = [row for row, _ in plans if row.unplanned]
        for row in planned:
            row.unplanned = False
        self._put(planned)

    def _put(self, rows: Sequence[TenantRow]) -> None:
        """Write rows; where another pass was first, its row stands."""
        items = [replace(self._item(row.name), data=dump(row)) for row in rows]
        for item, row, taken in zip(items, rows, self.runtime.store.put_many(items) if items else (), strict=True):
            if taken:
                self._items[item.sk] = replace(item, rev=item.rev + 1)
                self._known[item.sk] = row


def problems(rows: Iterable[TenantRow]) -> list[tuple[str, str]]:
    """List (tenant, problem) of rows whose secrets cannot be used."""
    return [(row.name, row.problem) for row in rows if row.problem]
