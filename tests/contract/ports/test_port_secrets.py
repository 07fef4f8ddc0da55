"""What every keeper of secrets promises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ml_connector.errors import Misconfigured

TEXT = '{"password": "Pä55-wörd"}'


def test_a_secret_is_read_as_it_was_written(keeper: Any) -> None:
    keeper.write("acme", "sap_b1", TEXT)
    assert keeper.secrets.read("acme", "sap_b1").text == TEXT


def test_names_are_listed_in_order(keeper: Any) -> None:
    assert keeper.secrets.names() == []
    for tenant, system in [("b-2", "basware"), ("acme", "settings"), ("acme", "basware"), ("0", "sage_x3")]:
        keeper.write(tenant, system, "{}")
    assert keeper.secrets.names() == [("0", "sage_x3"), ("acme", "basware"), ("acme", "settings"), ("b-2", "basware")]


def test_more_names_than_one_page(keeper: Any) -> None:
    for n in range(120):
        keeper.write(f"tenant-{n:03}", "basware", "{}")
    assert keeper.secrets.names() == [(f"tenant-{n:03}", "basware") for n in range(120)]


def test_an_absent_secret_is_none(keeper: Any) -> None:
    keeper.write("acme", "basware", TEXT)
    assert keeper.secrets.read("acme", "settings") is None
    assert keeper.secrets.read("nobody", "basware") is None


def test_a_changed_secret_has_another_version(keeper: Any) -> None:
    keeper.write("acme", "basware", TEXT)
    first = keeper.secrets.read("acme", "basware")
    assert keeper.secrets.read("acme", "basware", fresh=True) == first
    keeper.write("acme", "basware", '{"password": "new"}')
    second = keeper.secrets.read("acme", "basware", fresh=True)
    assert second.text == '{"password": "new"}'
    assert second.version != first.version
    assert keeper.secrets.read("acme", "basware") == second


def test_a_changed_secret_is_seen_in_time_without_asking(keeper: Any, clock: Any) -> None:
    keeper.write("acme", "basware", TEXT)
    keeper.secrets.read("acme", "basware")
    keeper.write("acme", "basware", "{}")
    clock.moment += timedelta(seconds=301)
    assert keeper.secrets.read("acme", "basware").text == "{}"


def test_a_deleted_secret_ends(keeper: Any, clock: Any) -> None:
    keeper.write("acme", "basware", TEXT)
    keeper.secrets.read("acme", "basware")
    keeper.remove("acme", "basware")
    assert keeper.secrets.names() == []
    assert keeper.secrets.read("acme", "basware", fresh=True) is None
    clock.moment += timedelta(seconds=301)
    assert keeper.secrets.read("acme", "basware") is None


def test_a_secret_is_never_printed(keeper: Any) -> None:
    keeper.write("acme", "basware", TEXT)
    secret = keeper.secrets.read("acme", "basware")
    for thing in (secret, keeper.secrets, vars(keeper.secrets)):
        assert "55-w" not in repr(thing) + str(thing)


def test_a_version_does_not_give_the_secret_away(keeper: Any) -> None:
    keeper.write("acme", "basware", "x")
    assert len(keeper.secrets.read("acme", "basware").version) >= 16


@pytest.mark.parametrize("tenant", ["Acme", "-acme", "a.b", "ä", "x" * 42, "..", ""])
def test_a_tenant_that_cannot_be_named_so_is_refused(keeper: Any, tenant: str) -> None:
    with pytest.raises(Misconfigured, match="name of"):
        keeper.secrets.read(tenant, "basware")


@pytest.mark.parametrize("system", ["../x", "sap b1", "SAP", ""])
def test_a_system_that_cannot_be_named_so_is_refused(keeper: Any, system: str) -> None:
    with pytest.raises(Misconfigured):
        keeper.secrets.read("acme", system)
