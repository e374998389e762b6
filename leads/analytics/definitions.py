"""Define what reports count: response, loss and its causes. `leads.pipeline.conversions` defines conversion. Nothing
else defines them."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from leads.enums import LeadStatus, LossCause, StopReason
from leads.models import Lead, ResponseClock

#: A clock that stops for one of these reasons had a person's answer.
ANSWERED = frozenset({StopReason.MESSAGE, StopReason.CALL, StopReason.ELSEWHERE})
#: An answer that came so long after it was due explains a loss.
LATE = timedelta(hours=3)
#: An account that was down so long, in all, while the lead was open explains a loss.
ACCOUNT_DOWN = timedelta(days=2)
#: The buckets of response times: name --> the most seconds.
BUCKETS: Mapping[str, int | None] = {"5m": 300, "15m": 900, "60m": 3600, "24h": 86_400, "later": None}
NEVER = "never"
#: Company sizes: the band's name --> the fewest and the most people.
SIZE_BANDS: Mapping[str, tuple[int, int | None]] = {
    "1-10": (1, 10),
    "11-50": (11, 50),
    "51-200": (51, 200),
    "201-500": (201, 500),
    "501-1000": (501, 1000),
    "1001-5000": (1001, 5000),
    "5001-10000": (5001, 10_000),
    "10001+": (10_001, None),
}


def lost_at(lead: Lead) -> datetime | None:
    """Return since when a lead is lost. A lead that is worked on again is not."""
    return lead.status_since if lead.status == LeadStatus.NOT_INTERESTED else None


def first_wait(clocks: Collection[ResponseClock]) -> ResponseClock | None:
    """Return the clock of the first time that a lead had to wait. One that a merge let another go on for is none."""
    own = (clock for clock in clocks if clock.stop_reason != StopReason.MERGED)
    return min(own, key=lambda clock: (clock.started_at, clock.pk), default=None)


def answered_at(clock: ResponseClock | None) -> datetime | None:
    """Return when a person answered within this clock's time. None: nobody has, or the lead was closed before."""
    return clock.stopped_at if clock and clock.stop_reason in ANSWERED else None


def loss_cause(clock: ResponseClock | None, lost: datetime, *, had_owner: bool, seconds_down: float) -> LossCause:
    """Return the first cause of a loss that history proves."""
    if seconds_down >= ACCOUNT_DOWN.total_seconds():
        return LossCause.ACCOUNT_DOWN
    if not had_owner:
        return LossCause.NO_OWNER
    if clock is None or clock.started_at > lost:
        return LossCause.OTHER
    answered = answered_at(clock)
    if answered is None or answered > lost:
        return LossCause.NEVER_ANSWERED
    return LossCause.LATE if answered - clock.due_at >= LATE else LossCause.OTHER


def size_band(lead: Lead) -> str:
    """Return the band of a company's size, "" if the size is unknown."""
    people = lead.size_min if lead.size_min is not None else lead.size_max
    if not people:
        return ""
    return next(name for name, (_least, most) in SIZE_BANDS.items() if most is None or people <= most)
