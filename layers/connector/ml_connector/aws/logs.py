"""The log of a function: one JSON object a line, in which no secret stands, also not in a traceback."""

from __future__ import annotations

import logging
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from ml_connector.redact import for_the_log

OURS = "ml_connector"


class MaskedFormatter(LambdaPowertoolsFormatter):
    """Powertools' own form, with every text masked."""

    def serialize(self, log: Any) -> str:
        """Write one line."""
        return super().serialize(_masked(log))


def logger(stage: str) -> Logger:
    """Make the logger of a function, under which the product's own log stands as well. `stage`: the stack's name."""
    logging.getLogger(OURS)  # so that it is there to be copied to
    made = Logger(service="ml-connector", stage=stage, logger_formatter=MaskedFormatter())
    copy_config_to_registered_loggers(made, include={OURS})
    return made


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(one) for one in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return for_the_log(str(value))  # an exception among them
