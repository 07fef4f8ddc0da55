"""How the layer is put together: compiled for the Python that runs it, without what no function reaches."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local import layer

UNCHECKED = 1


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with what pip would bring: every part that is left out, and one that stays."""
    folder = tmp_path / "python"
    for pattern in layer.LEFT_OUT:
        path = folder / pattern.replace("**/*", "deep/thing/types").replace("*", "thing")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    (folder / "stays.py").write_text("def said():\n    return 1\n")
    return folder


def test_what_no_function_reaches_is_left_out_and_the_rest_stays(packages: Path) -> None:
    (packages / "thing.dist-info" / "licenses").mkdir()
    layer.leave_out(packages)
    assert [path.name for path in packages.rglob("*") if path.is_file()] == ["stays.py"]
    assert (packages / "thing.dist-info" / "licenses").is_dir()


def test_a_part_that_no_package_has_any_more_is_said(packages: Path) -> None:
    layer.leave_out(packages)
    with pytest.raises(FileNotFoundError, match="take it off LEFT_OUT"):
        layer.leave_out(packages)


def test_bytecode_is_taken_whenever_its_source_was_unpacked_and_names_no_folder_of_the_builder(packages: Path) -> None:
    layer.compile_all(packages, sys.executable)
    made = Path(importlib.util.cache_from_source(str(packages / "stays.py"))).read_bytes()
    assert made[:8] == importlib.util.MAGIC_NUMBER + UNCHECKED.to_bytes(4, "little")
    assert str(packages).encode() not in made
    (packages / "stays.py").write_text("def said():\n    return 2\n")  # as another time would have it
    code = "import stays; print(stays.said())"
    ran = subprocess.run([sys.executable, "-c", code], cwd=packages, capture_output=True, text=True, check=True)
    assert ran.stdout == "1\n"


def test_a_module_that_does_not_compile_ends_the_build(packages: Path) -> None:
    (packages / "broken.py").write_text("def (\n")
    with pytest.raises(subprocess.CalledProcessError):
        layer.compile_all(packages, sys.executable)


def test_a_shim_that_fails_is_not_taken_for_the_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def program(name: str, body: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    program(f"python{layer.RUNTIME}", "echo 'not found' >&2; exit 127")
    program("pyenv/versions/3.13.9/bin/python3", "echo 3.12")
    with pytest.raises(layer.NoRuntime, match="make layer PYTHON_LAMBDA="):
        layer.runtime()
    program("pyenv/versions/3.13.0/bin/python3", f"echo {layer.RUNTIME}")
    assert layer.runtime() == str(tmp_path / "pyenv/versions/3.13.0/bin/python3")


def test_of_several_processes_that_need_a_layer_one_builds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, built = tmp_path / "build" / "layer", []

    def build(_: Path, *, local: bool) -> None:
        built.append(local)
        time.sleep(0.05)  # long enough for the others to find nothing, were they to look
        shutil.copytree(layer.PACKAGE, target / "python" / layer.PACKAGE.name)

    monkeypatch.setattr(layer, "build", build)
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(layer.refresh, target) for _ in range(4)]:
            done.result()
    assert built == [True]
