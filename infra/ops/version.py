"""What `--version` says: the version, and in a checkout also its commit and whether files were changed since."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ml_connector import __version__

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, where this runs from one."""
_SECONDS = 5.0
_DIRTY = "-dirty"


def version(root: Path = ROOT) -> str:
    """Give `0.1.0`, in a checkout `0.1.0 (commit 1a2b3c4d, with local changes)`.

    An installed package is no checkout, also where its environment lies inside somebody's repository. Where git is
    missing or refuses (a folder of another owner) the version stands alone.
    """
    commit = _described(root) if (root / ".git").exists() and (root / "pyproject.toml").is_file() else ""
    if not commit:
        return __version__
    changed = ", with local changes" if commit.endswith(_DIRTY) else ""
    return f"{__version__} (commit {commit.removesuffix(_DIRTY)}{changed})"


def _described(root: Path) -> str:
    # A git hook names its own repository in the environment. Without optional locks nothing is written.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--abbrev=8", f"--dirty={_DIRTY}"]
    try:
        told = subprocess.run(  # noqa: S603 - our own arguments
            command,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""
