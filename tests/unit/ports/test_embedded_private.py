"""What rests on this machine is its owner's alone, whatever the umask says and whatever was there before."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.state import locked_state, open_state
from ml_connector.embedded import private
from ml_connector.embedded.blobs import FolderBlobs
from ml_connector.ports import Item


@pytest.fixture(params=[0o022, 0o000], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> set[str]:
    """Tell what anybody else may do below a folder: the names of what is open to others."""
    every = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)) for path in every if stat.S_IMODE(path.stat().st_mode) & 0o077}


def test_a_state_closes_a_folder_that_stood_open(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for name in ("", "audit", "audit/acme", ".drafts"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "vault.key").write_bytes(b"k" * 32)
    for name in ("state.sqlite", "lock", "audit/.drafts"):
        (state / name).mkdir() if name.endswith("drafts") else (state / name).touch()
    with locked_state(tmp_path, state) as opened:
        opened.runtime.store.put(Item("p", "s"))
        opened.runtime.blobs.put("audit/acme/sap_b1-basware/invoices/2026-01-01/x/1.json.gz", b"x")
        opened.vault.seal(b"x", "c")
        assert modes(state) - {".drafts", "audit/acme"} == set()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_state_that_is_made_is_closed_from_the_first_moment(tmp_path: Path) -> None:
    opened = open_state(tmp_path, tmp_path / "new" / "state")
    opened.runtime.store.put(Item("p", "s"))
    opened.runtime.blobs.put("audit/a/b", b"x")
    assert modes(tmp_path / "new" / "state") == set()


def test_objects_close_the_folders_on_their_way(tmp_path: Path) -> None:
    (tmp_path / "audit" / "a" / "b").mkdir(parents=True)
    FolderBlobs(tmp_path / "audit").put("a/b/c/d", b"x")
    assert modes(tmp_path / "audit") == set()


def test_a_file_that_stood_open_is_closed_when_it_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"a long report of before")
    path.chmod(0o644)
    private.write(path, b"new")
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_belongs_to_everybody_is_left_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    private.folder(shared)
    private.write(Path(os.devnull), b"x")
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert stat.S_IMODE(Path(os.devnull).stat().st_mode) == 0o666
