"""The template, read once: every test asserts on what CloudFormation would be given."""

import pytest

from tests.template.loading import expanded, transformed


@pytest.fixture(scope="session")
def written():
    """The template as written, its loops written out."""
    return expanded()


@pytest.fixture(scope="session")
def template():
    """The template after the SAM transform."""
    return transformed()


@pytest.fixture(scope="session")
def of_type(template):
    """of_type("AWS::SQS::Queue") -> {logical id: properties}."""
    resources = template["Resources"]
    return lambda kind: {name: r.get("Properties", {}) for name, r in resources.items() if r["Type"] == kind}
