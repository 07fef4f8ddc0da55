"""The refusals of the simulated server: status, error code, text (`docs/vendors/sage_300.md`).

The codes are documented, most of the statuses are inferred.
"""

from __future__ import annotations


class Refusal(Exception):
    """One error answer; `code` is what a client decides on."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text

    def body(self) -> dict[str, object]:
        """The documented envelope."""
        return {"error": {"code": self.code, "message": {"lang": "en-US", "value": self.text}}}


def invalid_parameters(text: str) -> Refusal:
    """400: a query option is malformed, unknown or repeated."""
    return Refusal(400, "InvalidParameters", text)


def invalid_key(text: str) -> Refusal:
    """400: the key in the address does not fit the entity."""
    return Refusal(400, "InvalidEntityKey", text)


def invalid_payload(text: str) -> Refusal:
    """400: the body is not what the model allows."""
    return Refusal(400, "InvalidPayload", text)


def invalid_action(text: str) -> Refusal:
    """400: a process resource was posted to with a key other than $template and $process."""
    return Refusal(400, "InvalidAction", text)


def record_invalid(text: str) -> Refusal:
    """400: a business rule refused the record."""
    return Refusal(400, "RecordInvalid", text)


def record_duplicate(text: str) -> Refusal:
    """409: a record with this key exists."""
    return Refusal(409, "RecordDuplicate", text)


def record_not_found() -> Refusal:
    """404: the documented example, word for word what the server says."""
    return Refusal(404, "RecordNotFound", "A Record cannot be found for the specified entity key")


def resource_not_found(path: str) -> Refusal:
    """404: no such module or resource."""
    return Refusal(404, "ResourceNotFound", f"The resource '{path}' cannot be found")


def method_not_allowed(method: str, name: str) -> Refusal:
    """405: the resource does not support this verb."""
    return Refusal(405, "MethodNotAllowed", f"The {method} method is not supported by the resource '{name}'")


def unauthorized() -> Refusal:
    """401: no credentials, or wrong ones."""
    return Refusal(401, "Unauthorized", "The user credentials are invalid")


def forbidden(text: str) -> Refusal:
    """403: the user may not do this."""
    return Refusal(403, "Forbidden", text)


def too_many() -> Refusal:
    """429: too many requests at the same time; nothing says when to come again."""
    return Refusal(429, "TooManyRequests", "The server is flooded with too many concurrent requests")


def in_use(number: int) -> Refusal:
    """500, code General: somebody has the batch open on the desktop (inferred)."""
    return Refusal(500, "General", f"Batch {number} is in use by another user. Try again later.")
