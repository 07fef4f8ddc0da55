"""The commands of the documents, run as they stand against the local stack: `make deploy` (which is `sam deploy`), two
stacks beside each other, the onboarding, and the list for the first run on AWS.

The layer is the local one in the place of the deployed one, whose wheels are for another processor; `make layer` itself
has its tests in tests/budgets. Everything else is what a customer runs: samconfig.toml, sam, template.yaml.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.local import layer, ministack
from infra.sandbox import basware, sap_b1
from infra.sandbox.fixtures import COMPANY, PASSWORD, USER, seeded_systems
from infra.sandbox.server import serving

pytestmark = [pytest.mark.stack, pytest.mark.long]

ROOT = ministack.ROOT
PROGRAMS = Path(__file__).parent / "programs"
CHAPTERS = {
    "README.md": ("Deploy", "Onboard a tenant"),
    "docs/aws-first-run.md": None,
    "docs/operations.md": ("Who may do what",),
}
"""Where commands are taken from: chapters of a file, or all of it."""

NOT_HERE = {
    "curl ": "the emulator's own host name of the API is not resolved on every machine; see test_stack_kills.py",
    "aws lambda get-account-settings": "the emulator has no account with a quota",
    "aws iam simulate-principal-policy": "see test_stack_roles.py, which makes the calls themselves",
    "aws ce ": "the emulator costs nothing",
}
"""Commands, by how they begin, that cannot be run here, and why."""


def chapter(text, title):
    return re.split(r"^## ", text.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def commands():
    """Every command of the documents' chapters, with the lines that it goes on over."""
    for file, titles in CHAPTERS.items():
        text = (ROOT / file).read_text("utf-8")
        for part in [text] if titles is None else [chapter(text, title) for title in titles]:
            for block in re.findall(r"^```console\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
                yield from re.findall(r"^\$ ((?:.*\\\n)*.*)", block, re.MULTILINE)


def is_here(command):
    return not command.startswith(tuple(NOT_HERE))


def test_what_is_not_run_here_is_in_the_documents_and_few():
    for beginning in NOT_HERE:
        assert any(c.startswith(beginning) for c in commands()), beginning
    assert len(NOT_HERE) <= 4


def test_every_file_that_deploys_is_looked_at():
    """A command of AWS or of sam in another document would be run by nobody."""
    for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        named = str(file.relative_to(ROOT))
        lines = re.findall(r"^\$ ((?:aws|sam|make deploy|make layer)\b.*)", file.read_text("utf-8"), re.MULTILINE)
        assert all(any(one.startswith(line) for one in commands()) for line in lines), (named, lines)


class Desk:
    """A customer's checkout and shell, with the local stack for AWS."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self._copy()
        programs = folder / "programs"
        programs.mkdir()
        self._program(programs / "aws", f'exec {sys.executable} -I {PROGRAMS / "aws.py"} "$@"')
        self._program(
            programs / "ml-connector", f'exec {sys.executable} -c "from infra.ops.main import main; main()" "$@"'
        )
        make = shutil.which("make")
        self._program(programs / "make", f'exec {make} -o layer -o .venv-sam/.ready "$@"')
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": stack.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": ministack.REGION,
            "AWS_REGION": ministack.REGION,
            "SAM_CLI_TELEMETRY": "0",
            "ML_ALLOW_INSECURE": "true",
            "PYTHONPATH": f"{ROOT / 'layers/connector'}:{ROOT}",
        }

    def _copy(self):
        for name in ("template.yaml", "samconfig.toml", "Makefile"):
            shutil.copy(ROOT / name, self.folder)
        shutil.copytree(ROOT / "functions", self.folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ministack.LOCAL_LAYER, self.folder / ".build" / "layer")
        (self.folder / ".venv-sam").symlink_to(ROOT / ".venv-sam")

    @staticmethod
    def _program(path, body):
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, script, answers=""):
        """Run lines of bash; their exit code and everything that they said."""
        ran = subprocess.run(
            ["bash", "-c", script],
            check=False,
            cwd=self.folder,
            env=self.environment,
            input=answers,
            capture_output=True,
            text=True,
        )
        return ran.returncode, ran.stdout + ran.stderr

    def deploy(self, command):
        """Deploy, and say yes to the question that samconfig.toml wants asked."""
        code, said = self.run(command, "y\n")
        assert "Deploy this changeset?" in said, said
        assert code == 0, said

    def allow_http(self, name):
        """Change the one parameter that differs here, where the vendors speak http, without one more `sam deploy`."""
        formation = self.stack.client("cloudformation")
        given = formation.describe_stacks(StackName=name)["Stacks"][0]["Parameters"]
        kept = [{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in given]
        changed = {"ParameterKey": "AllowInsecureEndpoints", "ParameterValue": "true"}
        parameters = [one for one in kept if one["ParameterKey"] != changed["ParameterKey"]] + [changed]
        capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        formation.update_stack(
            StackName=name, UsePreviousTemplate=True, Parameters=parameters, Capabilities=capabilities
        )
        formation.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})

    def outputs(self, name):
        described = self.stack.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        assert described["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        return {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    if not (ROOT / ".venv-sam/bin/sam").exists():
        pytest.skip("The SAM command line is not installed here: `make .venv-sam/.ready`.")
    layer.refresh(ministack.LOCAL_LAYER)
    with ExitStack() as stack:
        world = seeded_systems()
        erp_url = stack.enter_context(serving(sap_b1.create_app(world.erp)))
        ap_url = stack.enter_context(serving(basware.create_app(world.ap)))
        made = Desk(
            tmp_path_factory.mktemp("checkout"), stack.enter_context(ministack.start(tmp_path_factory.mktemp("aws")))
        )
        secrets = made.folder / "secrets" / "acme"
        secrets.mkdir(parents=True)
        (secrets / "sap_b1.json").write_text(
            json.dumps(
                {
                    "service_layer_url": f"{erp_url}/b1s/v2",
                    "company_db": COMPANY,
                    "user_name": USER,
                    "password": PASSWORD,
                    "timezone": "Europe/Berlin",
                }
            )
        )
        (secrets / "basware.json").write_text(
            json.dumps(
                {
                    "region": "EU",
                    "client_id": "sandbox-client",
                    "client_secret": "sandbox-secret",
                    "companies": ["1000"],
                    "source_system": "SAPB1",
                    "base_url": ap_url,
                }
            )
        )
        (secrets / "settings.json").write_text(json.dumps({"shadow": True}))
        yield made


@pytest.fixture(scope="module")
def both(desk):
    """The outputs of two stacks beside each other: the README's commands as they stand, and its second stack."""
    told = [one for one in commands() if one.startswith("make deploy")]
    assert len(told) == 2
    for command in told:
        desk.deploy(command)
    desk.allow_http("ml-connector")
    assert "ARGS='--config-env staging'" in (ROOT / "README.md").read_text("utf-8")
    desk.deploy("make deploy ARGS='--config-env staging'")
    desk.stack.client("iam").create_role(RoleName="accounting-it", AssumeRolePolicyDocument='{"Statement": []}')
    return desk.outputs("ml-connector"), desk.outputs("ml-connector-staging")


def test_two_stacks_stand_beside_each_other_and_share_nothing(desk, both):
    default, staging = both
    assert default.keys() == staging.keys()
    assert not set(default.values()) & set(staging.values())
    assert (default["SecretPrefix"], staging["SecretPrefix"]) == ("ml-connector", "ml-connector-staging")
    for name, stage in (("ml-connector", "prod"), ("ml-connector-staging", "staging")):
        client = desk.stack.client("lambda")
        variables = client.get_function_configuration(FunctionName=f"{name}-write")["Environment"]["Variables"]
        assert (variables["ML_STACK"], variables["ML_STAGE"]) == (name, stage)
        answer = client.invoke(FunctionName=f"{name}-maintain", Payload=b"{}")
        assert json.load(answer["Payload"]) == {"notified": 0}, "the code and the layer that sam uploaded do not run"


def test_every_command_of_the_documents_runs(desk, both):
    """One shell for all of them, in their order: what one command names, a later one may use."""
    here = [one for one in commands() if is_here(one) and not one.startswith("make deploy")]
    assert len(here) > 25
    script = "\n".join(f'{one}\necho "@@ {number} $?"' for number, one in enumerate(here))
    _, said = desk.run(f"exec 2>&1\n{script}")
    codes = {int(number): code for number, code in re.findall(r"^.*@@ (\d+) (\d+)$", said, re.MULTILINE)}
    failed = [(here[number], code) for number, code in codes.items() if code != "0"]
    assert len(codes) == len(here), said
    assert not failed, said
    answers = re.findall(r'^(null|"\w+")\n@@', said, re.MULTILINE)
    wanted = ["null", '"DuplicateItem"', "null", '"ConditionalCheckFailed"']
    assert wanted == [one for one in answers if one in wanted], "the forms of PartiQL that we use"
    assert '{"notified": 0}' in said
    assert '{"runs": 0}' in said
