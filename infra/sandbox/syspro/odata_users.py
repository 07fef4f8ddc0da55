"""Who may read by OData: pairs that operators have, as the service knew them when it started."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ODataUsers:
    """User names to passwords; `entered` is what stands in SYSPRO, `known` what the running service read of it."""

    entered: dict[str, str] = field(default_factory=dict, repr=False)
    known: dict[str, str] = field(default_factory=dict, repr=False)
    refused: int = 0

    def enter(self, user: str, password: str) -> None:
        """Enable an operator, or change its password; the service does not know it before its restart."""
        self.entered[user] = password

    def restart(self) -> None:
        """Let the service read the operators again."""
        self.known = dict(self.entered)

    def accepts(self, pair: tuple[str, str] | None) -> bool:
        """Whether this pair may read; counts a refusal."""
        good = pair is not None and self.known.get(pair[0]) == pair[1]
        self.refused += not good
        return good
