"""Processes that tests start find this checkout as the tests themselves do (`pythonpath` in pyproject.toml)."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
_OURS = [str(ROOT / "layers" / "connector"), str(ROOT)]
_ELSE = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one and one not in _OURS]
os.environ["PYTHONPATH"] = os.pathsep.join([*_OURS, *_ELSE])
