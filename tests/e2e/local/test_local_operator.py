"""A person with the stack's policies and nothing else works with the command line on the deployed template.

The emulator refuses what a policy does not allow, as AWS does.
"""

import json
import os

import pytest

from infra.local.stack_run import deployed
from tests import program

REGION = "us-east-1"


@pytest.fixture
def stack(small, tmp_path):
    with deployed(tmp_path / "stack") as local:
        for system in ("sap_b1", "basware"):
            local.put_secret("acme", system, (small.folder / "acme" / f"{system}.json").read_text())
        yield local


@pytest.fixture
def person(stack):
    """Make a user with one policy; gives a function that runs a command as that user, and one that gives more."""
    iam = stack.stack.client("iam")
    iam.create_user(UserName="ada")
    iam.attach_user_policy(UserName="ada", PolicyArn=stack.outputs["OperatorPolicy"])
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env |= {"AWS_ENDPOINT_URL": stack.stack.endpoint_url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, **keys}

    def run(small, *words):
        return program.run(*words, "--stack", "ml-connector", env=env, timeout=60)

    return run, lambda policy: iam.attach_user_policy(UserName="ada", PolicyArn=stack.outputs[policy])


def test_the_operator_policy_is_enough_for_every_command_but_purge(small, stack, person):
    run, give = person
    for words in (
        "ping acme",
        "tenants",
        "held",
        "dlq list",
        "mappings set acme tax 19 V2",
        "mappings remove acme tax 19 --yes",
        "dlq redrive",
    ):
        ran = run(small, *words.split())
        assert ran.returncode == 0, (words, ran.stdout, ran.stderr)
    stack.aws.runtime.blobs.put("audit/acme/sap_b1-basware/invoices/2026-01-01/k/1.json.gz", _attempt())
    refused = run(small, "purge", "acme", "--force", "--yes")
    assert refused.returncode == 2
    assert "AWS refuses access to the bucket" in refused.stderr
    give("PurgePolicy")
    purged = run(small, "purge", "acme", "--force", "--yes", "--json")
    assert purged.returncode == 0, purged.stderr
    assert json.loads(purged.stdout)["purged"] == 1


def _attempt():
    import gzip

    return gzip.compress(b'{"n": 1}\n{"at": "2026-01-01"}')
