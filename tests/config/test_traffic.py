"""What the overview of the back office draws: numbers by hour and by day, from rows as they are."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Agency, Source
from accounts.services import report_status
from config.backoffice import traffic
from notifications.models import Delivery
from tests.factories import make_everything
from webhooks.models import LatencyTally, Receipt


@pytest.fixture(autouse=True)
def nothing_kept(fresh_cache: None) -> None:
    """Pictures are kept for a minute."""


def at_noon(**offset: Any) -> Any:
    return time_machine.travel(timezone.now().replace(hour=12, minute=30) + timedelta(**offset), tick=False)


def test_accounts_are_counted_as_they_stood_each_day(agency: Agency) -> None:
    for days, status in ((-3, "active"), (-1, "blocked")):
        with at_noon(days=days):
            report_status(
                agency,
                provider="salesflow",
                identity=AccountIdentity(external_id="1"),
                status=AccountStatus(status),
                origin=Origin(by="salesflow", at=timezone.now()),
            )
    with at_noon():
        [picture] = traffic.accounts_by_day()
    active, blocked = (picture.series.index(name) for name in ("Active", "Blocked by LinkedIn"))
    assert [(bar.values[active], bar.values[blocked]) for bar in picture.bars[-5:]] == [
        *((0, 0), (1, 0), (1, 0), (0, 1), (0, 1)),
    ]


def test_receipts_and_rejections_are_counted_by_hour_with_the_time_to_process(agency: Agency, staff: Any) -> None:
    with at_noon():
        now = timezone.now()
        make_everything(agency, staff, text="Ann")
        Receipt.objects.update(received_at=now - timedelta(hours=1), processed_at=now - timedelta(minutes=59))
        source = Source.objects.get()
        LatencyTally.objects.create(source=source, began_at=now - timedelta(hours=2), requests=9, rejected=4)
        picture, lag = traffic.receipts_by_hour()
    assert [tuple(bar.values) for bar in picture.bars[-3:]] == [(0, 4), (1, 0), (0, 0)]
    assert picture.rows[1] == ("11:00", ["1", "0"])
    assert lag.rows[:3] == [("12:00", ["–"]), ("11:00", ["1 minute"]), ("10:00", ["–"])]
    assert [bar.total for bar in lag.bars[-3:]] == [0, 60_000, 0]


def test_deliveries_are_counted_by_what_became_of_them(agency: Agency, staff: Any) -> None:
    with at_noon():
        make_everything(agency, staff, text="Ann")
        now = timezone.now()
        Delivery.objects.update(status="delivered", created_at=now, delivered_at=now + timedelta(seconds=2))
        picture, lag = traffic.deliveries_by_hour()
    number = Delivery.objects.count()
    assert picture.rows[0] == ("12:00", [str(number), "0", "0"])
    assert (lag.rows[0], lag.bars[-1].total) == (("12:00", ["2.0 s"]), 2000)
