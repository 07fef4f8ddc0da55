"""The stand of the case's system; a system without one fails each of its tests with what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.conformance.finding import closing, stand_of
from tests.contract.conformance.stand import Stand


@pytest.fixture
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    named = request.node.callspec.params
    case = named.get("case")
    yield from closing(stand_of(case.stand or case.system if case is not None else named["system"])())
