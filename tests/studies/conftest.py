"""What the tests of studies share: a server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.object_store import ObjectStore, object_store


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store
