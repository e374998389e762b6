"""How failed requests are counted and slowed."""

from webhooks.ingest import rejections
from webhooks.ingest.rejections import RejectRate


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
