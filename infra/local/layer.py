"""Builds the layer's folder: third-party packages as pinned, and `ml_connector`.

`python -m infra.local.layer .build/layer` takes wheels for Lambda (Linux arm64, Python 3.13);
with `--local` this interpreter's, for the local stack.
"""

from __future__ import annotations

import argparse
import compileall
import filecmp
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "layer.txt"
PACKAGE = ROOT / "layers" / "connector" / "ml_connector"
BUDGET_MB = 40
_LAMBDA = ["--platform=manylinux2014_aarch64", "--python-version=3.13", "--implementation=cp"]


def build(target: Path, *, local: bool) -> None:
    """Bring `target` up to date; packages are installed only when the pinned list has changed."""
    packages = target / "python"
    _install(packages, target.with_suffix(".lock"), [] if local else _LAMBDA)
    shutil.rmtree(packages / PACKAGE.name, ignore_errors=True)
    shutil.copytree(PACKAGE, packages / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    if local:
        _compile(packages)


def refresh(target: Path) -> None:
    """Build a local layer anew where it is missing, or holds another state of the package than this."""
    if not _same(PACKAGE, target / "python" / PACKAGE.name):
        target.parent.mkdir(parents=True, exist_ok=True)
        build(target, local=True)


def _same(source: Path, copy: Path) -> bool:
    """Tell whether a folder holds the same modules, byte for byte."""
    ours, theirs = _modules(source), _modules(copy)
    return ours.keys() == theirs.keys() and all(filecmp.cmp(f, theirs[n], shallow=False) for n, f in ours.items())


def _modules(folder: Path) -> dict[Path, Path]:
    return {file.relative_to(folder): file for file in folder.rglob("*.py")}


def size_mb(target: Path) -> float:
    """Megabytes that the layer takes once unpacked."""
    return sum(file.stat().st_size for file in target.rglob("*") if file.is_file()) / 1e6


def _install(packages: Path, lock: Path, platform: list[str]) -> None:
    wanted = f"{sys.version}\n{REQUIREMENTS.read_text('utf-8')}"
    if packages.is_dir() and lock.is_file() and lock.read_text("utf-8") == wanted:
        return
    shutil.rmtree(packages, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", f"--requirement={REQUIREMENTS}"]
    subprocess.run([*command, f"--target={packages}", *platform], check=True)  # noqa: S603 - our own arguments
    shutil.rmtree(packages / "bin", ignore_errors=True)  # console scripts: a function has no console
    lock.write_text(wanted, "utf-8")


def _compile(packages: Path) -> None:
    # Each local worker unpacks the layer anew, with new file times: only bytecode that is not checked against them
    # is used, and without any a cold start compiles everything.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(packages, quiet=2, invalidation_mode=mode, stripdir=str(packages))


def main() -> None:
    """Build, and fail when the deployed layer outgrows its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--local", action="store_true")
    arguments = parser.parse_args()
    arguments.target.parent.mkdir(parents=True, exist_ok=True)
    build(arguments.target, local=arguments.local)
    size = size_mb(arguments.target)
    print(f"{arguments.target}: {size:.1f} MB")
    if not arguments.local and size > BUDGET_MB:
        sys.exit(f"The layer is over its budget of {BUDGET_MB} MB.")


if __name__ == "__main__":
    main()
