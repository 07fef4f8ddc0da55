"""How much of a notification is read: no more than tells that it is too large, and nothing is unpacked."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
from werkzeug.wrappers import Request

from infra.local.serve import _body
from ml_connector.receive import LARGEST


class Endless(io.RawIOBase):
    """A body in chunks that does not end."""

    given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.given += len(buffer)
        buffer[:] = b" " * len(buffer)
        return len(buffer)


class Silent(Endless):
    def readinto(self, buffer: Any) -> int:
        raise TimeoutError


def request(stream: Any, **more: Any) -> Request:
    return Request({"REQUEST_METHOD": "POST", "wsgi.input": stream, "wsgi.input_terminated": True, **more})


def test_of_a_body_without_end_no_more_is_read_than_tells_so() -> None:
    stream = Endless()
    assert len(_body(request(stream))) == LARGEST + 1 and stream.given <= 2 * LARGEST


@pytest.mark.parametrize("length", [str(LARGEST + 1), "99999999999999999999"])
def test_of_one_that_says_that_it_is_too_large_nothing_is_read(length: str) -> None:
    stream = Endless()
    assert len(_body(request(stream, CONTENT_LENGTH=length))) == LARGEST + 1 and stream.given == 0


def test_a_packed_one_is_taken_as_it_came() -> None:
    packed = gzip.compress(b"{}")
    more = {"CONTENT_LENGTH": str(len(packed)), "HTTP_CONTENT_ENCODING": "gzip"}
    assert _body(request(io.BytesIO(packed), **more)) == packed


def test_a_sender_that_falls_silent_has_sent_nothing() -> None:
    assert _body(request(Silent())) == b""
