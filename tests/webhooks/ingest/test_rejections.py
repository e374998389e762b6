"""How failed requests are counted and slowed."""

from django.db.models import Sum
from django.utils import timezone

from accounts.models import Agency
from accounts.sources.service import create_source
from webhooks.ingest import rejections
from webhooks.ingest.latency import _write, tally_start
from webhooks.ingest.rejections import RejectRate
from webhooks.models import LatencyTally


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_window_of_a_minute_begins_with_the_first_failure() -> None:
    clock = Clock()
    rate = RejectRate(clock)

    assert [rate.count_failure("src", "a", 2) for _ in range(3)] == [None, None, 60]
    clock.now += 40
    assert rate.count_failure("src", "a", 2) == 20
    assert rate.count_failure("src", "b", 2) is None
    clock.now += 20
    assert [rate.count_failure("src", "a", 2) for _ in range(3)] == [None, None, 60]


def test_what_is_remembered_of_addresses_is_bounded() -> None:
    clock = Clock()
    rate = RejectRate(clock)

    for number in range(rejections.MAX_ADDRESSES + 100):
        rate.count_failure("src", str(number), 1)
    assert len(rate._windows) == rejections.MAX_ADDRESSES
    clock.now += 60
    rate.count_failure("src", "later", 1)
    assert len(rate._windows) == 1


def test_rejected_requests_are_also_counted_by_ten_minutes(agency: Agency) -> None:
    source, _ = create_source(agency=agency, provider="sendpilot")
    now = timezone.now()
    for reason, count in (("wrong_signature", 3), ("network", 2), ("wrong_signature", 4)):
        tally = rejections._Tally("", count, now, now)
        rejections._save({(source.pk, reason): tally, ("gone", reason): tally})
    tallies = LatencyTally.objects.values_list("source", "requests", "slow").annotate(Sum("rejected"))
    assert [(pk, requests, slow, rejected) for pk, requests, slow, rejected in tallies] == [(source.pk, 0, 0, 9)]
    _write({source.pk: [5, 1]}, tally_start(now))
    assert LatencyTally.objects.filter(requests=5, slow=1, rejected__gt=0).exists()
