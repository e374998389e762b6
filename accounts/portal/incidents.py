"""Show incidents: which accounts dropped together, why, and what became of them."""

import itertools
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.core.enums import IncidentCause
from accounts.core.markup import Tone
from accounts.labels import INCIDENT_CAUSES, INCIDENT_STEPS
from accounts.models import Incident, Outage
from accounts.tenancy.localtime import format_local_time
from accounts.web.portal.access import MemberRequest, readers
from accounts.web.portal.pagination import paginate
from accounts.web.portal.pictures import Segment, Strip
from accounts.web.portal.views import render_page

MAX_OUTAGES = 200
MAX_STEPS = 100


@require_safe
@readers
def incident_list(request: MemberRequest) -> HttpResponse:
    """List incidents, the newest first. `?state=open` leaves out what is over."""
    incidents = request.agency.incidents.annotate(
        total=Count("outages"), down=Count("outages", filter=Q(outages__back_at__isnull=True))
    )
    only_open = request.GET.get("state") == "open"
    page = paginate(request, incidents.filter(closed_at__isnull=True) if only_open else incidents)
    open_count = request.agency.incidents.filter(closed_at__isnull=True).count()
    return render_page(
        request,
        "portal/incidents.html",
        "incidents",
        page=page,
        only_open=only_open,
        lines=[(incident, INCIDENT_CAUSES[IncidentCause(incident.cause)]) for incident in page.rows],
        tabs=[
            {"title": _("All"), "url": "?", "count": "", "current": not only_open},
            {"title": _("Open"), "url": "?state=open", "count": open_count or "", "current": only_open},
        ],
    )


@require_safe
@readers
def incident_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show one incident: its accounts with their states, how many were down when, and its steps."""
    incident = get_object_or_404(request.agency.incidents.select_related("part_of"), pk=pk)
    rows = incident.outages.select_related("account__sub_account").order_by("back_at", "id")
    outages = sorted(rows[: MAX_OUTAGES + 1], key=lambda outage: (outage.back_at is not None, outage.at))
    cause = IncidentCause(incident.cause)
    return render_page(
        request,
        "portal/incident.html",
        "incidents",
        incident=incident,
        total=len(outages),
        down=sum(1 for outage in outages if outage.back_at is None),
        outages=outages[:MAX_OUTAGES],
        has_more=len(outages) > MAX_OUTAGES,
        cause=INCIDENT_CAUSES[cause],
        cause_step=INCIDENT_STEPS[cause],
        strip=strip_of(incident, outages),
        steps=list(incident.steps.order_by("-id")[:MAX_STEPS]),
    )


def strip_of(incident: Incident, outages: Sequence[Outage]) -> Strip:
    """Return how many of the accounts were down, from the first drop until the end, or until now."""
    end = incident.closed_at or timezone.now()
    changes = [(outage.at, 1) for outage in outages]
    changes += [(outage.back_at, -1) for outage in outages if outage.back_at]
    times = sorted({at for at, _change in changes if at < end} | {incident.opened_at, end})
    segments = []
    for begin, until in itertools.pairwise(times):
        down = sum(change for at, change in changes if at <= begin)
        segments.append(_segment(begin, until, down, len(outages)))
    label = ngettext("%(count)s account dropped", "%(count)s accounts dropped", len(outages)) % {"count": len(outages)}
    closed = format_local_time(end) if incident.closed_at else _("Now")
    return Strip(segments, label, format_local_time(incident.opened_at), closed)


def _segment(begin: datetime, end: datetime, down: int, total: int) -> Segment:
    tone: Tone = "bad" if down * 2 > total else "warn" if down else "good"
    text = _("%(down)s of %(total)s down, from %(begin)s to %(end)s") % {
        "down": down,
        "total": total,
        "begin": format_local_time(begin),
        "end": format_local_time(end),
    }
    return Segment(tone, text, max((end - begin).total_seconds(), 0.001))
