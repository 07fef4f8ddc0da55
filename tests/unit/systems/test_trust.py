"""Whom a connection trusts: read once in a process, since reading some 140 authorities takes longer than a request."""

import ssl

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.systems import tls


def test_the_authorities_of_the_machine_are_read_once() -> None:
    assert tls.trust(None) is tls.trust("")
    assert tls.trust(None).verify_mode is ssl.CERT_REQUIRED and tls.trust(None).check_hostname
    assert tls.trust(None).cert_store_stats()["x509_ca"] > 50


def test_another_file_of_the_environment_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    import certifi

    before = tls.trust(None)
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert tls.trust(None) is not before


def test_without_tls_nobody_is_trusted() -> None:
    nobody = tls.trust(None, plain=True)
    assert nobody.verify_mode is ssl.CERT_REQUIRED and nobody.check_hostname
    assert nobody.cert_store_stats()["x509_ca"] == 0


@pytest.mark.parametrize("plain", [True, False])
def test_a_bundle_that_is_none_is_refused_whatever_the_address(plain: bool) -> None:
    with pytest.raises(Misconfigured, match="'ca_bundle' holds no certificate"):
        tls.trust("no PEM", plain=plain)
