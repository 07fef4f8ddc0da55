"""Builds the layer's folder: third-party packages as pinned, and `ml_connector`, compiled.

`python -m infra.local.layer .build/layer` takes wheels for Lambda (Linux arm64, Python 3.13);
with `--local` this interpreter's, for the local stack. Both leave out the same, so that what runs locally is what is
deployed.
"""

from __future__ import annotations

import argparse
import fcntl
import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "layer.txt"
PACKAGE = ROOT / "layers" / "connector" / "ml_connector"
BUDGET_MB = 40
RUNTIME = "3.13"
"""The Python that Lambda runs, as template.yaml names it: bytecode of another one is ignored there."""

LEFT_OUT = (
    "bin",  # console scripts: a function has no console
    "cffi",  # cryptography needs _cffi_backend; this part compiles C at somebody's desk
    "pycparser",  # only for cffi
    "pydantic/v1",  # the interface of the year before last: no code here speaks it
    "pydantic/mypy.py",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js",  # a web page for APIs
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css",
    "**/*.pyi",  # for type checkers
    "*.dist-info/sboms",
    "*/tests",
)
"""What no function can reach, as patterns below `python/`. Licences stay, and versions (METADATA)."""

_LAMBDA = ["--platform=manylinux2014_aarch64", f"--python-version={RUNTIME}", "--implementation=cp"]
_NO_RUNTIME = f"""The deployed layer is compiled for Python {RUNTIME}, what Lambda runs, and none was found here.
Install it, or name it: make layer PYTHON_LAMBDA=/path/to/python{RUNTIME}"""
_COMPILE = """
import compileall, py_compile, sys
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
sys.exit(not compileall.compile_dir(sys.argv[1], quiet=2, force=True, invalidation_mode=mode, stripdir=sys.argv[1]))
"""


class NoRuntime(RuntimeError):
    """No interpreter of Lambda's version is on this machine; the text says what to do."""


def build(target: Path, *, local: bool, python: str = "") -> None:
    """Bring `target` up to date; packages are installed only when the pinned list has changed.

    `python` compiles the deployed layer, and is looked for where it is empty. Raises `NoRuntime`.
    """
    compiler = sys.executable if local else python or runtime()
    packages = target / "python"
    _install(packages, target.with_suffix(".lock"), [] if local else _LAMBDA)
    shutil.rmtree(packages / PACKAGE.name, ignore_errors=True)
    shutil.copytree(PACKAGE, packages / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    compile_all(packages, compiler)


def runtime() -> str:
    """Find an interpreter of Lambda's version: this one, on PATH, of pyenv or of uv. Raises `NoRuntime`."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local/share/uv/python"))
    kept = [*pyenv.glob(f"versions/{RUNTIME}*/bin/python3"), *uv.glob(f"cpython-{RUNTIME}*/bin/python3")]
    for python in [sys.executable, f"python{RUNTIME}", *sorted(map(str, kept))]:
        if _is_runtime(python):
            return python
    raise NoRuntime(_NO_RUNTIME)


def _is_runtime(python: str) -> bool:
    """Tell whether a program runs and is that Python: a shim on PATH may be there and fail."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    except OSError:
        return False
    return ran.returncode == 0 and ran.stdout.strip() == RUNTIME


def refresh(target: Path) -> None:
    """Build a local layer again where it is missing, or holds another state of the package than this.

    Of several processes that do so at once, one builds, and the others wait for it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".building").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # given back when the file is closed, however this process ends
        if not _same(PACKAGE, target / "python" / PACKAGE.name):
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
    wanted = f"{sys.version}\n{LEFT_OUT}\n{REQUIREMENTS.read_text('utf-8')}"
    if packages.is_dir() and lock.is_file() and lock.read_text("utf-8") == wanted:
        return
    shutil.rmtree(packages, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", f"--requirement={REQUIREMENTS}"]
    subprocess.run([*command, f"--target={packages}", *platform], check=True)  # noqa: S603 - our own arguments
    leave_out(packages)
    lock.write_text(wanted, "utf-8")


def leave_out(packages: Path) -> None:
    """Remove what no function can reach. Raises `FileNotFoundError` where a pattern fits nothing any more."""
    for pattern in LEFT_OUT:
        found = sorted(packages.glob(pattern))
        if not found:
            raise FileNotFoundError(f"Nothing in {packages} is named {pattern}: take it off LEFT_OUT in {__file__}.")
        for path in found:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def compile_all(packages: Path, python: str) -> None:
    """Write bytecode beside every module, for the version of `python`. Raises `CalledProcessError` where one fails.

    It is unpacked where functions run, with new file times and where nothing can be written: only bytecode that is not
    checked against them is used, and without any each cold start compiles everything.
    """
    subprocess.run([python, "-I", "-c", _COMPILE, str(packages)], check=True)  # noqa: S603 - our own arguments


def main() -> None:
    """Build, and fail when the layer outgrows its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--local", action="store_true")
    parser.add_argument("--python", default="", help=f"an interpreter of Python {RUNTIME}, which compiles the layer")
    arguments = parser.parse_args()
    if arguments.python and not _is_runtime(arguments.python):
        sys.exit(f"{arguments.python} is not Python {RUNTIME}, what Lambda runs: name another one.")
    arguments.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        build(arguments.target, local=arguments.local, python=arguments.python)
    except NoRuntime as error:
        sys.exit(str(error))
    size = size_mb(arguments.target)
    print(f"{arguments.target}: {size:.1f} MB")
    if size > BUDGET_MB:
        sys.exit(f"The layer is over its budget of {BUDGET_MB} MB.")


if __name__ == "__main__":
    main()
