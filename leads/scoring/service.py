"""Keep the scores of leads: compute them anew, store them, and report a lead that became important."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_noop

from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.ordering import Origin
from accounts.models import Agency, Reaction
from accounts.tenancy.audit import Actor, record_audit
from accounts.tenancy.languages import language_in
from leads.models import Lead, LeadScore, ScoringSettings
from leads.models.rules import RuleSet
from leads.pipeline.history import record_event
from leads.pipeline.merge import root_ids
from leads.rules.active import CompiledSet, active_rules
from leads.rules.service import create_rule
from leads.scoring.kind import KIND
from leads.scoring.runs import request_run
from leads.scoring.scores import Score, judge_leads, score_lead
from leads.scoring.starting_set import STARTING_SET

#: How far a score must fall below the threshold before the lead is reported again.
REARM_BELOW = 10


def react_to_leads(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Score the leads that changed. A lead whose score rises to the threshold is reported, once."""
    score_leads({reaction.subject for reaction in reactions}, now=timezone.now(), may_report=True, work=work)


def score_leads(lead_ids: Collection[str], *, now: datetime, may_report: bool, work: UnitOfWork = AT_ONCE) -> None:
    """Compute the scores of leads anew. A merged record is scored as the lead that it belongs to.

    Without `may_report` a lead may become important, or cease to be, in silence: the rules or the time made it so.
    """
    roots = sorted(set(root_ids(sorted(lead_ids)).values()))
    leads = list(Lead.objects.select_related("agency").filter(pk__in=roots).order_by("pk"))
    LeadScore.objects.filter(lead__merged_into__in=roots).delete()
    before = {row.pk: row for row in LeadScore.objects.select_for_update().filter(lead__in=leads).order_by("pk")}
    rows = []
    for agency in {lead.agency_id: lead.agency for lead in leads}.values():
        rules, settings = rules_for(agency), settings_of(agency)
        half_life = timedelta(days=settings.half_life_days)
        own = [lead for lead in leads if lead.agency_id == agency.pk]
        for lead, verdicts in zip(own, judge_leads(own, rules.rules), strict=True):
            score = score_lead(lead, rules.rules, verdicts, half_life=half_life, now=now)
            was_high = lead.pk in before and before[lead.pk].is_high
            row = _row_of(lead, score, rules, now, is_high=_is_high(score, settings, was_high=was_high))
            rows.append(row)
            if row.is_high and not was_high and may_report and not lead.is_test and not lead.recovered:
                origin = Origin(by="automation", at=now)
                record_event(lead, EventType.LEAD_HIGH_PRIORITY, origin=origin, work=work)
    _store(rows)


def settings_of(agency: Agency) -> ScoringSettings:
    """Return the agency's settings, or the defaults, unsaved."""
    return ScoringSettings.objects.filter(agency=agency).first() or ScoringSettings(agency=agency)


@transaction.atomic
def change_settings(agency: Agency, *, threshold: int, half_life_days: int, by: Actor | None = None) -> None:
    """Change when a lead is of high priority, and how fast engagement fades. All leads are scored anew."""
    values = {"threshold": threshold, "half_life_days": half_life_days}
    ScoringSettings.objects.update_or_create(agency=agency, defaults=values)
    record_audit(
        agency, by=by, action=gettext_noop("Scoring changed"), detail=f"from {threshold}, {half_life_days} days"
    )
    request_run(agency)


def rules_for(agency: Agency) -> CompiledSet:
    """Return the agency's scoring rules. An agency that never had any gets the starting set."""
    if not RuleSet.objects.filter(agency=agency, kind=KIND.name).exists():
        _make_starting_set(agency)
    return active_rules(KIND, agency)


@transaction.atomic
def _make_starting_set(agency: Agency) -> None:
    Agency.objects.select_for_update().get(pk=agency.pk)
    if not RuleSet.objects.filter(agency=agency, kind=KIND.name).exists():
        with translation.override(language_in(agency.locale)):
            for values in STARTING_SET:
                create_rule(KIND, agency, **{**values, "name": gettext(values["name"])})


def _is_high(score: Score, settings: ScoringSettings, *, was_high: bool) -> bool:
    """Return whether a lead counts as reported: from the threshold on, until it falls `REARM_BELOW` points below."""
    return score.total >= settings.threshold - (REARM_BELOW if was_high else 0)


def _row_of(lead: Lead, score: Score, rules: CompiledSet, now: datetime, *, is_high: bool) -> LeadScore:
    return LeadScore(
        lead=lead,
        agency_id=lead.agency_id,
        fit=score.fit,
        engagement=score.engagement,
        total=score.total,
        grade=score.grade,
        contributions=[asdict(one) for one in score.contributions],
        rules_version=rules.version,
        is_high=is_high,
        scored_at=now,
    )


def _store(rows: Sequence[LeadScore]) -> None:
    fields = ["fit", "engagement", "total", "grade", "contributions", "rules_version", "is_high", "scored_at"]
    LeadScore.objects.bulk_create(rows, update_conflicts=True, unique_fields=["lead"], update_fields=fields)
    changed = [row.lead for row in rows if (row.lead.score, row.lead.grade) != (row.total, row.grade)]
    for row in rows:
        row.lead.score, row.lead.grade = row.total, row.grade
    Lead.objects.bulk_update(changed, ["score", "grade"])
