"""The periods that the page of reports offers, each beside the one before it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import get_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.api.report import Window, midnight

DEFAULT = "7d"
PERIODS: dict[
    str, tuple[Promise, Promise]
] = {  # in the address --> what people read, and what the one before is called
    "7d": (_("Last 7 days"), _("7 days before")),
    "last_week": (_("Last week"), _("Week before")),
    "30d": (_("Last 30 days"), _("30 days before")),
    "13w": (_("Last 13 weeks"), _("13 weeks before")),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period, and the one before it, which has as many days."""

    now: Window
    before: Window

    @property
    def whole(self) -> Window:
        return Window(self.before.begin, self.now.end, self.now.zone, self.now.period)


def comparison(name: str, now: datetime, zone: ZoneInfo) -> Comparison:
    """Return the period of this name. Its last day may not be over yet."""
    today = now.astimezone(zone).date()
    end, period = now, "day"
    match name:
        case "last_week":
            first_weekday = (get_format("FIRST_DAY_OF_WEEK") - 1) % 7  # ours count from Monday, Django's from Sunday
            this_week = today - timedelta(days=(today.weekday() - first_weekday) % 7)
            begin, days, end = this_week - timedelta(days=7), 7, midnight(this_week, zone)
        case "13w":
            begin, days, period = today - timedelta(days=today.weekday(), weeks=12), 91, "week"
        case "30d":
            begin, days = today - timedelta(days=29), 30
        case _:
            begin, days = today - timedelta(days=6), 7
    start = midnight(begin, zone)
    before = Window(midnight(begin - timedelta(days=days), zone), start, zone, period)
    return Comparison(Window(start, end, zone, period), before)
