from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ml_connector.embedded.blobs import FolderBlobs
from ml_connector.errors import Misconfigured


def test_an_object_is_a_file_that_a_person_finds(tmp_path: Path) -> None:
    FolderBlobs(tmp_path).put("audit/acme/1.json.gz", b"x")
    assert (tmp_path / "audit" / "acme" / "1.json.gz").read_bytes() == b"x"


def test_drafts_are_no_objects(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put("a", b"x")
    (tmp_path / ".drafts" / "left-by-a-crash").write_bytes(b"half")
    assert list(blobs.keys("")) == ["a"]
    with pytest.raises(ValueError, match="cannot be the key"):
        blobs.get(".drafts/left-by-a-crash")


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put("a/b", b"x")
    with pytest.raises(Misconfigured, match="cannot be written"):
        blobs.put("a", b"y")
    assert list((tmp_path / ".drafts").iterdir()) == []
    assert blobs.get("a/b") == b"x"


def test_a_reader_never_sees_half_an_object(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    bodies = [bytes([n]) * 200_000 for n in range(4)]
    blobs.put("a", bodies[0])
    writers = [threading.Thread(target=lambda b=body: [blobs.put("a", b) for _ in range(20)]) for body in bodies]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert blobs.get("a") in bodies


def test_an_absent_folder_has_no_keys(tmp_path: Path) -> None:
    assert list(FolderBlobs(tmp_path / "none").keys("a/b")) == []
