"""What `sam deploy` reads beside the template: an environment of samconfig.toml inherits nothing from another."""

import json
import re
import tomllib

import pytest

from tests.template.loading import ROOT

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
ENVIRONMENTS = sorted(name for name in CONFIG if name != "version")
LONGEST_FUNCTION_NAME, LONGEST_QUEUE_NAME = 64, 80


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_each_environment_is_complete(name):
    wanted = {command: set(section["parameters"]) for command, section in CONFIG["default"].items()}
    for command, keys in wanted.items():
        assert keys <= CONFIG[name][command]["parameters"].keys()


def test_no_two_environments_share_a_stack_or_the_tenants():
    stacks = [CONFIG[name]["global"]["parameters"]["stack_name"] for name in ENVIRONMENTS]
    overrides = [CONFIG[name]["deploy"]["parameters"].get("parameter_overrides", "") for name in ENVIRONMENTS]
    prefixes = [(re.search(r"SecretPrefix=(\S+)", text) or ["", "ml-connector"])[1] for text in overrides]
    assert len(set(stacks)) == len(set(prefixes)) == len(ENVIRONMENTS)


def test_a_stack_may_have_as_long_a_name_as_is_said(of_type):
    names = [(LONGEST_FUNCTION_NAME, f["FunctionName"]) for f in of_type("AWS::Lambda::Function").values()]
    names += [(LONGEST_QUEUE_NAME, q["QueueName"]) for q in of_type("AWS::SQS::Queue").values()]
    room = min(most - len(json.dumps(name).split("${AWS::StackName}")[1].rstrip('"}')) for most, name in names)
    assert f"may have {room} characters" in (ROOT / "samconfig.toml").read_text("utf-8")
