"""What an adapter offers that takes records in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

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


@runtime_checkable
class UnderOwnCodes(Protocol):
    """A target that knows records by the codes of the ERP, unless one is mapped to a code that people made there."""

    def own_code(self, key: str) -> str:
        """Give the code under which a record stands there unless it is mapped."""


class GuardedTarget(MasterTarget[R_contra], Protocol[R_contra]):
    """Also tells what stands there, field by field, so that what people edited can be left as it is.

    Fields have names of the target's own, such as `code` or `name.en-US`; those named `active.…` say whether it is in
    use, as `true` or `false`.
    """

    def present(self, stage: str, batch: Sequence[Rendered]) -> dict[str, Mapping[str, Any]]:
        """Read what stands there of these records now, in few calls: entities by record key; absent ones are left out.

        That a `known` one is absent is believed only where it was asked for by its own code.
        """

    def fields(self, stage: str, entity: Mapping[str, Any]) -> dict[str, str]:
        """Tell an entity field by field, ours or one that was read: of this stage, as texts, and no touch."""
