from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from ml_connector.embedded.vault import FileVault, MemoryVault
from ml_connector.errors import Misconfigured


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    FileVault(tmp_path / "state" / "key")
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["key"]
    assert stat.S_IMODE((tmp_path / "state" / "key").stat().st_mode) == 0o600


def test_first_uses_at_once_make_one_key(tmp_path: Path) -> None:
    vaults: list[FileVault] = []
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        vaults.append(FileVault(tmp_path / "key"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = vaults[0].seal(b"plain", "c")
    assert [vault.open(sealed, "c") for vault in vaults] == [b"plain"] * 8
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_broken_key_is_set_aside_and_a_new_one_made(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o644)
    one, two = FileVault(tmp_path / "key"), FileVault(tmp_path / "key")
    assert two.open(one.seal(b"plain", "c"), "c") == b"plain" and one.key_name == two.key_name
    (aside,) = tmp_path.glob("key.damaged-*")
    assert aside.read_bytes() == content and "was kept as" in caplog.text
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_key_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(Misconfigured, match="cannot be read"):
        FileVault(tmp_path / "key")


def test_another_key_does_not_open() -> None:
    with pytest.raises(ValueError, match="under another key"):
        MemoryVault().open(MemoryVault().seal(b"plain", "c"), "c")
