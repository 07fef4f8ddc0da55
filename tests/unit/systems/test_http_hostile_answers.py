"""What fuzzing found at the one door for answers: each of these ended in a fault of ours, or showed a secret."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom
from ml_connector.errors import ConnectorError, LoginRefused, OutcomeUnknown, Throttled, Transient
from ml_connector.redact import Redactor
from ml_connector.systems.http import Call, Http

SECRET = 'hidden-"pä\\ss'
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        """Nothing passes."""


def client(answer: Any, **more: Any) -> Http:
    return Http(
        base_url="https://erp.example",
        vendor="ERP",
        clock=Still(),
        rng=SeededRandom(1),
        timeout=30,
        redactor=Redactor([SECRET]),
        transport=httpx.MockTransport(answer),
        **more,
    )


def spoken(status: int, content: bytes) -> Any:
    return lambda _: httpx.Response(status, content=content)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 50_000, b'{"a":1e99999999999999999999}', b'{"a":"\xed\xa0\x80"}', b"9" * 5000]
)
def test_what_no_decoder_takes_is_no_json_like_any_other(body: bytes) -> None:
    with pytest.raises(Transient, match="whole JSON"):
        client(spoken(200, body)).get("/x")
    with pytest.raises(OutcomeUnknown, match="whole JSON"):
        client(spoken(200, body)).call(Call("POST", "/x", body={}, safe=False))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("²".encode("latin-1"), None),
        (b"9" * 5000, 86_400),
        (b"Mon, 02 Mar 2026 09:01:00 -0000", 60),
        (b"Mon, 02 Mar 2026 09:00:10 +99999999999999", None),
        (b"Mon, 02 Mar 99999999999999999999 09:00:00 GMT", None),
    ],
)
def test_a_strange_retry_after_is_read_or_left(header: bytes, seconds: float | None) -> None:
    with pytest.raises(Throttled) as caught:
        client(lambda _: httpx.Response(429, headers=[(b"Retry-After", header)])).get("/x")
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("status", [401, 408, 418, 500, 502])
@pytest.mark.parametrize("echo", [SECRET, SECRET.replace("\\", "\\\\").replace('"', '\\"')])
def test_no_status_brings_an_echoed_secret_into_a_message(status: int, echo: str) -> None:
    for safe in (True, False):
        call = Call("POST", "/x", body={}, safe=safe)
        with pytest.raises((LoginRefused, Transient, OutcomeUnknown)) as caught:
            client(spoken(status, f'{{"m":"wrong password {echo} for you"}}'.encode())).call(call)
        assert echo not in str(caught.value) and "wrong password ***" in str(caught.value)


def test_a_secret_at_the_edge_of_what_is_shown_is_not_shown_by_half() -> None:
    with pytest.raises(Transient) as caught:
        client(spoken(418, ("x" * 292 + SECRET).encode())).get("/x")
    assert SECRET[:5] not in str(caught.value)


@pytest.mark.parametrize("location", ["https://\u2100.com/", "https://h\x80/", "http://[", "https://h:99999999/"])
def test_a_redirect_that_leads_nowhere_is_passing_trouble(location: str) -> None:
    http = client(lambda _: httpx.Response(302, headers=[(b"Location", location.encode())]))
    with pytest.raises(ConnectorError):
        http.get("/x")
    for foreign in (location, "https://ex ample/", "https://h:99999999/x"):
        with pytest.raises(ConnectorError):
            http.call(Call("GET", foreign, auth=False, foreign=True))


def test_a_servers_words_in_a_header_of_ours_are_sent_as_they_can_be() -> None:
    seen: list[bytes] = []
    http = client(lambda r: seen.append(r.headers.get("x-token").encode()) or httpx.Response(200, json={}))  # type: ignore[func-returns-value]
    assert http.get("/x", headers={"x-token": "tökén"}).status == 200
    assert seen


def test_a_cookie_that_cannot_be_sent_back_spoils_one_call_and_not_all_that_follow() -> None:
    headers = [(b"Set-Cookie", "A=\u00fc".encode())]
    http = client(lambda _: httpx.Response(200, json={}, headers=headers))
    http.get("/x")
    for _ in range(2):
        assert http.get("/x").status == 200


@pytest.mark.parametrize(
    "bundle", ["no certificate", "ü", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_a_bundle_that_is_none_is_a_wrong_setting(bundle: str) -> None:
    with pytest.raises(ConnectorError, match="ca_bundle"):
        Http(
            base_url="https://h",
            vendor="V",
            clock=Still(),
            rng=SeededRandom(1),
            redactor=Redactor(),
            timeout=1,
            ca_bundle=bundle,
        )
