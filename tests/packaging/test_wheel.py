"""The wheel: built without network, installed into an environment of its own, and used there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_connector import __version__

ROOT = Path(__file__).parents[2]
FOLDERS = {"ml_connector": "layers/connector/ml_connector", "ml_connector_cli": "infra"}
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def ran(*command: str | Path, where: Path) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing of this project on its path."""
    environment = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=where,
        env={**environment, "HOME": str(where), "PIP_CONFIG_FILE": os.devnull},
    )


def environment(folder: Path) -> Path:
    """Make an environment that finds this one's packages too, but none that is installed as editable."""
    venv.create(folder, with_pip=False)
    packages = next((folder / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return folder


def install(folder: Path, *what: str | Path) -> None:
    """Install without network, into another environment."""
    words = ["--python", folder / "bin" / "python", "install", "--quiet", "--no-index", "--no-deps"]
    done = ran(*PIP, *words, "--no-build-isolation", *what, where=folder)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is made from: building writes into the folder that it is given."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for folder in FOLDERS.values():
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", out, source]
    done = ran(*PIP, *words, where=out)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = environment(tmp_path_factory.mktemp("installed"))
    install(folder, wheel)
    return folder


def test_the_wheel_has_two_packages_and_none_is_anybodys(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"ml_connector", "ml_connector_cli", f"ml_connector-{__version__}.dist-info"}


@pytest.mark.parametrize("package", FOLDERS)
def test_every_file_of_the_source_is_in_the_wheel(wheel: Path, source: Path, package: str) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith(f"{package}/")}
    folder = source / FOLDERS[package]
    ours = {f"{package}/{file.relative_to(folder)}" for file in folder.rglob("*") if file.is_file()}
    assert packed == ours, "name a new package, or a new kind of data file, in pyproject.toml"


def test_an_installed_command_says_the_version_alone(installed: Path) -> None:
    told = ran(installed / "bin" / "ml-connector", "--version", where=installed)
    assert (told.returncode, told.stdout, told.stderr) == (0, f"ml-connector {__version__}\n", "")


def test_an_installed_command_helps(installed: Path) -> None:
    told = ran(installed / "bin" / "ml-connector", "--help", where=installed)
    assert told.returncode == 0
    for command in ("ping", "held", "mappings", "local", "sandbox", "demo"):
        assert re.search(rf"^  {command}\b", told.stdout, re.MULTILINE), command


def test_what_runs_is_what_was_installed(installed: Path) -> None:
    code = "import ml_connector, ml_connector_cli.ops.main, importlib.util as u; print(ml_connector.__file__); "
    told = ran(installed / "bin" / "python", "-c", f"{code}print(u.find_spec('infra'))", where=installed)
    where, infra = told.stdout.splitlines()
    assert where.startswith(str(installed))
    assert infra == "None"


@pytest.fixture
def secrets(installed: Path, tmp_path: Path) -> Iterator[Path]:
    """The secrets that lead to the simulated vendors of the installed package, which run meanwhile."""
    command = [str(installed / "bin" / "ml-connector"), "sandbox", "--secrets", str(tmp_path / "secrets")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env={"HOME": str(tmp_path)}) as it:
        assert it.stdout is not None
        try:
            while (line := it.stdout.readline()) and "Ctrl-C ends it" not in line:
                pass
            assert line, "the simulated vendors did not start"
            yield tmp_path / "secrets"
        finally:
            it.send_signal(signal.SIGINT)


def test_a_run_against_the_simulated_vendors_finds_its_data_files(installed: Path, secrets: Path) -> None:
    """Basware is simulated by the schemas that are packed beside its modules; the report has its page's style."""
    page = secrets.parent / "report.html"
    told = ran(
        installed / "bin" / "ml-connector", "local", "run", "--secrets", secrets, "--report", page, where=secrets.parent
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"invoices +\d+ read +[1-9]\d* delivered", told.stdout)
    assert "<style>" in page.read_text()


def test_what_needs_a_checkout_says_so_and_writes_nothing_among_packages(installed: Path) -> None:
    told = ran(installed / "bin" / "ml-connector", "demo", where=installed)
    assert told.returncode == 2
    assert "checkout" in told.stderr
    assert "Traceback" not in told.stderr
    assert not list(installed.rglob(".build"))


def test_an_editable_installation_runs_from_its_folders(source: Path, tmp_path: Path) -> None:
    folder = environment(tmp_path / "editable")
    install(folder, "--editable", source)
    told = ran(folder / "bin" / "ml-connector", "--version", where=folder)
    assert (told.returncode, told.stdout) == (0, f"ml-connector {__version__}\n")
    told = ran(folder / "bin" / "python", "-c", "import ml_connector_cli as m; print(m.__file__)", where=folder)
    assert told.stdout.strip() == str(source / "infra" / "__init__.py")
