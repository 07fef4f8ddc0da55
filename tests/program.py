"""The command line as processes of their own, forked from one that has imported it already.

Importing is most of what a short command costs, and the tests start hundreds of them. What runs is a whole process all
the same: it can be killed, gets signals, ends as an interpreter does, and shares nothing with the one before it.
"""

from __future__ import annotations

import array
import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import typer.main

PRELOADED = ("ml_connector", "infra.ops", "infra.local")
LEFT_OUT = {
    "ml_connector.aws",
    "infra.local.stack_run",
    "infra.local.ministack",
    "infra.local.layer",
    "infra.local.launcher",
    "infra.local.demo",
    "infra.ops.stack",
}
"""AWS's client costs as much as all the rest, and few commands need it."""
_ASK = 1 << 16
_asking = Lock()


class Program:
    """One command under way, with the methods of `subprocess.Popen` that tests use. `stdin` is empty."""

    def __init__(self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        """Start it."""
        self.args, self.returncode = args, None
        (out, said), (err, wailed), (self._status, told) = os.pipe(), os.pipe(), os.pipe()
        self.stdout, self.stderr = os.fdopen(out, encoding="utf-8"), os.fdopen(err, encoding="utf-8")
        asked = {"args": args, "env": dict(os.environ if env is None else env), "cwd": str(cwd or Path.cwd())}
        text = json.dumps(asked).encode()
        with _asking:
            socket.send_fds(_server(), [text + b"\n"], [said, wailed, told])
        for one in (said, wailed, told):
            os.close(one)
        self.pid = self._told(None)
        assert self.pid is not None

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.communicate()
        self.stdout.close()
        self.stderr.close()

    def poll(self) -> int | None:
        return self._end(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._end(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait until it has ended; gives what of its two outputs was not read before."""
        read = {self.stdout: "", self.stderr: ""}
        readers = [Thread(target=lambda one=one: read.update({one: one.read()}), daemon=True) for one in read]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
        return read[self.stdout], read[self.stderr]

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _end(self, timeout: float | None) -> int | None:
        if self.returncode is None and (code := self._told(timeout)) is not None:
            self.returncode = code
            os.close(self._status)
        return self.returncode

    def _told(self, timeout: float | None) -> int | None:
        """Read a number from the one that waits for the process: its id, and in the end how it ended."""
        if not select.select([self._status], [], [], timeout)[0]:
            return None
        (number,) = array.array("i", os.read(self._status, 4)) or (None,)
        assert number is not None, "whoever starts programs has gone"
        return number


def run(
    *args: str, timeout: float = 120, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; kills it, and raises `subprocess.TimeoutExpired`, after so many seconds."""
    with Program(*args, env=env, cwd=cwd) as program:
        out, err = program.communicate(timeout)
    return subprocess.CompletedProcess(list(args), program.wait(), out, err)


@cache
def _server() -> socket.socket:
    """Start the process that programs are forked from; it ends with this one."""
    ours, its = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-c", f"from tests.program import serve; serve({its.fileno()})"],
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
    )
    its.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def serve(descriptor: int) -> None:
    """Fork a program for each request until nobody is left to ask."""
    for package in PRELOADED:
        _import_all(package)
    line = importlib.import_module("infra.ops.main")
    line.app = typer.main.get_command(line.app)  # which reads every signature, and would each time
    gc.freeze()
    requests = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the waiting ones are nobody's to wait for
    while True:
        text, given, _, _ = socket.recv_fds(requests, _ASK, 3)
        while text and not text.endswith(b"\n"):
            text += requests.recv(_ASK)
        if not text:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            requests.close()
            _start(json.loads(text), *given)
            return
        for one in given:
            os.close(one)


def _start(asked: dict[str, Any], out: int, err: int, status: int) -> None:
    """Fork the program, and wait for it to tell how it ended; returns in the program only, which then runs."""
    pid = os.fork()
    if pid:
        os.close(out)
        os.close(err)
        os.write(status, array.array("i", [pid]).tobytes())
        _, how = os.waitpid(pid, 0)
        os.write(status, array.array("i", [os.waitstatus_to_exitcode(how)]).tobytes())
        os._exit(0)
    os.close(status)
    for given, wanted in ((out, 1), (err, 2)):
        os.dup2(given, wanted)
        os.close(given)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    sys.argv = ["ml-connector", *asked["args"]]
    importlib.import_module("infra.ops.main").main()


def _import_all(name: str) -> None:
    module = importlib.import_module(name)
    for _, inner, package in pkgutil.iter_modules(getattr(module, "__path__", []), f"{name}."):
        if inner not in LEFT_OUT:
            _import_all(inner) if package else importlib.import_module(inner)
