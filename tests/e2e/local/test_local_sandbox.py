"""`sandbox`: whoever has no system of their own starts simulated ones, and the commands that it prints work."""

import json
import random
import shlex
import signal
import socket
import stat
import subprocess
import sys
from contextlib import contextmanager, suppress

import httpx
import pytest
from typer.testing import CliRunner

from infra.ops.main import app
from tests import program
from tests.program import Program

PROGRAM = [sys.executable, "-c", "from infra.ops.main import main; main()"]


@contextmanager
def sandbox(*words):
    """Start the command; gives what it printed, and checks that Ctrl-C ends it well."""
    with Program("sandbox", *words) as process:
        said = []
        while not said or not said[-1].startswith("Ctrl-C"):
            line = process.stdout.readline()
            assert line, process.communicate()
            said.append(line.rstrip("\n"))
        yield said
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.long
@pytest.mark.parametrize("system", ["sap_b1", "sage_300"])
def test_every_command_that_it_prints_works_as_pasted(tmp_path, system):
    folder = tmp_path / "my sandbox"
    with sandbox("--secrets", str(folder), "--system", system) as said:
        files = sorted(folder.rglob("*.json"))
        assert [f.name for f in files] == sorted(["basware.json", f"{system}.json"])
        assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
        commands = [shlex.split(line) for line in said if line.startswith("  ml-connector ")]
        assert [c[1] for c in commands] == ["ping", "local", "local", "held", "mappings", "local"]
        outputs = []
        for command in commands:
            # One that has imported nothing before: what a command needs, it imports.
            ran = subprocess.run([*PROGRAM, *command[1:]], capture_output=True, text=True, cwd=tmp_path, check=False)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            outputs.append(ran.stdout)
    assert "account:6999" in outputs[3]
    assert "1 record on hold will be retried in the next run" in outputs[4]
    assert "Everything reconciles." in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.long
def test_with_avidxchange_invoices_are_submitted_once(tmp_path):
    folder = tmp_path / "s"
    with sandbox("--secrets", str(folder), "--system", "sage_x3", "--platform", "avidxchange") as said:
        assert [f.name for f in sorted(folder.rglob("*.json"))] == ["avidxchange.json", "sage_x3.json"]
        assert said[1].startswith("AvidXchange is simulated at http://127.0.0.1:")
        for command in [shlex.split(line) for line in said if line.startswith("  ml-connector ")]:
            ran = subprocess.run([*PROGRAM, *command[1:]], capture_output=True, text=True, cwd=tmp_path, check=False)
            assert ran.returncode == 0, ran.stdout + ran.stderr
        url = json.loads((folder / "acme-avid" / "avidxchange.json").read_text())["base_url"]
        ours = submitted(url)
        assert len(ours) == len(set(ours)) > 30
        again = [*PROGRAM, "local", "run", "--secrets", str(folder)]
        ran = subprocess.run(again, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert (ran.returncode, submitted(url)) == (0, ours), ran.stdout + ran.stderr
    assert "a simulated tenant has one ERP and one platform" in told(
        "--secrets", str(folder), "--system", "sage_x3", "--tenant", "acme-avid"
    )
    assert "sap_b1 is not simulated with 'avidxchange'" in told("--platform", "avidxchange")


def submitted(url):
    """List the invoices that the simulated AvidXchange has of ours: supplier and number."""
    state = httpx.get(f"{url}/_sandbox/state", trust_env=False).json()
    return sorted((one["vendor"], one["number"]) for one in state["invoices"] if not one["captured"])


def told(*words):
    """Give what a sandbox says that does not begin."""
    ran = subprocess.run([*PROGRAM, "sandbox", *words], capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    return " ".join((ran.stdout + ran.stderr).split())


def test_at_ports_and_for_a_tenant_of_ones_own(tmp_path, unused_port):
    words = ("--secrets", str(tmp_path / "s"), "--port", str(unused_port), "--tenant", "beta")
    with sandbox(*words) as said:
        secret = json.loads((tmp_path / "s" / "beta" / "basware.json").read_text())
        assert secret["base_url"] == f"http://127.0.0.1:{unused_port + 1}"
    assert said[0] == f"SAP Business One is simulated at http://127.0.0.1:{unused_port}"


@pytest.fixture
def unused_port():
    """Find two ports side by side, below those that the system hands out to everybody."""
    for port in random.sample(range(20_000, 30_000), 50):
        with socket.socket() as first, socket.socket() as second, suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port
    raise RuntimeError("no two ports are free")


def test_secrets_of_real_systems_are_never_overwritten(tmp_path):
    real = tmp_path / "acme" / "sap_b1.json"
    real.parent.mkdir()
    real.write_text('{"service_layer_url": "https://sap.example.com:50000/b1s/v2"}')
    result = CliRunner().invoke(app, ["sandbox", "--secrets", str(tmp_path)])
    assert result.exit_code == 2
    assert "is not overwritten" in result.stderr
    assert real.read_text() == '{"service_layer_url": "https://sap.example.com:50000/b1s/v2"}'
    assert not (tmp_path / "acme" / "basware.json").exists()


def refused(*words):
    result = CliRunner().invoke(app, ["sandbox", *words])
    assert result.exit_code == 2
    return result.stderr


def test_two_stand_side_by_side_in_one_folder_and_none_takes_anothers_place(tmp_path):
    folder = tmp_path / "s"
    with sandbox("--secrets", str(folder)), sandbox("--secrets", str(folder), "--system", "sage_300"):
        ran = program.run("local", "run", "--dry-run", "--secrets", str(folder), timeout=240)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "acme  sap_b1-basware" in ran.stdout and "acme-sage  sage_300-basware" in ran.stdout
        before = (folder / "acme" / "basware.json").read_text()
        assert "are being simulated already, with Basware at http://127.0.0.1:" in refused("--secrets", str(folder))
        said = refused("--secrets", str(folder), "--system", "sage_300", "--tenant", "acme")
        assert "has sap_b1 already, and a simulated tenant has one ERP" in said
        assert (folder / "acme" / "basware.json").read_text() == before


def test_where_another_one_has_ended_a_new_one_is_refused_and_both_can_be_started_again(tmp_path):
    folder = tmp_path / "s"
    with sandbox("--secrets", str(folder)):
        pass
    said = refused("--secrets", str(folder), "--system", "sage_300")
    assert "The simulated vendors of the tenant acme" in said and f"delete {folder / 'acme'}, or start" in said
    assert not (folder / "acme-sage").exists()
    with sandbox("--secrets", str(folder)), sandbox("--secrets", str(folder), "--system", "sage_300"):
        pass
    with sandbox("--secrets", str(folder)) as said:  # neither must wait for the other to be started first
        assert said[0].startswith("! The simulated vendors of the tenant acme-sage")
        with sandbox("--secrets", str(folder), "--system", "sage_300") as other:
            assert other[0].startswith("Sage 300 is simulated at")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--system", "sap_b2"], "did you mean 'sap_b1'?"),
        (["--tenant", "Acme GmbH"], "cannot be the name of a tenant"),
    ],
)
def test_wrong_names_are_wrong_use(tmp_path, words, said):
    result = CliRunner().invoke(app, ["sandbox", "--secrets", str(tmp_path / "s"), *words])
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "s").exists()
