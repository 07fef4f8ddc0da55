"""A connection that cannot be made secure says why, in `ping` and in runs, and blames no firewall."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.sandbox.server import serving
from ml_connector.errors import Misconfigured
from tests.contract.conformance.cases import ALL, every_system
from tests.contract.conformance.doing import use
from tests.contract.conformance.stand import Stand
from tests.tls_servers import certificate, serving_tls

Serve = Callable[[Stand, Path], Any]


def _secure(**how: Any) -> Serve:
    return lambda stand, folder: serving_tls(stand.app, certificate(folder, **how)[0])


@contextmanager
def _plain(stand: Stand, _: Path) -> Iterator[str]:
    with serving(stand.app) as address:
        yield address.replace("http:", "https:")


@contextmanager
def _secret(stand: Stand, folder: Path) -> Iterator[str]:
    with serving_tls(stand.app, certificate(folder)[0]) as address:
        yield address.replace("https:", "http:")


@contextmanager
def _other_bundle(stand: Stand, folder: Path) -> Iterator[str]:
    with serving_tls(stand.app, certificate(folder)[0]) as address:
        yield address


WRONG: dict[str, tuple[Serve, str | None, str]] = {
    "signed by itself": (_secure(), None, "field 'ca_bundle'"),
    "signed by another": (_secure(), "other", "not vouched for by what 'ca_bundle'"),
    "another name": (_secure(name="sap.other.example"), "own", "for another name"),
    "expired": (_secure(days=-1, since=-30), "own", "has expired"),
    "not valid yet": (_secure(since=5), "own", "not valid yet"),
    "https to an http port": (_plain, None, "does not speak https"),
    "http to an https port": (_secret, None, "Write https://"),
}


def _fields(stand: Stand, address: str) -> dict[str, Any]:
    found = {k: v for k, v in stand.secret.items() if isinstance(v, str) and v.startswith("http")}
    return {name: address + urlsplit(value).path for name, value in found.items()}


@every_system
@pytest.mark.parametrize("what", list(WRONG))
def test_what_is_wrong_with_a_certificate_is_said(stand: Stand, system: str, what: str, tmp_path: Path) -> None:
    serve, bundle, words = WRONG[what]
    with serve(stand, tmp_path) as address:
        fields = _fields(stand, address)
        if bundle == "other":
            fields["ca_bundle"] = certificate(tmp_path, "elsewhere.example")[1]
        elif bundle == "own":
            (own,) = tmp_path.glob("*.pem")
            fields["ca_bundle"] = (
                own.read_text().partition("-----BEGIN CERT")[1] + own.read_text().partition("-----BEGIN CERT")[2]
            )
        checks = list(stand.connect(transport=False, timeout_seconds=5, **fields).ping())
        (failed,) = [check for check in checks if not check.ok]
        assert (failed.what, checks[-1]) == ("login", failed)
        assert words in failed.detail and "firewall" not in failed.detail and "127.0.0.1" in failed.detail
        case = next(one for one in ALL if one.system == system)
        with pytest.raises(Misconfigured) as caught:
            use(stand, stand.connect(transport=False, timeout_seconds=5, **fields), case)
        assert words in str(caught.value)


@every_system
def test_a_certificate_in_the_bundle_is_good(stand: Stand, system: str, tmp_path: Path) -> None:
    path, pem = certificate(tmp_path)
    with serving_tls(stand.app, path) as address:
        fields = _fields(stand, address)
        checks = list(stand.connect(transport=False, ca_bundle=pem, timeout_seconds=5, **fields).ping())
        assert [check for check in checks if not check.ok] == []
