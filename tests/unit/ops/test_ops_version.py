"""What `--version` says in a checkout, and that an installed package says the version alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infra.ops.version import version
from ml_connector import __version__


def git(*words: str, where: Path) -> str:
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(where)}
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    ran = subprocess.run(
        ["git", "-C", str(where), *who, *words],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], **settings},
    )
    return ran.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    git("init", "-q", where=tmp_path)
    git("add", ".", where=tmp_path)
    git("commit", "-qm", "Begin", where=tmp_path)
    git("tag", "-am", "x", "v9", where=tmp_path)  # a tag is no commit
    return tmp_path


def test_a_checkout_says_its_commit(checkout: Path) -> None:
    assert version(checkout) == f"{__version__} (commit {git('rev-parse', '--short=8', 'HEAD', where=checkout)})"


def test_a_changed_checkout_says_so(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text("[project]\nname='x'\n")
    assert version(checkout).endswith(", with local changes)")


def test_a_hook_of_another_repository_does_not_mislead(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(checkout / "elsewhere"))
    assert git("rev-parse", "--short=8", "HEAD", where=checkout) in version(checkout)


def test_an_installed_package_in_somebodys_repository_says_the_version_alone(checkout: Path) -> None:
    packages = checkout / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    assert version(packages) == __version__


def test_without_git_the_version_stands_alone(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert version(checkout) == __version__


def test_a_repository_without_a_commit_says_the_version_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    git("init", "-q", where=tmp_path)
    assert version(tmp_path) == __version__
