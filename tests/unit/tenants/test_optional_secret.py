"""Of a secret that is not there AWS says so, or denies access to it: what is optional is absent then, either way."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from ml_connector import bootstrap
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Misconfigured
from tests.unit.tenants.conftest import INTEGRATION, Site, refusal

DENIED = refusal("AccessDeniedException", "no identity-based policy allows the secretsmanager:GetSecretValue action")
readings = pytest.mark.parametrize("absent", [refusal("ResourceNotFoundException"), DENIED], ids=["absent", "denied"])


def pair(site: Site, secrets: Any = None) -> TenantIntegration:
    """Make a pair as a writer does."""
    (table,) = [i for i in bootstrap.INTEGRATIONS if i.name == INTEGRATION]
    return bootstrap.complete_integration(site.runtime, secrets or site.secrets(), site.tools, "acme", table)


@readings
def test_an_optional_secret_that_is_not_there_counts_as_absent(site: Site, absent: Exception) -> None:
    site.manager.absent = absent  # type: ignore[assignment]
    assert site.enroll()["acme"].problem is None
    assert pair(site).options.rounding_tolerance == bootstrap.TenantSettings().rounding_tolerance


@readings
def test_a_required_secret_that_is_not_there_is_an_error_with_its_reason(site: Site, absent: Exception) -> None:
    site.enroll()
    site.manager.absent = absent  # type: ignore[assignment]
    del site.manager.texts["ml-connector/acme/sap_b1"]
    with pytest.raises(Misconfigured, match=r"acme/sap_b1.*(is gone|refuses access|\(AccessDenied)"):
        pair(site)


def test_a_denied_optional_secret_is_logged_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    bootstrap._tell_once.cache_clear()
    site.enroll()
    site.manager.absent = DENIED
    with caplog.at_level(logging.WARNING, "ml_connector"):
        for _ in range(3):
            pair(site)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1 and "acme/settings counts as absent" in told[0]


@pytest.mark.parametrize("settings", [{"shadow": True}, {"paused": True}, {"closed_period": "next_open"}])
def test_settings_that_are_known_are_not_passed_over_because_they_are_denied(
    site: Site, settings: dict[str, Any]
) -> None:
    """A tenant in shadow would go live."""
    site.write("acme", "settings", **settings)
    site.enroll()
    site.spoil("acme", "settings", DENIED)
    with pytest.raises(Misconfigured, match="refuses access"):
        pair(site)


def test_settings_that_are_listed_and_denied_are_an_error_of_the_tenant(site: Site) -> None:
    site.spoil("acme", "settings", DENIED)
    rows = site.enroll()
    assert "refuses access" in str(rows["acme"].problem) and not rows["acme"].pairs
    with pytest.raises(Misconfigured, match="refuses access"):
        pair(site)
    assert rows["beta"].problem is None


def test_settings_that_were_deleted_and_are_listed_for_a_while_yet_count_as_absent(site: Site) -> None:
    site.spoil("acme", "settings", refusal("InvalidRequestException"))
    assert site.enroll()["acme"].problem is None
