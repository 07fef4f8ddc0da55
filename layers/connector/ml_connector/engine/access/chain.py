"""The chain of refresh tokens that a pairing has: each is good once, and gives the next one.

A person pairs, and writes the first token into the secret. From then on the one that is kept here counts, sealed and
without an end, until the secret has another token than the one that this chain began with. A new token is kept before
anything is done with it, since the one before it is used up. One worker at a time refreshes, whatever the scope of its
session. A tenant that nothing runs for has its token refreshed each week (`KEPT_ALIVE`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_connector.errors import Conflict, LoginRefused, OutcomeUnknown, Transient
from ml_connector.ports import Clock, Item, Store, Vault

KEPT_ALIVE = timedelta(days=7)
MONTH = timedelta(days=30)
"""How long a refresh token lasts whose end nothing tells."""
PATIENCE = 30.0
"""Seconds that a worker waits while another one refreshes."""
STEP = timedelta(hours=12)
"""How exactly it is noted when people are warned: each note is a write, and access tokens live some minutes."""
EARLIER = 20
"""Tokens of the secret that are remembered, so that a worker with an earlier secret does not begin again with one."""
ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Pairing:
    """What a secret says of a pairing: the token that a person wrote there, and since when it counts, if that is said.

    `warn`: how long before a token ends people are warned.
    """

    token: str = field(repr=False)
    issued_at: datetime | None = None
    ends_at: datetime | None = None
    warn: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh gave: an access token and the next refresh token, each with its end, None where nothing tells."""

    access: str = field(repr=False)
    access_ends_at: datetime | None
    token: str = field(repr=False)
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a chain stands: when its token ends, when it was refreshed last, and why it is over, where it is."""

    ends_at: datetime | None = None
    refreshed_at: datetime | None = None
    over: str | None = None
    in_doubt: bool = False

    def warning(self, now: datetime, warn: timedelta) -> str | None:
        """Say what people must know: that the token is over, may be, or ends soon; None where all is well."""
        if self.over is not None:
            return f"The pairing is over. {self.over}"
        if self.in_doubt:
            return (
                "The answer to the last refresh was lost, so that the refresh token may be used up. It is tried again; "
                "if that is refused, repeat the pairing, and write the new 'refresh_token' into the secret"
            )
        if self.ends_at is None or self.ends_at - now > warn:
            return None
        if self.ends_at <= now:
            return (
                f"The refresh token ended on {self.ends_at:%Y-%m-%d}. Repeat the pairing, and write the new "
                "'refresh_token' into the secret"
            )
        return (
            f"The refresh token ends on {self.ends_at:%Y-%m-%d}, and was not refreshed since "
            f"{f'{self.refreshed_at:%Y-%m-%d}' if self.refreshed_at else 'it was written into the secret'}"
        )


def chain_key(tenant: str) -> str:
    """Name the partition of a tenant's chains; the sort key is the system."""
    return f"chain#{tenant}"


def due_key(system: str) -> str:
    """Name the part of the due index that holds the chains to be kept alive."""
    return f"chain#{system}"


def ending_key(system: str) -> str:
    """Name the part of the due index that holds the chains that people are warned of."""
    return f"ending#{system}"


