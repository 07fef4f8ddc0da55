"""No secret stands in a log, whatever an exception says."""

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.plain import PlainFormatter
from ml_connector.aws import logs
from ml_connector.redact import Redactor, for_the_log

KNOWN = "hunter22secret"


@pytest.fixture(autouse=True)
def left_as_found() -> Iterator[None]:
    """A handler that stays keeps the output of this test, which is closed after it."""
    logs_of = [logging.getLogger(name) for name in ("ml_connector", "ml-connector")]
    before = [{**vars(log), "handlers": log.handlers[:], "filters": log.filters[:]} for log in logs_of]
    yield
    for log, known in zip(logs_of, before, strict=True):  # powertools keeps notes of its own on a logger
        vars(log).clear()
        vars(log).update(known)
        log.manager._clear_cache()  # type: ignore[attr-defined] # levels, which it remembers by number


def failed(log: logging.Logger) -> None:
    try:
        raise ValueError(f"no such thing {KNOWN} in {{'password': 'abc12345'}}")
    except ValueError:
        log.exception(
            "unexpected %s", KNOWN, extra={"tenant": "acme", "asked": {"url": f"https://x:{KNOWN}@erp.example"}}
        )


def test_a_function_masks_messages_tracebacks_and_what_is_said_beside(capsys: pytest.CaptureFixture[str]) -> None:
    known = Redactor([KNOWN])
    for log in (logs.logger("staging"), logging.getLogger("ml_connector")):
        failed(log)
    for said in capsys.readouterr().out.strip().splitlines():
        assert KNOWN not in said and "abc12345" not in said and "***" in said
        line = json.loads(said)
        assert (line["tenant"], line["stage"], line["exception_name"]) == ("acme", "staging", "ValueError")
        assert "no such thing" in line["exception"] and known is not None


def test_what_the_command_line_keeps_is_masked_as_well() -> None:
    known = Redactor([KNOWN])
    log, lines = logging.getLogger("ml_connector.apart"), []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(PlainFormatter("%(message)s").format(record))  # type: ignore[method-assign]
    log.addHandler(handler)
    failed(log)
    log.removeHandler(handler)
    assert "Traceback" in lines[0] and KNOWN not in lines[0] and "abc12345" not in lines[0] and known is not None


def test_whoever_interrupts_a_line_may_write_one_of_his_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal's handler, or an object that is collected, runs on the thread that is just at it."""
    known = Redactor([KNOWN])
    said: list[str] = []

    def interrupted(needles: Any, **how: Any) -> list[Any]:
        if len(said) == 0:
            said.append("")
            said[0] = for_the_log(f"stop {KNOWN}")
        return sorted(needles, **how)

    monkeypatch.setattr("ml_connector.redact.sorted", interrupted, raising=False)  # what is done under the lock
    writer = threading.Thread(target=lambda: said.append(for_the_log(f"go {KNOWN}")), daemon=True)
    writer.start()
    writer.join(5)
    assert said == ["stop ***", "go ***"] and known is not None
