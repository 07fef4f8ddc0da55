"""A planted secret survives nowhere."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ml_connector import http_log
from ml_connector.redact import RECENT, Redactor, given_out
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
headers = st.sampled_from(
    [
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "X-Api-Key",
        "X-BWAPI-Signature-256",
        "X-Amz-Security-Token",
        "X-B1-Webhook-Token",
        "X-Auth-Token",
        "Api-Key",
    ]
)


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
    for text in (
        urlencode({"x": other, name: secret, "y": "1"}),
        f"https://h/p?{name}={quote(secret, '')}&y=1",
        f"{name}={quote_plus(secret)}",
    ):
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


# ── what is made at run time ────────────────────────────────────────────────────────────────────────────────────

tokens = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0123456789-_.~+/=", min_size=8, max_size=300).map(
    lambda t: f"Zq{t}"
)


def spelt(value):
    """As the wire, a page, a log or a second server may write it."""
    plain = value.encode()
    percent = quote(value, "")
    yield from (value, quote(value), percent, quote_plus(value), re.sub("%..", lambda found: found[0].lower(), percent))
    yield from (json.dumps(value), json.dumps(json.dumps(value)), json.dumps(value).replace("/", "\\/"))
    yield from (repr(value), repr(plain), html.escape(value))
    yield from (
        base64.b64encode(plain).decode(),
        base64.urlsafe_b64encode(plain).decode(),
        plain.hex(),
        plain.hex().upper(),
    )


@given(tokens | secrets, texts, st.data())
def test_what_is_learned_is_masked_in_each_spelling(secret, other, data):
    redactor = Redactor(["another-one"])
    redactor.learn(secret)
    for word in spelt(secret):
        told = redactor.text(f"{other} {word} kept")
        bare = word.strip("\"'b\\")
        assert bare[:40] not in told and bare[:-4] not in told and told.endswith("kept")


@given(plain)
def test_a_password_is_found_in_the_pair_whatever_the_user_is_called(password):
    redactor = Redactor([password])
    for before in ("someone", "someon", "someo"):
        coded = base64.b64encode(f"{before}:{password}".encode()).decode()
        told = redactor.text(f"you sent {coded}")
        assert "***" in told and len(told) <= len("you sent ***") + len(coded) - len(password)


@given(plain, plain)
def test_every_header_that_carries_a_credential_teaches(user, password):
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    sent = {
        "Authorization": (f"Basic {pair}", [pair, password, f"{user}:{password}"]),
        "authorization": (f"Bearer {password}", [password]),
        "Cookie": (f"B1SESSION={password}; ROUTEID=.{user}; theme=dark", [password, f".{user}"]),
        "Set-Cookie": (f"B1SESSION={password};HttpOnly;Path=/", [password]),
        "X-Api-Key": (password, [password]),
    }
    for name, (value, given_away) in sent.items():
        redactor = Redactor()
        redactor.hear([(name, value)])
        told = redactor.text(" | ".join([*given_away, "theme is dark"]))
        assert told == " | ".join(["***"] * len(given_away) + ["theme is dark"])


@given(plain, fields, st.data())
def test_the_answer_to_a_login_teaches(secret, field, data):
    assert secret in given_out(json.dumps(data.draw(planted({field: secret}))).encode())
    assert given_out(b"[" * 50_000) == given_out(b"no json") == []


@given(plain, st.integers(0, 400), st.sampled_from(['{"password":"', "x", "Bearer ", "https://h/?token="]))
def test_a_secret_across_the_cut_is_masked_too(secret, back, before):
    """Wherever the cut falls, no piece of it is left that is worth anything."""
    known, limit = Redactor([secret]), 1000
    text = "a " * 500 + before + secret + "b " * 3000
    for redactor, at in ((known, len("a " * 500 + before)), (Redactor(), len("a " * 500 + before))):
        if redactor is not known and before == "x":
            continue
        kept = redactor.beginning(text, at + back)
        assert secret[:4] not in kept and len(kept) <= at + back
    assert len(Redactor().beginning("b " * 3000, limit)) == limit


def test_a_body_is_cut_before_it_is_looked_through():
    class Counting(Redactor):
        seen = 0

        def text(self, text):
            self.seen += len(text)
            return super().text(text)

    counting = Counting(["a-secret"])
    kept = http_log.clip("x" * 18_000_000, counting)
    assert counting.seen <= http_log.BODY_LIMIT + 1000 and kept.endswith("… [18000000 characters, cut]")


@pytest.mark.parametrize(
    "row",
    [
        '{"Name":"Compass token shop","Notes":"basic text, session 5"},',
        '{"password":"x","access_token":"abcdefgh"},',
        "<Password a='1' ",
    ],
)
def test_the_time_grows_with_the_text_and_no_faster(row):
    redactor, sizes = Redactor(["a-secret", "another"]), (200_000, 1_600_000)
    took = []
    for size in sizes:
        text = row * (size // len(row))
        began = time.process_time()
        redactor.text(text)
        took.append(time.process_time() - began)
    assert took[1] < 8 * 5 * max(took[0], 0.01)


def test_only_the_latest_are_remembered():
    redactor = Redactor()
    redactor.learn(*(f"token-{n:04}" for n in range(3 * RECENT)))
    assert redactor.text("token-0000") == "token-0000" and redactor.text(f"token-{3 * RECENT - 1:04}") == "***"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-CSRF-Token", "Required"),
        ("Set-Cookie", "lines=1005; Path=/"),
        ("Cookie", "theme=dark; menu=collapsed"),
        ("Authorization", "Negotiate"),
    ],
)
def test_words_and_numbers_teach_nothing(name, value):
    redactor, text = Redactor(), "Required dark collapsed Negotiate 1005"
    redactor.hear([(name, value)])
    assert redactor.text(text) == text
