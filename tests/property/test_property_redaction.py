"""A planted secret survives nowhere."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus, urlencode

from hypothesis import assume, given
from hypothesis import strategies as st

from ml_connector.redact import Redactor
from tests.property.drawn import json_values, texts

plain = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0123456789", min_size=12, max_size=24).map(
    lambda t: f"Zq{t}qZ"
)
secrets = plain | st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=8, max_size=20).map(
    lambda t: f"Zq{t}qZ"
)
fields = st.sampled_from([
    "password", "Password", "PASSWORD", "operator_password", "CompanyPassword", "client_secret", "clientSecret",
    "client-secret", "access_token", "accessToken", "refresh_token", "id_token", "SessionId", "session_id", "apiKey",
    "api_key", "API-Key", "webhookAuthenticationToken", "webhook_secret", "previous_webhook_secret", "signature", "pwd",
])  # fmt: skip
headers = st.sampled_from([
    "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-BWAPI-Signature-256",
    "X-Amz-Security-Token", "X-B1-Webhook-Token", "X-Auth-Token", "Api-Key",
])  # fmt: skip


@st.composite
def planted(draw, leaf):
    """A structure with one leaf in it, however deep."""
    made = leaf
    for _ in range(draw(st.integers(0, 6))):
        others = draw(st.lists(json_values, max_size=2))
        made = [*others, made] if draw(st.booleans()) else {"other": others, draw(texts): made}
    return made


def absent(secret, text):
    return secret not in text and json.dumps(secret)[1:-1] not in text and quote(secret, "") not in text


@given(secrets, st.data(), st.booleans(), st.sampled_from([None, 1]))
def test_a_known_secret_is_found_anywhere_in_a_body(secret, data, ascii_only, indent):
    body = json.dumps(data.draw(planted(data.draw(texts) + secret)), ensure_ascii=ascii_only, indent=indent)
    assert absent(secret, Redactor([secret]).text(body))
    assert absent(secret, Redactor([secret]).text(json.dumps(body, ensure_ascii=ascii_only))), "JSON within JSON"


@given(plain, fields, st.data(), st.sampled_from([None, 1]))
def test_a_field_that_carries_a_secret_is_masked_though_nobody_knows_its_value(secret, field, data, indent):
    body = json.dumps(data.draw(planted({"a": 1, field: secret, "b": "kept"})), indent=indent)
    told = Redactor().text(body)
    assert secret not in told and "kept" in told
    json.loads(told)
    assert secret not in Redactor().text(json.dumps(body))
    assert secret not in Redactor().text(body[: body.index(secret) + 8]), "a body that was cut off"


@given(secrets, texts, st.data())
def test_addresses_and_forms_hide_it_too(secret, other, data):
    known, blind = Redactor([secret]), Redactor()
    name = data.draw(fields)
    for text in (urlencode({"x": other, name: secret, "y": "1"}), f"https://h/p?{name}={quote(secret, '')}&y=1",
                 f"{name}={quote_plus(secret)}"):  # fmt: skip
        assert absent(secret, known.text(text)) and absent(secret, blind.text(text))
    assert absent(secret, known.text(f"https://h/p/{quote(secret, '')}/{quote(secret)}?z={quote_plus(secret)}"))


@given(plain, headers, st.randoms(use_true_random=False))
def test_a_header_is_known_by_its_name_in_any_case(secret, name, dice):
    spelt = "".join(dice.choice((c.lower(), c.upper())) for c in name)
    assert secret not in str(Redactor().headers({spelt: secret, "Accept": "x"}))


@given(secrets, texts)
def test_a_known_secret_is_masked_in_every_header_and_message(secret, other):
    redactor = Redactor([secret, "abcd"])
    assert secret not in redactor.headers({"X-Other": f"{other}{secret}"})["X-Other"]
    assert secret not in redactor.text(f"{other}{secret}{other}")


@given(texts)
def test_what_carries_no_secret_is_left_as_it_is(text):
    assume(not any(c in text for c in "=:<"))
    assert Redactor(["Zq-not-in-here"]).text(text) == text


@given(st.lists(secrets, min_size=2, max_size=4), st.data())
def test_secrets_that_begin_alike_are_all_masked_whole(many, data):
    longer = [*many, many[0] + "more", "x" + many[0]]
    text = " ".join(data.draw(st.permutations(longer)))
    told = Redactor(longer).text(text)
    assert all(secret not in told for secret in longer) and "more" not in told
