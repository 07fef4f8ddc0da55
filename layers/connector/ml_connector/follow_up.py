"""What an adapter may offer beside `flow`'s protocols, for documents that are followed after they were delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ml_connector.flow import ListedDocument, Prepared


@runtime_checkable
class AskedSource(Protocol):
    """A source that may also be asked for some documents by the target's ids of ours; None where it only lists."""

    def asked(self, ids: Sequence[str]) -> list[ListedDocument] | None:
        """Tell how these stand; one that it does not know is left out."""


@runtime_checkable
class UpdatingTarget(Protocol):
    """A target that may take a later version of what it was sent."""

    def update(self, target: str, prepared: Prepared) -> bool:
        """Overwrite a document of ours, which may be repeated; False where the target takes no changes.

        Raises what `DocumentTarget.send` does, but for `OutcomeUnknown`.
        """
