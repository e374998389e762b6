"""A key for each of two agencies, and an agency that has one of everything."""

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Agency
from accounts.tenancy.api_keys import create_api_key
from tests.api.client import Api
from tests.factories import World, make_world


@pytest.fixture(autouse=True)
def _fresh_limits(fresh_cache: None) -> None:
    """Every test starts with the full rate."""


@pytest.fixture
def unlimited(settings: Settings) -> None:
    """As many requests as a test makes."""
    settings.API_RATE = 1_000_000


@pytest.fixture
def world(agency: Agency) -> World:
    return make_world(agency, "a")


@pytest.fixture
def strange_world(stranger: Agency) -> World:
    return make_world(stranger, "b")


@pytest.fixture
def api(agency: Agency) -> Api:
    return Api(create_api_key(agency)[1])


@pytest.fixture
def strange_api(stranger: Agency) -> Api:
    return Api(create_api_key(stranger)[1])
