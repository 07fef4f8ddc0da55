"""What an adapter offers that takes records in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from ml_connector.flow import Codes, Rendered, Sent, Verdict
from ml_connector.records import Record

R_contra = TypeVar("R_contra", bound=Record, contravariant=True)


class MasterTarget(Protocol[R_contra]):
    """Takes records in bulk, in one or more stages (headers, then lines).

    `once`: it creates a record and never changes it, and the same again does harm. Such a record is looked for with
    `standing` before it is sent, and `send` is called only with what is not there.
    """

    stages: tuple[str, ...]
    once: bool

    def render(self, record: R_contra, codes: Codes, touch: str | None = None) -> Rendered:
        """Say a record in the target's words. `touch` makes a real change so that it is imported again.

        Raises `Held` or `Rejected`.
        """

    def standing(self, batch: Sequence[Rendered], /) -> dict[str, Verdict]:
        """Tell, where it creates `once`, what stands there of a batch: by key; what is left out is proved absent.

        `unchanged`: as we say it. Held for `conflict:KEY`: otherwise, with the differences for a person.
        """

    def send(self, stage: str, batch: Sequence[Rendered]) -> Sent:
        """Send one stage of a chunk; the same again is harmless, but where it creates `once`.

        There it raises `OutcomeUnknown` where nobody knows whether it was created.
        """

    def verdicts(self, stage: str, batch: Sequence[Rendered], tokens: Sequence[str]) -> dict[str, Verdict] | None:
        """Ask what became of a stage: by record key, or None while the target is still at it.

        It is still at what is left out.
        """

    def read_back(self, stage: str, batch: Sequence[Rendered]) -> dict[str, Verdict]:
        """Compare the target's entities with ours, where no verdict ever came."""

    def deactivate(self, keys: Sequence[str]) -> Sent:
        """Deactivate records that vanished at the source; again is harmless."""

    def deactivated(self, keys: Sequence[str], tokens: Sequence[str]) -> dict[str, Verdict] | None:
        """Ask what became of `retire`: by record key (only refusals need be named), None while it is not known."""
