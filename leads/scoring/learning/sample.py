"""Read the leads that scores can be learned from, as they were before it was known what became of them.

A value that may have come after the outcome would predict it perfectly and say nothing. So:

- the status and the campaign are those before the lead converted, or before it was closed;
- what a person typed into a lead counts as missing: nothing says when it was typed;
- a target list counts for the leads that came after its last change: it may have been made of customers;
- tags and the lead's age are left out: see `UNLEARNABLE`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from accounts.core.derived_fields import DerivedField
from accounts.models import Agency
from leads.conditions.compiler import Condition
from leads.conditions.fields import LeadValues
from leads.conditions.target_lists import FIELD as TARGET_LIST
from leads.conditions.target_lists import values_of
from leads.enums import ENDED, LeadStatus
from leads.models import Lead, LeadChange, LeadReference, TargetList
from leads.pipeline.conversions import conversions_of, converted_at, reached_statuses
from leads.pipeline.provenance import ValueOrigin
from leads.rules.active import CompiledRule

#: Fields whose values nobody can date --> why nothing is learned from them.
UNLEARNABLE = {
    "tags": gettext_noop("Tags may have been set after the outcome."),
    "received": gettext_noop("A lead's age says how long it had to convert."),
}
#: Which leads count: those of a year that had some time to convert. Of more, the newest.
PERIOD = timedelta(days=365)
MATURITY = timedelta(days=14)
MAX_LEADS = 20_000
CHUNK = 500
UNREAD = ("search_text", "consents", "hidden_fields")
_DERIVED = [
    field for field in Lead._meta.concrete_fields if isinstance(field, DerivedField) and field.name not in UNREAD
]


@dataclass(frozen=True, slots=True)
class Case:
    """What each rule said of one lead before its outcome, and the outcome."""

    verdicts: tuple[bool | None, ...]
    converted: bool


def read_cases(
    agency: Agency,
    rules: Sequence[CompiledRule],
    *,
    now: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Case]:
    """Return the leads to learn from, the oldest first. `progress` is called with the leads that are done, and all."""
    leads = Lead.objects.without_tests().filter(agency=agency, details_pending=False)
    leads = leads.filter(received_at__gte=now - PERIOD, received_at__lt=now - MATURITY)
    newest = list(leads.order_by("-received_at", "-pk").values_list("pk", flat=True)[:MAX_LEADS])[::-1]
    conditions = [compiled.condition for compiled in rules]
    changed_at = dict(TargetList.objects.filter(agency=agency).values_list("pk", "updated_at"))
    conversions = conversions_of([agency.pk])[agency.pk]
    cases: list[Case] = []
    for start in range(0, len(newest), CHUNK):
        cases += _cases_of(newest[start : start + CHUNK], conditions, changed_at, conversions)
        progress(min(start + CHUNK, len(newest)), len(newest))
    return cases


def why_unlearnable(condition: Condition) -> str:
    """Return why nothing can be learned from a condition, "" if something can."""
    return next((reason for name, reason in UNLEARNABLE.items() if name in condition.fields), "")


def _cases_of(
    pks: Sequence[str],
    conditions: Sequence[Condition],
    changed_at: dict[str, datetime],
    conversions: Collection[LeadStatus],
) -> Iterator[Case]:
    by_id = Lead.objects.defer(*UNREAD).in_bulk(pks)
    leads = [by_id[pk] for pk in pks if pk in by_id]
    reached = reached_statuses(pks)
    outcomes = [converted_at(reached.get(lead.pk, {}), conversions) is not None for lead in leads]
    _undo_what_came_after(leads, outcomes, conversions)
    for lead, values, converted in zip(leads, values_of(leads, conditions), outcomes, strict=True):
        _leave_out_newer_lists(lead, values, changed_at)
        verdicts = (None if why_unlearnable(condition) else condition.evaluate(values) for condition in conditions)
        yield Case(tuple(verdicts), converted)


def _undo_what_came_after(leads: Sequence[Lead], outcomes: Sequence[bool], conversions: Collection[LeadStatus]) -> None:
    """Give leads, unsaved, the status and the campaign from before their outcome, and none of the typed values."""
    decided = [lead.pk for lead, converted in zip(leads, outcomes, strict=True) if converted or lead.status in ENDED]
    before = _statuses_before(decided, {*conversions, *ENDED})
    campaigns = _first_campaigns(leads)
    for lead in leads:
        lead.status = before.get(lead.pk, lead.status)
        lead.campaign_id = campaigns.get(lead.pk, lead.campaign_id)
        typed = {name for name, origin in lead.provenance.items() if origin == ValueOrigin.PERSON}
        for name in typed:
            setattr(lead, name, "")
        for field in _DERIVED:
            if field.names & typed:
                field.pre_save(lead, add=False)


def _statuses_before(decided: Sequence[str], outcomes: Collection[LeadStatus]) -> dict[str, str]:
    """Return the status of each lead with an outcome from just before the change that was the outcome."""
    changes = LeadChange.objects.filter(lead__in=decided, new_status__in=outcomes, applied=True, is_report=True)
    found: dict[str, str] = {}
    for pk, previous in changes.order_by("occurred_at", "pk").values_list("lead", "previous_status"):
        found.setdefault(pk, previous)
    return {pk: found.get(pk, "") for pk in decided}


def _first_campaigns(leads: Sequence[Lead]) -> dict[str, str | None]:
    """Return the campaign in which each lead was first met: later ones may be for customers."""
    references = LeadReference.objects.filter(lead__in=[lead.pk for lead in leads]).order_by("-pk")
    return dict(references.values_list("lead", "campaign"))


def _leave_out_newer_lists(lead: Lead, values: LeadValues, changed_at: dict[str, datetime]) -> None:
    lists = values.get(TARGET_LIST)
    if lists:
        values[TARGET_LIST] = frozenset(
            one for one in lists if one in changed_at and changed_at[one] <= lead.received_at
        )
