from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ml_connector.embedded.lock import StateLock
from ml_connector.errors import Misconfigured

HOLDER = """
import sys
from ml_connector.embedded.lock import StateLock
StateLock(sys.argv[1]).acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock of `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_engine_is_told_who_holds_the_state(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(Misconfigured, match=f"Process {holder.pid} already works with the state in {tmp_path}"):
        StateLock(tmp_path).acquire()


def test_the_lock_of_a_killed_engine_is_free(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with StateLock(tmp_path):
        pass


def test_a_lock_is_given_back_and_taken_again(tmp_path: Path) -> None:
    lock = StateLock(tmp_path / "new" / "state")
    for _ in range(2):
        with lock, pytest.raises(Misconfigured, match="already works"):
            StateLock(tmp_path / "new" / "state").acquire()
    lock.release()


def test_one_object_takes_its_lock_once(tmp_path: Path) -> None:
    with StateLock(tmp_path) as lock, pytest.raises(RuntimeError, match="held already"):
        lock.acquire()


def test_a_second_state_folder_is_warned_of_and_not_suggested(tmp_path: Path) -> None:
    with StateLock(tmp_path), pytest.raises(Misconfigured) as caught, StateLock(tmp_path):
        pass
    assert "Do not start a second run with another state folder" in str(caught.value)
    assert "posted twice" in str(caught.value) and "of its own" not in str(caught.value)
