"""Tokens that we sign ourselves, and what tokens say that were given to us."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from ml_connector.systems.kit.signed_tokens import Minted, claims_of, ends_at, lasts, minted
from tests.clock import Clock

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
CLAIMS = {"iss": "app", "sub": "MLCONN", "aud": "https://X3.example:8124/xtrem/api"}


def token(validity: int = 300) -> tuple[Clock, Minted, list[str]]:
    clock, learnt = Clock(NOW), list[str]()
    return clock, Minted(clock, "sécret", timedelta(seconds=validity), CLAIMS, learnt.append), learnt


def test_the_signature_is_that_of_hs256_over_the_secret_as_it_stands() -> None:
    head, body, signed = minted(CLAIMS, "sécret").split(".")
    right = hmac.new("sécret".encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(right).rstrip(b"=").decode() == signed
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}


@pytest.mark.parametrize("validity", [60, 300, 600])
def test_iat_is_dated_back_and_the_whole_is_within_the_validity(validity: int) -> None:
    _, mint, _ = token(validity)
    claims = claims_of(mint().removeprefix("Bearer "))
    assert claims["iat"] == int(NOW.timestamp()) - 30
    assert claims["exp"] - claims["iat"] == validity and claims["exp"] > NOW.timestamp()
    assert claims["aud"] == CLAIMS["aud"], "byte for byte"


@pytest.mark.parametrize("validity", [60, 300])
def test_a_token_is_signed_again_before_it_is_over(validity: int) -> None:
    clock, mint, learnt = token(validity)
    for _ in range(validity):
        left = ends_at(mint().removeprefix("Bearer "))
        assert left is not None and left - clock.now() >= timedelta(seconds=14)
        clock.sleep(1)
    assert 1 < len(learnt) < 6, "each is known before it is sent, and they are few"
    assert len(set(learnt)) == len(learnt)


@pytest.mark.parametrize("odd", ["", "a.b", "a.b.c", "a.!!!.c", "a.W10.c", "a.e30.c", "a.eyJleHAiOiJ4In0.c"])
def test_what_is_no_such_token_says_nothing(odd: str) -> None:
    assert ends_at(odd) is None and lasts(odd) is None


def test_how_long_a_token_lasts_is_the_difference_of_its_times() -> None:
    assert lasts(minted({"iat": 1000, "exp": 1300}, "k")) == timedelta(seconds=300)
    assert lasts(minted({"exp": 1300}, "k")) is None and lasts(minted({"iat": 2, "exp": 1}, "k")) is None
    assert ends_at(minted({"exp": 10**30}, "k")) is None
