"""Show how an agency's numbers move: the last seven days beside the seven before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from django.core.cache import cache
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.api.report import Window
from accounts.core.enums import AccountStatus
from accounts.core.ids import first_id
from accounts.linkedin.uptime import account_spans, watched
from accounts.models import Agency
from accounts.tenancy.localtime import get_zone
from accounts.web.portal.pictures import Trend
from leads.analytics.daily import leads_by_day, reached
from leads.analytics.lead_report import by_period, period_key
from leads.analytics.periods import comparison
from notifications.models import Delivery, DeliveryStatus

DAYS = 7
#: The days before today are counted anew after so many seconds: a late report may change them.
KEPT_SECONDS = 600
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TrendTile:
    """A number of the last days, where it leads to, and what it counts."""

    label: Promise
    url: str
    daily: Promise
    icon: str
    trend: Trend
    more_is_better: bool = True


def trends(agency: Agency) -> list[TrendTile]:
    """Return the trends of the overview."""
    compared = comparison("7d", timezone.now(), get_zone(agency.timezone))
    window, moved_in_all = compared.whole, reached(agency, compared.now, compared.before)
    counted = {
        "leads": _counts("leads", agency, window, partial(leads_by_day, agency, time="received")),
        "replies": _counts("replies", agency, window, partial(leads_by_day, agency, time="replied")),
        "conversions": _counts("conversions", agency, window, partial(leads_by_day, agency, time="converted")),
        "deliveries": _counts("deliveries", agency, window, partial(_delivered_by_day, agency)),
        "active": _counts("active", agency, window, partial(_active_by_day, agency)),
    }
    reports, campaigns = f"{reverse('portal_reports')}?period=7d", f"{reverse('portal_reports')}?period=7d#campaigns"
    active = counted["active"]
    return [
        TrendTile(_("leads"), reports, _("Leads per day"), icon="user-plus", trend=_sum(counted["leads"])),
        TrendTile(
            _("replies"),
            reports,
            _("Replies per day"),
            icon="message-reply",
            trend=Trend(*moved_in_all.replies, counted["replies"]),
        ),
        TrendTile(
            _("conversions"),
            campaigns,
            _("Conversions per day"),
            icon="target-arrow",
            trend=Trend(*moved_in_all.conversions, counted["conversions"]),
        ),
        TrendTile(
            _("accounts active"),
            f"{reports}#accounts",
            _("Active accounts at the end of each day"),
            icon="brand-linkedin",
            trend=Trend(active[-1], active[-1 - DAYS], active),
        ),
        TrendTile(
            _("notifications delivered"),
            reverse("portal_deliveries"),
            _("Deliveries per day"),
            icon="send",
            trend=_sum(counted["deliveries"]),
            more_is_better=False,
        ),
    ]


def _sum(counts: list[int]) -> Trend:
    return Trend(sum(counts[DAYS:]), sum(counts[:DAYS]), counts)


def _counts(name: str, agency: Agency, window: Window, count: Callable[[Window], Counts]) -> list[int]:
    """Return the counts of the window's days. Today is counted now, the days before it from time to time."""
    periods = window.periods()
    today = Window(*periods[-1], window.zone, window.period)
    key = f"trend:{name}:{agency.pk}:{window.zone}:{periods[0][0].isoformat()}"
    past = cache.get(key)
    if past is None:
        found = count(window)
        past = [found.get(period_key(begin, window), 0) for begin, _end in periods[:-1]]
        cache.set(key, past, KEPT_SECONDS)
    else:
        found = count(today)
    return [*past, found.get(period_key(today.begin, window), 0)]


def _delivered_by_day(agency: Agency, window: Window) -> Counts:
    """Return the number of deliveries that arrived, by the day on which they were made."""
    rows = Delivery.objects.seen_by(agency).filter(
        status=DeliveryStatus.DELIVERED, pk__gte=first_id("dlv", window.begin), created_at__gte=window.begin
    )
    found = by_period(rows, "created_at", window).values("period").annotate(n=Count("pk"))
    return {period_key(row["period"], window): row["n"] for row in found}


def _active_by_day(agency: Agency, window: Window) -> Counts:
    """Return the number of accounts that were active at the end of each day, and of those that are active today."""
    *past, (today, _now) = window.periods()
    found = {period_key(today, window): agency.accounts.filter(status=AccountStatus.ACTIVE).count()}
    if past:
        spans = account_spans(watched(agency.accounts.order_by("id")), window.begin, window.end, agency=agency)
        active = [span for span in spans if span.status == AccountStatus.ACTIVE]
        found |= {
            period_key(begin, window): sum(1 for span in active if span.begin < end <= span.end) for begin, end in past
        }
    return found
