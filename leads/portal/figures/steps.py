"""Lay out how far leads came, step by step."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.web.portal.pictures import Trend
from leads.portal.figures.table import Report, link, shown

#: The step --> what it is called, the time that leads took to it, and what that is of.
STEPS: dict[str, tuple[Promise, str]] = {
    "leads": (_("Received"), ""),
    "invited": (_("Invited"), "received_to_invited"),
    "accepted": (_("Accepted"), "invited_to_accepted"),
    "replied": (_("Replied"), "accepted_to_replied"),
    "converted": (_("Converted"), "replied_to_converted"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel: how many leads reached it, of all leads and beside the period before, and how fast."""

    title: str
    number: int
    url: str
    share: float | None
    trend: Trend
    median: str
    p90: str


def funnel_steps(report: Report) -> list[Step]:
    now, before = report.found["figures"], report.found["before"]
    counted = report.counted(report.question.window)
    steps = []
    for name, (title, took) in STEPS.items():
        steps.append(
            Step(
                str(title),
                now[name],
                link(counted, name, now[name]),
                now[name] / now["leads"] if now["leads"] else None,
                Trend(now[name], before[name], ()),
                shown(now["median_seconds"].get(took), "seconds"),
                shown(now["p90_seconds"].get(took), "seconds"),
            )
        )
    return steps
