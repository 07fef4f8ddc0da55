"""The tenant registry on Secrets Manager: a list that lags, versions, slices, and two tenants that claim the same."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.timed import Cloud
from ml_connector import bootstrap
from ml_connector.aws.assembly import Aws, Names
from ml_connector.engine.schedule import tenant_rows
from ml_connector.registry import Pass
from ml_connector.tenant import BootstrapOptions

BASWARE = {"region": "EU", "client_id": "c", "client_secret": "s", "source_system": "S", "base_url": "https://b.test"}
SAP = {"service_layer_url": "https://s.test/b1s/v2", "company_db": "DB", "user_name": "u", "password": "p"}


class Site:
    """A stack's ports over services in memory, with tenants that are onboarded by writing secrets."""

    def __init__(self) -> None:
        self.cloud = Cloud()
        named = dict.fromkeys(("table", "records_queue", "records_dlq", "audit_bucket", "kms_key"), "x")
        self.aws = Aws(Names(secret_prefix="p", **named), self.cloud)  # type: ignore[arg-type]
        self.aws.clock = self.cloud.clock  # type: ignore[assignment]
        self.tools = BootstrapOptions(self.aws.vault)

    def onboard(self, name: str, company: str | None = None) -> None:
        self.write(name, "basware", {**BASWARE, "companies": [company or name]})
        self.write(name, "sap_b1", {**SAP, "company_db": name})

    def write(self, tenant: str, system: str, content: dict[str, Any]) -> None:
        self.cloud.secrets.write(f"p/{tenant}/{system}", json.dumps(content))

    def later(self, minutes: float = 5, **more: Any) -> Pass:
        self.cloud.clock.sleep(minutes * 60)
        return Pass(self.aws.runtime, self.aws.secrets, self.tools, **more).run()

    def row(self, name: str) -> tenant_rows.TenantRow | None:
        return tenant_rows.row(self.aws.store, name)

    def read(self) -> int:
        return self.cloud.meter.calls["GetSecretValue"]


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_second_pass_reads_only_the_secrets_that_changed(site: Site) -> None:
    for n in range(20):
        site.onboard(f"t{n}")
    assert len(site.later().made) == 20
    before = site.read()
    assert site.later().made == []
    assert site.read() == before
    site.write("t7", "settings", {"paused": True})
    assert [row.name for row in site.later().made] == ["t7"]
    assert site.read() - before == 3
    row = site.row("t7")
    assert row is not None
    assert row.pairs["sap_b1-basware"].active == []


def test_every_tenant_is_read_once_a_day_whatever_its_versions_say(site: Site) -> None:
    site.onboard("acme")
    site.later()
    assert site.later(22 * 60).made == []
    assert [row.name for row in site.later(90).made] == ["acme"]


def test_a_pass_ends_in_time_and_the_next_goes_on(site: Site) -> None:
    for n in range(30):
        site.onboard(f"t{n:02d}")
    first = site.later(until=site.cloud.clock.now() + timedelta(minutes=5, seconds=1))
    assert 0 < len(first.made) < 30
    assert first.left == 30 - len(first.made)
    second = site.later()
    assert second.left == 0
    assert not {row.name for row in first.made} & {row.name for row in second.made}
    assert all(site.aws.store.get(f"schedule#t{n:02d}", "sap_b1") for n in range(30))


@pytest.mark.parametrize("missing", [["basware"], ["basware", "sap_b1"]])
def test_a_list_that_leaves_out_what_is_there_ends_nothing(site: Site, missing: list[str]) -> None:
    site.onboard("acme")
    site.later()
    site.cloud.secrets.hidden = {f"p/acme/{system}" for system in missing}
    for _ in range(5):
        site.later()
    row = site.row("acme")
    assert row is not None
    assert list(row.pairs) == ["sap_b1-basware"]


def test_a_tenant_ends_when_its_secrets_are_missed_by_name_at_two_times(site: Site) -> None:
    site.onboard("acme")
    site.onboard("beta")
    site.later()
    for system in ("basware", "sap_b1"):
        site.cloud.secrets.delete(f"p/acme/{system}")
    site.later()
    assert site.row("acme") is not None
    site.later(minutes=1)  # too soon to be another time
    assert site.row("acme") is not None
    site.later()
    assert site.row("acme") is None
    assert site.aws.store.get("schedule#acme", "sap_b1") is None
    assert site.row("beta") is not None


def test_a_secret_that_comes_back_is_not_missed_any_more(site: Site) -> None:
    site.onboard("acme")
    site.later()
    site.cloud.secrets.delete("p/acme/basware")
    site.later()
    site.onboard("acme")
    site.later()
    site.cloud.secrets.delete("p/acme/basware")
    site.later()  # the first time again
    row = site.row("acme")
    assert row is not None
    assert list(row.pairs) == ["sap_b1-basware"]
    site.later()
    row = site.row("acme")
    assert row is not None
    assert row.pairs == {}


def test_settings_written_first_count_although_the_list_does_not_show_them_yet(site: Site) -> None:
    site.write("acme", "settings", {"paused": True})
    site.onboard("acme")
    site.cloud.secrets.hidden = {"p/acme/settings"}
    site.later()
    row = site.row("acme")
    assert row is not None
    assert row.pairs["sap_b1-basware"].active == []


def test_a_tenant_asked_for_by_name_is_found_before_the_list_shows_it(site: Site) -> None:
    site.onboard("acme")
    site.cloud.secrets.hidden = {"p/acme/basware", "p/acme/sap_b1"}
    (tenant,) = bootstrap.tenants(site.aws.runtime, site.aws.secrets, site.tools, "acme")
    assert [pair.integration.name for pair in tenant.pairs] == ["sap_b1-basware"]
    site.later(only="acme")
    assert site.row("acme") is not None
    site.later()
    assert site.row("acme") is not None


def test_two_tenants_that_claim_the_same_company_both_stop_whenever_they_were_read(site: Site) -> None:
    site.onboard("acme", company="1000")
    site.later()
    site.onboard("beta", company="1000")
    site.later()
    for name in ("acme", "beta"):
        row = site.row(name)
        assert row is not None
        assert row.pairs == {}
        assert "has company 1000 of the Basware account as well" in str(row.problem)
    site.onboard("beta", company="2000")
    site.later()
    site.later()
    for name in ("acme", "beta"):
        row = site.row(name)
        assert row is not None
        assert list(row.pairs) == ["sap_b1-basware"]
        assert row.problem is None


def test_two_that_are_new_and_claim_the_same_stop_in_one_pass(site: Site) -> None:
    site.onboard("acme", company="1000")
    site.onboard("beta", company="1000")
    site.later()
    assert [row.pairs for name in ("acme", "beta") if (row := site.row(name)) is not None] == [{}, {}]
