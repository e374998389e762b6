from collections.abc import Iterator
from pathlib import Path

import pytest

from config.demo.linkedin_api import StandIn, serving
from tests.e2e.stack import Checkout, Run, backend, running
from tests.settings import SQLITE

#: These have a PostgreSQL and a Redis of their own, where the suite runs on them at all.
collect_ignore = ["test_outages.py", "test_rabbitmq.py"] if SQLITE else []


@pytest.fixture(scope="session")
def linkedin() -> Iterator[StandIn]:
    """Where the checkout believes LinkedIn to be."""
    with serving() as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory, linkedin: StandIn) -> Iterator[Checkout]:
    where = {"LINKEDIN_API_BASE": linkedin.base, "LINKEDIN_OAUTH_BASE": linkedin.oauth_base}
    with backend() as settings:
        yield Checkout(_folder(tmp_path_factory), settings | where)


@pytest.fixture(scope="session")
def run(checkout: Checkout) -> Iterator[Run]:
    """The checkout's first `make run`, kept running."""
    with running(checkout) as run:
        yield run


def _folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("e2e") / "a path with spaces"
    folder.mkdir()
    return folder
