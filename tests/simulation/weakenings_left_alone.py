"""Deliberate weakenings of what leaves alone that which stands at the platform (`catalogue.py` lists them)."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from ml_connector.engine.write import masters
from ml_connector.engine.write.hand_edits import HandEdits


def created_unseen() -> Any:
    """Send what is created once without looking whether it stands there already."""
    return patch.object(masters, "may_create", lambda *_: True)


def edited_over() -> Any:
    """Send records as they are in the ERP, without a look at what stands at the platform."""
    return patch.object(HandEdits, "prepared", lambda self, target, stage, batch: batch)
