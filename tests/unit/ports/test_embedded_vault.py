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
def test_a_broken_key_is_explained_and_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(Misconfigured, match="is not a key of 32 bytes"):
        FileVault(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == content


def test_another_key_does_not_open() -> None:
    with pytest.raises(ValueError, match="under another key"):
        MemoryVault().open(MemoryVault().seal(b"plain", "c"), "c")
