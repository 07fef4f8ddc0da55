"""What fuzzing found in secrets: one that cannot be used spoils its own tenant, in words, and shows nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.systems.basware.settings import Settings as Basware
from ml_connector.systems.sap_b1 import Settings
from ml_connector.systems.settings import parse

GOOD = {
    "service_layer_url": "https://sl.example:50000/b1s/v2",
    "company_db": "SBO",
    "user_name": "m",
    "password": "geheim-17",
}


def refusal(**changed: Any) -> str:
    with pytest.raises(Misconfigured) as caught:
        parse(Settings, json.dumps(GOOD | changed), "acme/sap_b1", insecure=False)
    return str(caught.value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "europe/berlin ", "Europe", "a" * 300, "UTC\x00", "../../etc/passwd"])
def test_an_unknown_zone_is_a_wrong_field_and_no_crash(zone: str) -> None:
    assert "is not a time zone" in refusal(timezone=zone)


@pytest.mark.parametrize(
    "url",
    [
        "https://[/b1s/v1",
        "https://h:99999/b1s/v1",
        "https://h:x/b1s/v1",
        "https://ex ample/b1s/v1",
        "https:///b1s/v1",
        "https://\u2100.com/b1s/v1",
        "https://h\u0000/b1s/v1",
        "https://a..b/b1s/v1",
        "ftp://h/b1s/v1",
    ],
)
def test_an_address_that_no_call_could_go_to_is_refused_where_it_is_written(url: str) -> None:
    assert "'service_layer_url' cannot be used: this is not a valid web address" in refusal(service_layer_url=url)


@pytest.mark.parametrize("field", ["service_layer_url", "timezone", "external_id_field", "ca_bundle", "branch_id"])
@pytest.mark.parametrize("value", ["geheim-17", "https://h/geheim-17", "ftp://u:geheim-17@h/b1s/v1"])
def test_a_secret_in_the_wrong_field_is_not_shown(field: str, value: str) -> None:
    assert "geheim-17" not in refusal(**{field: value})


def test_a_bundle_that_is_none_is_said_at_once() -> None:
    for bundle in ("ü", "no certificate", "-----BEGIN CERTIFICATE-----"):
        assert "'ca_bundle' cannot be used" in refusal(ca_bundle=bundle)


def test_a_message_has_an_end() -> None:
    assert len(refusal(**{f"unknown_{n}": 1 for n in range(3000)})) < 20_000
    assert "2980 more" in refusal(**{f"unknown_{n}": 1 for n in range(3000)})
    assert len(refusal(**{"x" * 100_000: 1})) < 2_000


def test_text_that_is_no_unicode_is_explained() -> None:
    with pytest.raises(Misconfigured):
        parse(Settings, '{"company_db": "\udcff"', "acme/sap_b1", insecure=False)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
        "[fe80::1]",
        "224.0.0.1",
        "[::ffff:a9fe:a9fe]",
    ],
)
def test_a_deployed_stack_takes_no_address_of_this_machine_in_any_spelling(host: str) -> None:
    assert "must be https and not" in refusal(service_layer_url=f"https://{host}/b1s/v2")


@pytest.mark.parametrize("host", ["10.0.0.7", "192.168.1.1", "[fd12::1]", "167772167"])
def test_an_erp_may_stand_in_a_private_network_and_basware_never(host: str) -> None:
    parse(Settings, json.dumps(GOOD | {"service_layer_url": f"https://{host}/b1s/v2"}), "acme/sap_b1", insecure=False)
    ap = {"region": "EU", "client_id": "c", "client_secret": "s3cret", "companies": ["1"], "source_system": "S"}
    for field in ("base_url", "network_base_url"):
        with pytest.raises(Misconfigured, match="not in a private network"):
            parse(Basware, json.dumps({**ap, field: f"https://{host}"}), "acme/basware", insecure=False)
        parse(Basware, json.dumps({**ap, field: f"http://{host}"}), "acme/basware", insecure=True)
