"""The refusals of the simulated Service Layer: HTTP status, error code, text."""

from __future__ import annotations

SESSION_TEXT = "Invalid session or session already timeout."


class Refusal(Exception):
    """One error answer; the dialect words the envelope."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


def bad_request(text: str, code: int = -1000) -> Refusal:
    """400: the request itself is malformed (the code is inferred; -1000 is known for batches)."""
    return Refusal(400, code, text)


def invalid_property(name: str, type_name: str) -> Refusal:
    """400: a property that the type does not have."""
    return bad_request(f"Property '{name}' of '{type_name}' is invalid")


def rule_broken(text: str, code: int = -10) -> Refusal:
    """400: a business rule refused the record (`docs/vendors/sap_b1.md`)."""
    return Refusal(400, code, text)


def not_found() -> Refusal:
    """404: no record with this key."""
    return Refusal(404, -2028, "No matching records found (ODBC -2028)")


def unknown_resource() -> Refusal:
    """404: no such entity set or service (code and text inferred)."""
    return Refusal(404, -1000, "Unrecognized resource path.")


def stale() -> Refusal:
    """412: the ETag of If-Match is not the record's."""
    return Refusal(
        412, -2039, "Another user or another operation modified data; to continue, open the window again (ODBC -2039)"
    )
