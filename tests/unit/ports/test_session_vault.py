"""All tenants' sessions are sealed under one data key of the stack, so that KMS is not asked for each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ml_connector.aws.session_vault import ROW, SessionVault
from ml_connector.aws.vault import _parts
from ml_connector.embedded.store import SqliteStore
from tests.unit.ports.test_aws_vault import FakeKms


class Stack:
    """A table, a key, and as many containers as are asked for."""

    def __init__(self, clock: Any) -> None:
        self.clock, self.kms, self.store = clock, FakeKms(), SqliteStore(clock=clock)

    def container(self) -> SessionVault:
        return SessionVault(self.kms, "the-key", self.store, self.clock)


@pytest.fixture
def stack(clock: Any) -> Stack:
    return Stack(clock)


def test_a_thousand_tenants_cost_a_container_one_call_an_hour(stack: Stack) -> None:
    logged_in, reads = stack.container(), stack.container()
    sealed = [logged_in.seal(b"token", f"session#tenant-{n}") for n in range(1_000)]
    assert stack.kms.calls == ["generate"]
    assert {reads.open(text, f"session#tenant-{n}") for n, text in enumerate(sealed)} == {b"token"}
    assert stack.kms.calls == ["generate", "decrypt"]
    stack.clock.sleep(3_599)
    reads.open(sealed[0], "session#tenant-0")
    reads.seal(b"another", "session#tenant-0")
    assert stack.kms.calls == ["generate", "decrypt"]
    stack.clock.sleep(1)
    reads.open(sealed[0], "session#tenant-0")
    assert stack.kms.calls == ["generate", "decrypt", "decrypt"]


def test_a_session_is_not_taken_for_another_tenants(stack: Stack) -> None:
    sealed = stack.container().seal(b"token", "session#acme")
    with pytest.raises(ValueError, match="another use"):
        stack.container().open(sealed, "session#other")


def test_kms_sees_a_context_that_no_webhook_key_has(stack: Stack) -> None:
    """The webhook's role may decrypt under `webhook#…` alone."""
    sealed = stack.container().seal(b"token", "webhook#acme")
    ((_, context),) = stack.kms._keys.values()
    assert context == {"context": "sessions"}
    with pytest.raises(ValueError, match="another use"):
        stack.container()._vault.open(sealed, "webhook#acme")


def test_each_day_has_another_data_key_and_what_was_sealed_before_still_opens(stack: Stack) -> None:
    vault = stack.container()
    sealed = vault.seal(b"token", "a")
    stack.clock.sleep(timedelta(days=1).total_seconds())
    later = vault.seal(b"token", "a")
    assert stack.kms.calls.count("generate") == 2
    assert stack.container().open(sealed, "a") == stack.container().open(later, "a") == b"token"


def test_of_two_containers_that_begin_at_once_one_makes_the_key(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = stack.container(), stack.container()
    get, looked = stack.store.get, []

    def nothing_yet(*name: str) -> Any:
        """Both see the empty row; the first has written by the time that the second does."""
        looked.append(name)
        if len(looked) == 1:
            monkeypatch.setattr(stack.store, "get", get)
            first.seal(b"x", "a")
            return None
        return get(*name)

    monkeypatch.setattr(stack.store, "get", nothing_yet)
    sealed = second.seal(b"token", "b")
    row = stack.store.get(*ROW)
    assert row is not None
    third = stack.container()
    assert third.open(sealed, "b") == b"token"
    assert _parts(third.seal(b"y", "c"))[0] == _parts(sealed)[0], "another data key than the stored one is in use"


@pytest.mark.parametrize("key", ["no base64 §", "AAAA", None])
def test_a_damaged_row_or_one_of_another_kms_key_is_made_again(stack: Stack, key: Any) -> None:
    stack.container().seal(b"x", "a")
    row = stack.store.get(*ROW)
    assert row is not None
    stack.store.put(replace(row, data={**row.data, "key": key}))
    vault = stack.container()
    assert stack.container().open(vault.seal(b"token", "a"), "a") == b"token"
    assert stack.kms.calls.count("generate") == 2


def test_a_clock_that_is_far_ahead_makes_no_key_for_years(stack: Stack) -> None:
    """An operator's machine makes keys too, by its own clock."""
    now = stack.clock.now()
    stack.clock.sleep(timedelta(days=400).total_seconds())
    stack.container().seal(b"x", "a")
    stack.clock.moment = now
    sealed = stack.container().seal(b"token", "a")
    assert stack.kms.calls.count("generate") == 2 and stack.container().open(sealed, "a") == b"token"