def at(moment: datetime) -> str:
    """Write a time as the due index has it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def digest(token: str) -> str:
    """Know a token by a hash from which it cannot be found."""
    return hashlib.blake2b(token.encode(), digest_size=12).hexdigest()


def expect(store: Store, tenant: str, system: str, pairing: Pairing, now: datetime) -> None:
    """Have a pairing kept alive that a secret has, also one that was never used: its first refresh is due now.

    One that is in use stays as it is planned.
    """
    item = store.get(chain_key(tenant), system) or Item(chain_key(tenant), system)
    known = _is_known(item.data, pairing) and bool(item.data.get("sealed"))
    if known and item.due_at is not None:
        return
    with suppress(Conflict):  # it is being used
        store.put(replace(item, data={**item.data, "tenant": tenant}, due_pk=due_key(system), due_at=at(now)))
        if not known:
            _warn(store, tenant, system, pairing.ends_at - pairing.warn if pairing.ends_at else None)


def rest(store: Store, tenant: str, system: str) -> None:
    """Keep a chain alive no more, and warn nobody: its tenant ended, or logs in otherwise. What is known stands."""
    item = store.get(chain_key(tenant), system)
    with suppress(Conflict):
        if item is not None and item.due_at is not None:
            store.put(replace(item, due_pk=None, due_at=None))
    store.delete(chain_key(tenant), f"{system}#{ENDING}")


def is_due(store: Store, tenant: str, system: str, now: datetime) -> bool:
    """Tell whether a chain was not refreshed for so long that it must be kept alive."""
    item = store.get(chain_key(tenant), system)
    return item is not None and item.due_at is not None and item.due_at <= at(now)


def ending(store: Store, system: str, now: datetime, most: int) -> list[str]:
    """Name tenants whose refresh token ends within the days that they are warned before, or is over."""
    return [str(item.data["tenant"]) for item in store.due(ending_key(system), at(now), most)]


def postpone(store: Store, tenant: str, system: str, when: datetime) -> None:
    """Try again later to keep a chain alive: its refresh failed, or was not tried since its login is suspended."""
    item = store.get(chain_key(tenant), system)
    if item is not None and item.due_at is not None and item.due_at < at(when):
        with suppress(Conflict):
            store.put(replace(item, due_at=at(when)))


def _is_known(data: Mapping[str, Any], pairing: Pairing) -> bool:
    """Tell whether a chain grew from what the secret says, or from something later."""
    if digest(pairing.token) in {data.get("began_with"), *data.get("earlier", ())}:
        return True
    begun = data.get("issued_at")
    return bool(begun and pairing.issued_at and pairing.issued_at < datetime.fromisoformat(begun))


def standing(store: Store, tenant: str, system: str, pairing: Pairing) -> Standing:
    """Tell how the chain of a pairing stands."""
    item = store.get(chain_key(tenant), system)
    data = item.data if item is not None else {}
    if not _is_known(data, pairing) or not data.get("sealed"):
        return Standing(ends_at=pairing.ends_at)
    return Standing(
        _moment(data.get("ends_at")),
        _moment(data.get("refreshed_at")),
        data.get("over"),
        bool(data.get("in_doubt_since")),
    )


class Chain:
    """The chain of one tenant at one system."""

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, name: str, boot: str, is_dead: Callable[[str], bool]
    ) -> None:
        """`name` is the session's: tenant and system, then its scope, which a pairing does not have.

        `is_dead` tells whether a worker that holds the lease is surely gone.
        """
        tenant, system = (*name.split("#"), "")[:2]
        self._store, self._vault, self._clock, self._boot, self._is_dead = store, vault, clock, boot, is_dead
        self._tenant, self._system, self._pk = tenant, system, chain_key(tenant)

    def standing(self, pairing: Pairing) -> Standing:
        """Tell how the chain of a pairing stands; nothing is asked of the server."""
        return standing(self._store, self._tenant, self._system, pairing)

    def refresh(self, pairing: Pairing, exchange: Callable[[str], Refreshed], longest: timedelta) -> Refreshed:
        """Use the token that counts, and keep the one that it gives; `longest`: a refresh is over after this.

        Raises `LoginRefused` where the server takes the token no more, whoever refreshed last, and `Transient` where
        its answer was lost. Then the same token is tried once more, unless another worker has a later one by then: only
        the server knows whether it is used up.
        """
        leased = self._lease(longest)
        for last in (False, True):
            leased = self._begun(leased, pairing)
            try:
                fresh = exchange(self._open(leased, pairing))
            except LoginRefused as refusal:
                if not last and self._is_behind(leased):
                    leased = self._lease(longest)
                    continue
                self._release(leased, over=str(refusal), in_doubt_since=None)
                raise
            except OutcomeUnknown as lost:
                now = at(self._clock.now())
                self._release(leased, in_doubt_since=leased.data.get("in_doubt_since") or now)
                doubt = Transient(
                    f"{lost} It was a refresh of the login, and its answer has the only refresh token that is good "
                    "from now on: if the next try is refused, repeat the pairing, and write the new 'refresh_token' "
                    "into the secret."
                )
                doubt.spent = True  # the server may still be at it, so not right away
                raise doubt from lost
            except Exception:
                self._release(leased)
                raise
            self._keep(leased, pairing, fresh)
            return fresh
        raise AssertionError("unreachable")

    # ── the row ─────────────────────────────────────────────────────────────────────────────────────────────

    def _row(self) -> Item:
        return self._store.get(self._pk, self._system) or Item(self._pk, self._system)

    def _lease(self, longest: timedelta) -> Item:
        """Take the right to refresh, which ends after all else has."""
        waited = 0.0
        while True:
            now, item = self._clock.now(), self._row()
            until, owner = _moment(item.data.get("lease_until")), str(item.data.get("lease_owner", ""))
            if until is None or until <= now or self._is_dead(owner):
                data = {**item.data, "lease_until": at(now + longest), "lease_owner": self._boot}
                with suppress(Conflict):
                    return self._store.put(replace(item, data=data))
            if waited >= PATIENCE:
                raise Transient("Another worker is refreshing the login and has not finished; it is tried again later.")
            self._clock.sleep(0.25)
            waited += 0.25

    def _begun(self, leased: Item, pairing: Pairing) -> Item:
        """Begin with the secret's token where the chain grew from another one, which is over then."""
        data = leased.data
        if _is_known(data, pairing):
            return leased
        earlier = [one for one in (*data.get("earlier", ()), data.get("began_with")) if one][-EARLIER:]
        began = digest(pairing.token)
        issued = at(pairing.issued_at) if pairing.issued_at else None
        kept = {name: data[name] for name in ("lease_until", "lease_owner", "number") if name in data}
        ends = at(pairing.ends_at) if pairing.ends_at else None
        fresh = {"tenant": self._tenant, "began_with": began, "earlier": earlier, "issued_at": issued, "ends_at": ends}
        return self._store.put(replace(leased, data={**kept, **fresh, "sealed": self._seal(pairing.token)}))

    def _seal(self, token: str) -> str:
        return base64.b64encode(self._vault.seal(token.encode(), f"{self._pk}#{self._system}")).decode()

    def _open(self, item: Item, pairing: Pairing) -> str:
        """Open the token that counts; one that does not open is lost, and the secret's own may be it still."""
        try:
            return self._vault.open(base64.b64decode(item.data["sealed"]), f"{self._pk}#{self._system}").decode()
        except (ValueError, TypeError, KeyError):
            return pairing.token

    def _is_behind(self, leased: Item) -> bool:
        """Tell whether another worker has kept a later token meanwhile."""
        return bool(self._row().data.get("number", 0) > leased.data.get("number", 0))

    def _release(self, leased: Item, **changed: Any) -> None:
        with suppress(Conflict):  # the lease ended meanwhile, and another worker has it
            self._store.put(replace(leased, data={**leased.data, "lease_until": None, "lease_owner": "", **changed}))
        if changed.get("over"):
            _warn(self._store, self._tenant, self._system, self._clock.now())

    def _keep(self, leased: Item, pairing: Pairing, fresh: Refreshed) -> None:
        """Keep the new token, whatever became of the row meanwhile: there is no other one that is good."""
        now, item = self._clock.now(), leased
        number = leased.data.get("number", 0) + 1
        data = {
            **leased.data,
            "lease_until": None,
            "lease_owner": "",
            "number": number,
            "sealed": self._seal(fresh.token),
            "ends_at": at(fresh.ends_at) if fresh.ends_at else None,
            "refreshed_at": at(now),
            "in_doubt_since": None,
            "over": None,
        }
        for _ in range(5):
            due = at(now + KEPT_ALIVE)
            try:
                self._store.put(replace(item, data=data, ttl=None, due_pk=due_key(self._system), due_at=due))
                break
            except Conflict:
                item = self._row()
                if item.data.get("number", 0) >= number:
                    break  # another worker refreshed as well, later than this one
        else:
            raise Transient("The new refresh token could not be kept, so it is not used; it is tried again later.")
        _warn(self._store, self._tenant, self._system, fresh.ends_at - pairing.warn if fresh.ends_at else None)


def _warn(store: Store, tenant: str, system: str, when: datetime | None) -> None:
    """Note from when on people are warned, in a row of its own, since the chain stands in another index."""
    item = store.get(chain_key(tenant), f"{system}#{ENDING}") or Item(chain_key(tenant), f"{system}#{ENDING}")
    noted = _moment(item.due_at)
    if when is None:
        if noted is not None:
            store.delete(item.pk, item.sk)
    elif noted is None or abs(noted - when) >= STEP:
        with suppress(Conflict):
            store.put(replace(item, data={"tenant": tenant}, due_pk=ending_key(system), due_at=at(when)))


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
