"""Starts ministack so that functions run in an environment of their own.

Run by the interpreter of `.venv-ministack`, never imported. ministack runs Python functions on its own interpreter
and therefore with its own packages, which hides a package that is missing from the layer. Lambda gives a function
the standard library, boto3, its layers and its code: `LAMBDA_PYTHON` names an interpreter that has just that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

from ministack import app  # type: ignore[import-not-found, unused-ignore]
from ministack.core import lambda_runtime  # type: ignore[import-not-found, unused-ignore]

Detect = Callable[[str], tuple[str, str]]


def on_interpreter(detect: Detect, python: str) -> Detect:
    """`detect` (runtime -> binary, worker script) with `python` as the binary of every Python runtime."""

    def detected(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (python if runtime.startswith("python") else binary), script

    return detected


def end_with_parent() -> None:
    """End when standard input does: the process that holds its other end has gone, however it went."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # The one private name that we replace; an AttributeError here means that ministack was upgraded.
    lambda_runtime._detect_runtime_binary = on_interpreter(
        lambda_runtime._detect_runtime_binary, os.environ["LAMBDA_PYTHON"]
    )
    threading.Thread(target=end_with_parent, daemon=True).start()
    app.main()
