"""What all servers of OData have in common: the shape of their errors, and literals of their filters."""

from __future__ import annotations

from typing import Any

from ml_connector.systems.http import listed


def error_in(body: Any) -> Any:
    """Give what an answer has in the place of an error; None where there is none."""
    return (body.get("error") or body.get("odata.error")) if isinstance(body, dict) else None


def odata_error(body: Any, status: int) -> tuple[str, str] | None:
    """Give code and text of an error in the shape of OData; None where this is none.

    `{"error": {"code": …, "message": "…"}}`, or with `{"value": "…"}` for the message (contracts/sap_b1.md §3,
    contracts/sage_300.md §8). A gateway's own error often looks alike, and has the HTTP status for its code.
    """
    error = error_in(body)
    if not isinstance(error, dict):
        return None
    code, message = error.get("code"), error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    if isinstance(code, bool) or not isinstance(code, (str, int)) or not isinstance(message, str):
        return None
    return None if not str(code) or str(code) == str(status) else (str(code), message)


def words_of(error: dict[str, Any]) -> str:
    """Give the text of an error and of its details, each once."""
    message = error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    details = [detail.get("message") for detail in listed(error.get("details")) if isinstance(detail, dict)]
    return " · ".join(dict.fromkeys(" ".join(str(part).split()) for part in (message, *details) if part))


def quoted(text: str) -> str:
    """Write a string literal of a filter: single quotes, embedded ones doubled."""
    return "'" + text.replace("'", "''") + "'"
