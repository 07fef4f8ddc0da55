"""AWS on this machine: a thin boundary around ministack (start, deploy, stop, address).

`docs/local-stack.md` says what was found out about it. It listens on 127.0.0.1 only, has an environment of its own
(`.venv-ministack`), and runs functions in another (`.venv-lambda`: this interpreter and boto3, as Lambda has it).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from .package import load_template, package

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
LAYER = Path(".build/layer")  # as the template names it
LOCAL_LAYER = ROOT / ".build" / "layer-local"  # the same packages, with this interpreter's wheels

_READY_WITHIN = 30.0
_STOP_WITHIN = 10.0
_ARTIFACTS = "artifacts"
_SCRATCH = "tmp"


class StackError(RuntimeError):
    """The local stack did not start or did not deploy; the text says why and where its log is."""


@dataclass
class Stack:
    """A running ministack. `stop()` it: it is a process of its own."""

    endpoint_url: str
    process: subprocess.Popen[bytes]
    log: Path
    outputs: dict[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A boto3 client of this stack."""
        return boto3.client(  # type: ignore[call-overload] # the stubs know literal names only
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - ministack asks for none
            config=Config(retries={"max_attempts": 2}, max_pool_connections=20),
        )

    def deploy(
        self,
        template_path: Path,
        parameters: Mapping[str, str] | None = None,
        *,
        name: str = "ml-connector",
        layer: Path = LOCAL_LAYER,
    ) -> dict[str, str]:
        """Deploy a SAM template and return its outputs. Raises `StackError` with the resources that failed."""
        body = package(load_template(template_path), template_path.parent, {LAYER: layer}, self._upload)
        # CloudFormation takes a longer template from S3 only.
        url = self._upload(f"{name}.json", body.encode()).replace("s3://", f"{self.endpoint_url}/")
        formation = self.client("cloudformation")
        formation.create_stack(
            StackName=name,
            TemplateURL=url,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in (parameters or {}).items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        self.outputs = self._settled(formation, name)
        return self.outputs

    def api_url(self, api_id: str) -> str:
        """Where an HTTP API answers. Its own output names a host that not every machine resolves."""
        return f"{self.endpoint_url}/_aws/execute-api/{api_id}/$default"

    def workers(self) -> dict[int, str]:
        """Processes that run functions now: process id and function name. A test may kill them."""
        listing = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="],  # noqa: S607 - wherever it stands
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        rows = (line.split(None, 2) for line in listing.splitlines())
        return {
            int(row[0]): row[2].split("ministack-lambda-")[1].split("/")[0].rsplit("-", 1)[0]
            for row in rows
            if len(row) == 3 and int(row[1]) == self.process.pid and "ministack-lambda-" in row[2]
        }

    def stop(self) -> None:
        """End it by its process id; functions that are running end with it. Only its log stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(_STOP_WITHIN)
        if self.process.stdin:
            self.process.stdin.close()
        shutil.rmtree(self.log.parent / _SCRATCH, ignore_errors=True)  # code and layers were unpacked there

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _upload(self, key: str, body: bytes) -> str:
        storage = self.client("s3")
        storage.create_bucket(Bucket=_ARTIFACTS)
        storage.put_object(Bucket=_ARTIFACTS, Key=key, Body=body)
        return f"s3://{_ARTIFACTS}/{key}"

    def _settled(self, formation: Any, name: str) -> dict[str, str]:
        while (stack := formation.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith("_IN_PROGRESS"):
            time.sleep(0.1)
        if stack["StackStatus"] != "CREATE_COMPLETE":
            events = formation.describe_stack_events(StackName=name)["StackEvents"]
            failed = [
                f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', 'no reason given')}"
                for e in events
                if e["ResourceStatus"].endswith("_FAILED")
            ]
            reason = "\n".join(failed) or stack.get("StackStatusReason", "")
            raise StackError(f"{name} is {stack['StackStatus']} (log: {self.log}):\n{reason}")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def start(state_dir: Path, port: int = 0) -> Stack:
    """Start ministack on 127.0.0.1 and wait until it answers. `port` 0 takes a free one.

    `state_dir` holds its log and every file that it or a function writes.
    """
    temporary = state_dir.resolve() / _SCRATCH
    temporary.mkdir(parents=True, exist_ok=True)
    port = port or _free_port()
    log = state_dir.resolve() / "ministack.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            # -I: this folder must not stand on its path, where `ministack.py` would hide the package.
            [_python(".venv-ministack"), "-I", str(Path(__file__).with_name("launcher.py"))],
            env=_environment(temporary, port),
            stdin=subprocess.PIPE,  # never written to: it ends when this process does, and ministack with it
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    stack = Stack(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(stack)
    except BaseException:
        stack.stop()
        raise
    return stack


def _environment(temporary: Path, port: int) -> dict[str, str]:
    """Nothing of this process's environment but the path: functions inherit what ministack has."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "STATE_DIR": str(temporary / "state"),
        "S3_DATA_DIR": str(temporary / "s3"),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "AUTH": "true",  # a function may do what its role says, and nothing else
        "LAMBDA_PYTHON": _python(".venv-lambda"),
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
    }


def _python(environment: str) -> str:
    python = ROOT / environment / "bin" / "python"
    if not python.exists():
        raise StackError(f"{environment} is missing: run `make setup`")
    return str(python)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(stack: Stack) -> None:
    url = f"{stack.endpoint_url}/_ministack/ready"
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        if stack.process.poll() is not None:
            raise StackError(f"ministack ended immediately with {stack.process.returncode}; its log is {stack.log}")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise StackError(f"ministack was not ready within {_READY_WITHIN:.0f} s; its log is {stack.log}")
