from __future__ import annotations

from pathlib import Path

import pytest

from ml_connector.embedded.secrets import FolderSecrets, MemorySecrets
from ml_connector.errors import Misconfigured


def write(path: Path, content: bytes = b"{}") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_what_cannot_be_used_is_listed_and_explained_and_stops_nobody_else(tmp_path: Path) -> None:
    write(tmp_path / "acme" / "basware.json", b'{"a": 1}')
    write(tmp_path / "Bad Name" / "basware.json")
    write(tmp_path / "beta" / "sap b1.json")
    write(tmp_path / "gamma" / "basware.json", b"\xff\xfe{}")
    (tmp_path / "delta" / "basware.json").mkdir(parents=True)
    secrets = FolderSecrets(tmp_path)
    assert secrets.names() == [
        ("Bad Name", "basware"),
        ("acme", "basware"),
        ("beta", "sap b1"),
        ("delta", "basware"),
        ("gamma", "basware"),
    ]
    assert secrets.read("acme", "basware").text == '{"a": 1}'
    for tenant, system in secrets.names():
        if tenant != "acme":
            with pytest.raises(
                Misconfigured, match=f"{tenant} cannot be" if tenant == "Bad Name" else f"{tenant}/{system}.json"
            ):
                secrets.read(tenant, system)


def test_the_state_and_other_files_are_no_secrets(tmp_path: Path) -> None:
    write(tmp_path / ".state" / "rows.json")
    write(tmp_path / "README.md")
    write(tmp_path / "acme" / "notes.txt")
    write(tmp_path / "acme" / ".basware.json")
    write(tmp_path / "acme" / "basware.json~")
    assert FolderSecrets(tmp_path).names() == []


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="missing cannot be listed: No such file or directory"):
        FolderSecrets(tmp_path / "missing").names()


def test_a_byte_order_mark_is_no_part_of_a_secret(tmp_path: Path) -> None:
    write(tmp_path / "acme" / "basware.json", b"\xef\xbb\xbf{}")
    assert FolderSecrets(tmp_path).read("acme", "basware").text == "{}"


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "acme" / "basware.json"
    secrets = FolderSecrets(tmp_path)
    versions = []
    for content in (b'{"a": 1}', b'{"a": 2}', b'{"a": 1}'):
        write(path, content)
        versions.append(secrets.read("acme", "basware").version)
    assert versions[0] == versions[2] != versions[1]
    assert versions[0] == MemorySecrets({("acme", "basware"): '{"a": 1}'}).read("acme", "basware").version


def test_the_content_of_a_broken_file_is_not_told(tmp_path: Path) -> None:
    write(tmp_path / "acme" / "basware.json", b'{"password": "geheim"}\xff')
    with pytest.raises(Misconfigured) as caught:
        FolderSecrets(tmp_path).read("acme", "basware")
    assert "geheim" not in str(caught.value)
    assert caught.value.__suppress_context__
