"""Compute the scores of an agency anew, some leads a step: all when rules change, and daily those that fade."""

from datetime import timedelta

from django.utils import timezone

from accounts.core.jobs import Backoff, complete, work_off
from leads.models import Lead, LeadScore, ScoringRun
from leads.scoring.service import score_leads

LEASE = timedelta(minutes=2)
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (5, 60, 600)], is_endless=True)
CHUNK = 300
FADING_EVERY = timedelta(days=1)


def score_due(limit: int = 1) -> int:
    """Take the next step of due runs. Return how many."""
    runs = ScoringRun.objects.select_related("agency")
    return work_off(runs, _take_step, limit=limit, lease=LEASE, backoff=BACKOFF)


def _take_step(run: ScoringRun) -> None:
    """Score the next leads of a run, and plan the step after it."""
    lead_ids = _next_leads(run)
    score_leads(lead_ids, now=timezone.now(), may_report=False)
    if len(lead_ids) == CHUNK:
        complete(run, again_at=timezone.now(), after=lead_ids[-1])
    else:
        complete(run, again_at=timezone.now() + FADING_EVERY, after="", of_all_leads=False)


def _next_leads(run: ScoringRun) -> list[str]:
    if run.of_all_leads:
        leads = Lead.objects.filter(agency=run.agency, pk__gt=run.after)
        return list(leads.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    fading = LeadScore.objects.filter(agency=run.agency, engagement__gt=0, lead__gt=run.after)
    return list(fading.order_by("lead_id").values_list("lead_id", flat=True)[:CHUNK])
