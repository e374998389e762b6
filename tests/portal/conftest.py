"""An agency in full, its people of every role, and a stranger with an agency of the same kind."""

import pytest

from accounts.models import Agency
from tests.factories import Everything, furnish


@pytest.fixture
def ours(agency: Agency) -> Everything:
    return furnish(agency)


@pytest.fixture
def theirs(stranger: Agency) -> Everything:
    return furnish(stranger, "Zedekiah")
