from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from ml_connector.aws.secrets import SecretsManagerSecrets
from ml_connector.errors import Misconfigured, Transient


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "GetSecretValue")


class FakeManager:
    """Gives `answer`, or raises it; lists `listed` in pages of two."""

    def __init__(self, answer: Any = None, listed: list[str] | None = None) -> None:
        self.answer, self._listed = answer, listed or []
        self.reads: list[str] = []

    def get_secret_value(self, SecretId: str) -> Any:
        self.reads.append(SecretId)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def get_paginator(self, name: str) -> FakeManager:
        assert name == "list_secrets"
        return self

    def paginate(self, Filters: list[dict[str, Any]], **_: Any) -> Any:
        assert Filters == [{"Key": "name", "Values": ["ml-connector/"]}]
        names = [{"Name": name} for name in self._listed]
        return [{"SecretList": names[n : n + 2]} for n in range(0, len(names), 2)]


def text(content: str, version: str = "v1") -> dict[str, str]:
    return {"SecretString": content, "VersionId": version}


def test_a_secret_is_read_once_in_five_minutes(clock: Any) -> None:
    client = FakeManager(text("{}"))
    secrets = SecretsManagerSecrets(client, "ml-connector", clock)
    for _ in range(3):
        assert secrets.read("acme", "basware").version == "v1"
        clock.sleep(99)
    assert client.reads == ["ml-connector/acme/basware"]
    clock.sleep(10)
    secrets.read("acme", "basware")
    assert len(client.reads) == 2


def test_an_absent_secret_is_not_asked_for_each_time(clock: Any) -> None:
    client = FakeManager(refusal("ResourceNotFoundException"))
    secrets = SecretsManagerSecrets(client, "ml-connector", clock)
    assert [secrets.read("acme", "settings") for _ in range(3)] == [None] * 3
    assert len(client.reads) == 1


def test_a_secret_marked_for_deletion_is_none(clock: Any) -> None:
    assert SecretsManagerSecrets(FakeManager(refusal("InvalidRequestException")), "p", clock).read("a", "b") is None


@pytest.mark.parametrize("trouble", [refusal("ThrottlingException"), ReadTimeoutError(endpoint_url="http://x")])
def test_the_old_secret_serves_while_there_is_trouble_but_proves_nothing(clock: Any, trouble: Exception) -> None:
    client = FakeManager(text("old"))
    secrets = SecretsManagerSecrets(client, "ml-connector", clock)
    with pytest.raises(Transient, match="ml-connector/new/basware"):
        SecretsManagerSecrets(FakeManager(trouble), "ml-connector", clock).read("new", "basware")
    secrets.read("acme", "basware")
    client.answer = trouble
    clock.sleep(10_000)
    assert secrets.read("acme", "basware").text == "old"
    with pytest.raises(Transient):
        secrets.read("acme", "basware", fresh=True)
    client.answer = text("new", "v2")
    assert secrets.read("acme", "basware").text == "new"


def test_a_fresh_read_goes_past_the_memory_and_renews_it(clock: Any) -> None:
    client = FakeManager(text("old"))
    secrets = SecretsManagerSecrets(client, "ml-connector", clock)
    secrets.read("acme", "basware")
    client.answer = text("new", "v2")
    assert secrets.read("acme", "basware").text == "old"
    assert secrets.read("acme", "basware", fresh=True).text == "new"
    assert secrets.read("acme", "basware").text == "new"


def test_other_secrets_of_the_account_are_left_alone(clock: Any) -> None:
    listed = ["ml-connector/b/basware", "ml-connector/a/sap_b1", "ml-connector/x/y/z", "ml-connector/only"]
    assert SecretsManagerSecrets(FakeManager(listed=listed), "ml-connector", clock).names() == [
        ("a", "sap_b1"),
        ("b", "basware"),
    ]


@pytest.mark.parametrize(
    ("answer", "message"),
    [({"SecretBinary": b"x", "VersionId": "v"}, "is binary"), (refusal("AccessDeniedException"), "refuses access")],
)
def test_an_unusable_secret_is_explained(clock: Any, answer: Any, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        SecretsManagerSecrets(FakeManager(answer), "ml-connector", clock).read("acme", "basware")
