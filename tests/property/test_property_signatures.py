"""A signature is right in every spelling that is documented, and wrong by one bit."""

from __future__ import annotations

import base64
import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.systems.basware.webhook import verify

bodies, secrets = st.binary(max_size=200), st.binary(min_size=1, max_size=64)
prefixes = st.sampled_from(["", "sha256=", "SHA256=", "Sha256 = "])


def spelled(digest, how, dice):
    if how == "hex":
        return "".join(dice.choice((c.lower(), c.upper())) for c in digest.hex())
    made = base64.b64encode(digest).decode()
    return {"base64": made, "unpadded": made.rstrip("="), "url": base64.urlsafe_b64encode(digest).decode()}[how]


spellings = st.sampled_from(["hex", "base64", "unpadded", "url"])


@given(bodies, secrets, secrets, st.booleans(), prefixes, spellings, st.randoms(use_true_random=False))
def test_any_spelling_and_either_secret_is_taken(body, new, old, rotated, prefix, how, dice):
    digest = hmac.new(old if rotated else new, body, hashlib.sha256).digest()
    assert verify(body, prefix + spelled(digest, how, dice), [new, old])


@given(bodies, secrets, prefixes, spellings, st.integers(0, 255), st.randoms(use_true_random=False))
def test_one_bit_of_the_signature_is_enough_to_refuse_it(body, secret, prefix, how, bit, dice):
    digest = bytearray(hmac.new(secret, body, hashlib.sha256).digest())
    digest[bit // 8] ^= 1 << bit % 8
    assert not verify(body, prefix + spelled(bytes(digest), how, dice), [secret])


@given(st.binary(min_size=1, max_size=200), secrets, st.data())
def test_one_bit_of_the_body_is_enough_to_refuse_it(body, secret, data):
    signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
    changed = bytearray(body)
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    changed[bit // 8] ^= 1 << bit % 8
    assert verify(body, signature, [secret]) and not verify(bytes(changed), signature, [secret])


@given(bodies, secrets, secrets)
def test_another_secret_is_none(body, right, wrong):
    """HMAC fills short keys up with zeros, so keys that differ in them alone are one key."""
    if right.rstrip(b"\0") != wrong.rstrip(b"\0"):
        assert not verify(body, hmac.new(wrong, body, hashlib.sha256).hexdigest(), [right])
