"""Say which number of a report a list of leads is of."""

from datetime import timedelta

from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import Agency
from leads.analytics.counted import NUMBERED, Counted
from leads.analytics.counting import named_groups
from leads.portal.figures.labels import DIMENSIONS, group_name
from leads.portal.figures.spec import PAGES, TILES


def counted_text(agency: Agency, counted: Counted) -> str:
    """Return a line such as `Response times · Not answered · Mar 12 – Mar 18 · Campaign: Founders`."""
    page = PAGES[counted.report]
    titles = {column.name: str(column.title) for column in (*TILES.values(), *page.columns)}
    days = [formats.date_format(day, "MONTH_DAY_FORMAT") for day in (counted.begin, counted.end - timedelta(days=1))]
    parts = [str(page.title), titles[counted.figure], " – ".join(dict.fromkeys(days))]
    if counted.by:
        parts.append(f"{DIMENSIONS[counted.by]}: {_group(agency, counted)}")
    if counted.include_inactive:
        parts.append(_("with accounts that are down"))
    return " · ".join(parts)


def _group(agency: Agency, counted: Counted) -> str:
    if counted.by == "member":
        member = agency.members.filter(pk=counted.key).select_related("user").first()
        return group_name("member", counted.key, str(member or ""))
    key = int(counted.key) if counted.by in NUMBERED else counted.key
    [row] = named_groups(agency, counted.by, {key: {"leads": 0}}) or [{"name": ""}]
    return group_name(counted.by, key, row["name"])
