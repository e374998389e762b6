from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Checkout, Run, backend, running


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with backend() as settings:
        yield Checkout(_folder(tmp_path_factory), settings)


@pytest.fixture(scope="session")
def run(checkout: Checkout) -> Iterator[Run]:
    """The checkout's first `make run`, kept running."""
    with running(checkout) as run:
        yield run


def _folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("e2e") / "a path with spaces"
    folder.mkdir()
    return folder
