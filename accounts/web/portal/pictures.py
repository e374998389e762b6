"""What pictures show: the parts of a strip, the bars of a chart, a trend. `accounts/templatetags/pictures.py` draws
them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.core.markup import Tone, duration
from accounts.linkedin import uptime
from accounts.linkedin.uptime import Measure
from accounts.models import Account

STRIP_DAYS = 60
#: A day with less uptime than this is bad; one with less than all of it is to be warned of.
BAD_DAY = 0.9


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a strip: its tone, what it says when pointed at, and how wide it is beside the others."""

    tone: Tone
    title: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A stacked bar: its label, the values of the series from below, and the list behind it.

    `text` is what people read in place of the sum, such as a duration.
    """

    label: str
    values: Sequence[int]
    url: str = ""
    text: str = ""

    @property
    def total(self) -> int:
        return sum(self.values)

    @property
    def total_text(self) -> str:
        return self.text or str(self.total)


@dataclass(frozen=True, slots=True)
class Strip:
    """An account's uptime, a segment a day, as `{% uptime_strip strip %}` draws it."""

    segments: list[Segment]
    label: str
    begin: str = ""
    end: str = ""


def uptime_strip_of(account: Account, zone: ZoneInfo, days: int = STRIP_DAYS) -> Strip:
    """Return the strip of an account over the last days, which begin at midnight in `zone`."""
    now = timezone.now()
    periods = last_days(now, zone, days)
    spans = uptime.account_spans([account], periods[0][0], now)
    measures = uptime.measure_periods(spans, periods)
    whole = uptime.measure(spans, periods[0][0], now)
    return Strip(
        [segment_of(begin, measured) for (begin, _end), measured in zip(periods, measures, strict=True)],
        uptime_text(whole, days),
        ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": days},
        _("Today"),
    )


def last_days(now: datetime, zone: ZoneInfo, days: int) -> list[tuple[datetime, datetime]]:
    """Return the last days in a time zone, the last of which ends now."""
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    begins = [
        (today.replace(tzinfo=None) - timedelta(days=back)).replace(tzinfo=zone) for back in reversed(range(days))
    ]
    return list(zip(begins, [*begins[1:], now], strict=True))


def segment_of(day: datetime, measured: Measure) -> Segment:
    """Return what a strip shows of one day."""
    date = formats.date_format(day, _("D j M"))
    share = measured.uptime
    if share is None:
        return Segment("quiet", _("%(date)s: no data") % {"date": date})
    if not measured.down:
        return Segment("good", _("%(date)s: active") % {"date": date})
    down = duration(timedelta(seconds=measured.down))
    tone: Tone = "bad" if share < BAD_DAY else "warn"
    return Segment(tone, _("%(date)s: down for %(down)s") % {"date": date, "down": down})


def uptime_text(measured: Measure, days: int) -> str:
    """Return a sentence about the uptime of some days, for those who see no picture."""
    if measured.uptime is None:
        return _("No data yet")
    share = {"share": percent(measured.uptime, 1), "days": days, "count": measured.outages}
    return ngettext(
        "%(share)s uptime in %(days)s days, down once", "%(share)s uptime in %(days)s days, down %(count)s times",
        measured.outages,
    ) % share if measured.outages else _("%(share)s uptime in %(days)s days") % share  # fmt: skip


def percent(share: float, digits: int = 0) -> str:
    """Return a share as people read it: `98.4%`. What is not all is never rounded to 100%."""
    shown = min(round(100 * share, digits), 100 - 10**-digits) if share < 1 else 100.0
    return f"{formats.number_format(shown, digits if shown < 100 else 0)}%"


@dataclass(frozen=True, slots=True)
class Trend:
    """A number now and before, with the values of each day: those of before come first."""

    now: int
    before: int
    values: Sequence[int]

    @property
    def change(self) -> str:
        """Return by how much it grew or fell: `+12%`; empty where nothing was before."""
        if not self.before:
            return ""
        change = round(100 * (self.now - self.before) / self.before)
        return f"{change:+d}%" if change else "±0%"

    @property
    def direction(self) -> str:
        return "up" if self.now > self.before else "down" if self.now < self.before else "level"
