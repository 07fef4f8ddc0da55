"""What is wrong with a secret, in sentences: the field, what was found, what it takes; never pydantic's own words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ml_connector.context import TenantSettings
from ml_connector.errors import Misconfigured
from ml_connector.systems.basware.settings import Settings as Basware
from ml_connector.systems.sap_b1.settings import Settings as SapB1
from ml_connector.systems.settings import parse

BASWARE = {"region": "EU", "client_id": "c", "client_secret": "hush", "companies": ["1000"], "source_system": "SAP"}
SAP = {
    "service_layer_url": "https://sap.example.com/b1s/v2",
    "company_db": "A",
    "user_name": "u",
    "password": "hush",
}
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "basware": (Basware, BASWARE),
    "sap_b1": (SapB1, SAP),
    "settings": (TenantSettings, {}),
}
RAW = re.compile(r"Value error|Input should|valid \w+|unable to|pydantic|\[type=", re.IGNORECASE)
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("basware", {"region": "MOON"}, "'region' cannot be used: found a string of 4 characters; it takes one of EU"),
    ("basware", {"environment": "prod"}, "it takes one of production, test (did you mean production?)"),
    ("basware", {"companies": "1000"}, "'companies' cannot be used: found a string of 4 characters; it takes a list"),
    ("basware", {"companies": []}, "found an empty list; it takes at least 1 entry"),
    ("basware", {"companies": ["1000", ""]}, "'companies[2]' cannot be used: found an empty string; it takes at least"),
    ("basware", {"companies": [7]}, "'companies[1]' cannot be used: found a number; it takes a string in quotes"),
    ("basware", {"client_id": None}, "'client_id' cannot be used: found null; it takes a string in quotes"),
    ("basware", {"timeout_seconds": 0}, "found 0; it takes a number, more than 0 and at most 50"),
    ("basware", {"timeout_seconds": 51}, "found 51; it takes a number, more than 0 and at most 50"),
    ("sap_b1", {"timeout_seconds": 110}, "found 110; it takes a number, more than 0 and at most 50"),
    ("basware", {"timeout_seconds": "soon"}, "found a string of 4 characters; it takes a number, more than 0"),
    ("basware", {"max_concurrency": 99}, "found 99; it takes a number, at least 1 and at most 32"),
    ("basware", {"max_concurrency": 1.5}, "found a number; it takes an integer, at least 1 and at most 32"),
    ("basware", {"source_system": "S" * 33}, "found a string of 33 characters; it takes at most 32 characters"),
    ("basware", {"dimension_lists": []}, "'dimension_lists' cannot be used: found an empty list; it takes an object"),
    ("basware", {"timezone": "Berlin"}, "'timezone' cannot be used: 'Berlin' is not a time zone; write one such as"),
    ("basware", {"base_url": "https://api.us.basware.com"}, "the secret cannot be used: 'base_url' is Basware's host"),
    ("sap_b1", {"service_layer_url": "https://x/b1s/v3"}, "must end in /b1s/v1 or /b1s/v2"),
    ("sap_b1", {"password": 12345678}, "'password' cannot be used: found a number; it takes a string in quotes"),
    ("sap_b1", {"branch_id": "first"}, "'branch_id' cannot be used: found a string of 5 characters; it takes an"),
    ("settings", {"paused": "perhaps"}, "'paused' cannot be used: found a string of 7 characters; it takes true"),
    ("settings", {"start_dates": {"payments": "soon"}}, "'start_dates.payments' cannot be used: found a string of 4"),
    ("settings", {"rounding_tolerance": 11}, "found 11; it takes a number, at least 0 and at most 10"),
    ("settings", {"schedules": {"vendors": 5}}, "'schedules.vendors' cannot be used: found a number; it takes a"),
    ("sap_b1", {"settle_seconds": 60, "in_doubt_seconds": 90}, "'settle_seconds' is the earlier name of 'in_doubt_sec"),
    ("sap_b1", {"settle_seconds": -1}, "'in_doubt_seconds' cannot be used: found -1; it takes a number, at least 0"),
    ("settings", {"closed_period": "next"}, "it takes one of hold, next_open (did you mean next_open?)"),
]


def refusal(system: str, text: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        parse(MODELS[system][0], text, f"acme/{system}", insecure=False)
    return str(caught.value)


@pytest.mark.parametrize(("system", "change", "words"), WRONG)
def test_a_wrong_field_is_named_with_what_was_found_and_what_it_takes(
    system: str, change: dict[str, Any], words: str
) -> None:
    said = refusal(system, json.dumps(MODELS[system][1] | change))
    assert said.startswith(f"acme/{system}: ")
    assert words in said
    assert not RAW.search(said), said


@pytest.mark.parametrize("system", ["basware", "sap_b1"])
@pytest.mark.parametrize("written", [{"settle_seconds": 60}, {"settle_seconds": 60, "in_doubt_seconds": 60}])
def test_a_field_is_read_under_its_earlier_name(system: str, written: dict[str, int]) -> None:
    model, good = MODELS[system]
    settings = parse(model, json.dumps(good | written), f"acme/{system}", insecure=False)
    assert settings.in_doubt_seconds == 60
    assert settings.renamed() == [("settle_seconds", "in_doubt_seconds")]
    assert parse(model, json.dumps(good | {"in_doubt_seconds": 60}), "x", insecure=False).renamed() == []


@pytest.mark.parametrize("text", ["[]", '"x"', "7", "null", "", "{", '{"a": }'])
def test_a_file_that_holds_no_object_is_explained(text: str) -> None:
    said = refusal("basware", text)
    assert "invalid JSON" in said or "it takes an object in braces" in said
    assert not RAW.search(said.partition("invalid JSON (")[0]), said


@pytest.mark.parametrize("system", sorted(MODELS))
@pytest.mark.parametrize("value", ["hunter2-planted", ["hunter2-planted"], {"a": "hunter2-planted"}])
def test_a_password_in_a_wrong_field_is_never_shown(system: str, value: Any) -> None:
    model, good = MODELS[system]
    free = {"timezone"} | {"external_id_field"} | {"dimension_lists"}  # their own sentences name what they were given
    for field in set(model.model_fields) - free:
        try:
            parse(model, json.dumps(good | {field: value}), "acme/x", insecure=False)
        except Misconfigured as error:
            assert "hunter2" not in str(error), (field, str(error))


@pytest.mark.parametrize("name", ["paused", "shadow", "send_bank_details"])
@pytest.mark.parametrize("value", ["yes", "true", 1, None])
def test_a_switch_of_the_settings_is_true_or_false_and_nothing_that_may_mean_it(name: str, value: Any) -> None:
    with pytest.raises(Misconfigured, match=f"the field '{name}' cannot be used: .*; it takes true or false"):
        parse(TenantSettings, json.dumps({name: value}), "acme/settings", insecure=False)
