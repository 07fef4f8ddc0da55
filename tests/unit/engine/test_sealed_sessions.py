"""A session that was sealed under another key, or is damaged, is opened again; what cannot be sealed blocks nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Session, Sessions
from ml_connector.errors import Misconfigured
from tests.clock import Clock


class Denied(MemoryVault):
    """A vault whose key this tenant may not use."""

    def seal(self, plain: bytes, context: str) -> bytes:
        raise Misconfigured("AWS refuses access to the KMS key.")


class Site:
    """The store of a tenant, and workers that log in."""

    def __init__(self) -> None:
        self.clock, self.logins = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC)), 0
        self.store = SqliteStore(clock=self.clock)

    def worker(self, vault: MemoryVault) -> Sessions:
        breaker = Breaker(self.store, self.clock, tenant="t", system="sap_b1", version="1", boot="b", sole=False)
        return Sessions(self.store, vault, self.clock, breaker, name="t", version="1", boot="b")

    def log_in(self) -> Session:
        self.logins += 1
        return Session(f"session-{self.logins}")


def test_another_key_means_another_login_and_nothing_else() -> None:
    site, vault = Site(), MemoryVault()
    assert site.worker(vault).get(site.log_in).value == "session-1"
    assert site.worker(vault).get(site.log_in).value == "session-1"
    other = MemoryVault()
    assert site.worker(other).get(site.log_in).value == "session-2"
    assert site.worker(other).get(site.log_in).value == "session-2"


@pytest.mark.parametrize(
    "damage",
    [{"sealed": "no base64 ü"}, {"sealed": 7}, {"generation": None}, {"expires_at": "soon"}, {"sealed": "AAAA"}],
)
def test_a_damaged_session_is_opened_again(damage: dict[str, Any]) -> None:
    site, vault = Site(), MemoryVault()
    first = site.worker(vault).get(site.log_in)
    item = site.store.get("session#t", "session")
    assert item is not None
    site.store.put(replace(item, data={**item.data, **damage}))
    if damage == {"generation": None}:
        assert site.worker(vault).renew(first, site.log_in).value == "session-2"
    else:
        assert site.worker(vault).get(site.log_in).value == "session-2"


def test_a_session_that_cannot_be_sealed_leaves_the_right_to_log_in_to_the_next() -> None:
    site = Site()
    with pytest.raises(Misconfigured):
        site.worker(Denied()).get(site.log_in)
    before = site.clock.now()
    assert site.worker(MemoryVault()).get(site.log_in).value == "session-2"
    assert site.clock.now() == before, "nobody waits for a lease that nobody holds"
