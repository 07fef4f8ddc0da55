"""The secret's own names are the only ones taken."""

import json

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.systems.sage_300.settings import Settings
from ml_connector.systems.settings import parse

GOOD = {"api_url": "https://x.example.com/v1.0/-", "company": "SAMLTD", "user": "u", "password": "p"}


def test_the_company_is_called_company_and_nothing_else():
    assert parse(Settings, json.dumps(GOOD), "a/sage_300", insecure=False).company() == "SAMLTD"
    other = {"company_id" if k == "company" else k: v for k, v in GOOD.items()}
    with pytest.raises(Misconfigured, match="company_id"):
        parse(Settings, json.dumps(other), "a/sage_300", insecure=False)
