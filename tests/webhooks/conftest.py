from collections.abc import Iterator

import pytest

from tests.webhooks.ingest_server import Server, serving


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    with serving() as server:
        yield server
