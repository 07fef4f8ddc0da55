"""Shows text that came from documents and vendors, without what a terminal or a page would obey.

An escape sequence can erase a line and write another one; a carriage return or a line break can forge a verdict; a mark
of writing direction can turn an amount around. None of them belongs into a name, a number or a message.
"""

from __future__ import annotations

import logging
import re

from ml_connector.redact import for_the_log

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Controls but tab and line break (C0, DEL, C1), marks of direction, invisible signs, halves of characters."""
_BREAKS = re.compile(r"[ \t]*[\n\r\v\f\x85\u2028\u2029]+[ \t]*")


def plain(text: str) -> str:
    """Spell out what would be obeyed, as JSON does: `\\u001b`. Line breaks stay."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def line(text: str) -> str:
    """Make one line of a text, and spell out what would be obeyed."""
    return plain(_BREAKS.sub(" ", text))


class PlainFormatter(logging.Formatter):
    """Keeps a log so that it can be shown on a terminal: one line for a message, and a traceback spelled out."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Make one line of what was said."""
        record.message = line(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Mask what is secret, and spell out what would be obeyed, in the traceback too."""
        return plain(for_the_log(super().format(record)))
