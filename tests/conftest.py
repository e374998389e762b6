"""Two agencies everywhere: what one does, the other must never see."""

import pytest

from accounts.agencies import create_agency
from accounts.models import Agency


@pytest.fixture
def agency(db: None) -> Agency:
    return create_agency(name="Northwind Outreach", company_id="fhRhvcLbntMZs3hVo5L4")[0]


@pytest.fixture
def stranger(db: None) -> Agency:
    return create_agency(name="Stranger & Sons", company_id="strangerCompany00001")[0]
