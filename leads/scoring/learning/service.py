"""Ask for points to be learned, and take over, schedule or call off what was suggested."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.errors import FieldError, StateError
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import end
from accounts.models import Agency
from accounts.tenancy.audit import Actor, record_audit
from leads.enums import RuleAction
from leads.models import ScoreLearning
from leads.rules.service import change_rules, lock_rule_set
from leads.scoring.kind import KIND

STATES = ScoreLearning.State
RULES_CHANGED = gettext_noop("The rules were changed since. Learn again.")


@transaction.atomic
def request_learning(agency: Agency, *, by: Actor | None = None) -> ScoreLearning:
    """Have points learned anew. It takes the place of suggestions that nobody took over. Raises StateError."""
    Agency.objects.select_for_update().get(pk=agency.pk)
    if newest_learning(agency, state=STATES.SCHEDULED):
        raise StateError("", "Suggested points are scheduled: call that off first.")
    ScoreLearning.objects.filter(agency=agency).exclude(state=STATES.ACCEPTED).delete()
    learning = ScoreLearning.objects.create(agency=agency)
    record_audit(agency, by=by, action=gettext_noop("Scores learned"))
    transaction.on_commit(lambda: wake_up_jobs("sync"), robust=True)
    return learning


def newest_learning(agency: Agency, **state: Any) -> ScoreLearning | None:
    """Return what was learned last, or None."""
    return ScoreLearning.objects.filter(agency=agency, **state).order_by("-pk").first()


@transaction.atomic
def accept_suggestions(
    learning: ScoreLearning,
    *,
    rules: Collection[str] | None = None,
    at: datetime | None = None,
    by: Actor | None = None,
) -> ScoreLearning:
    """Take over the suggested points of some rules, or of all: now, or `at` a time. Raises FieldError.

    They become one new version of the rules. A rule whose suggestion is 0 is switched off.
    """
    learning = _lock(learning)
    if learning.state != STATES.LEARNED:
        raise StateError("", "These suggestions cannot be taken over (any more).")
    offered = suggested_points(learning)
    chosen = list(offered) if rules is None else list(rules)
    if unknown := [pk for pk in chosen if pk not in offered]:
        raise FieldError("rules", f"Nothing else is suggested for the rule {unknown[0][:40]!r}.")
    if not chosen:
        raise FieldError("rules", "Choose at least one suggestion.")
    learning.chosen, learning.accepted_by = sorted(chosen), str(by)[:200] if by is not None else ""
    if at is None:
        _apply(learning, by)
    elif at <= timezone.now():
        raise FieldError("at", "Enter a time that is still to come.")
    else:
        _refuse_changed_rules(learning)
        learning.state, learning.next_attempt_at, learning.attempts = STATES.SCHEDULED, at, 0
        learning.save()
        record_audit(
            learning.agency, by=by, action=gettext_noop("Suggested points scheduled"), detail=f"{at:%Y-%m-%d %H:%M} UTC"
        )
    return learning


@transaction.atomic
def call_off(learning: ScoreLearning, *, by: Actor | None = None) -> ScoreLearning:
    """Call off points that are scheduled. Raises StateError."""
    learning = _lock(learning)
    if learning.state != STATES.SCHEDULED:
        raise StateError("", "Nothing is scheduled.")
    end(ScoreLearning.objects.filter(pk=learning.pk), state=STATES.LEARNED, chosen=[], accepted_by="")
    record_audit(learning.agency, by=by, action=gettext_noop("Scheduled points called off"))
    learning.refresh_from_db()
    return learning


@transaction.atomic
def apply_scheduled(learning: ScoreLearning) -> None:
    """Take scheduled points over, whose time has come. Raises StateError if the rules were changed since."""
    _apply(_lock(learning), None)


def suggested_points(learning: ScoreLearning) -> dict[str, int]:
    """Return the points that the rules should get, by the rule's id. Rules that keep theirs are left out."""
    features = (learning.result or {}).get("features", ())
    return {
        one["rule"]: one["suggested"]
        for one in features
        if one["suggested"] is not None and one["suggested"] != one["points"]
    }


def _apply(learning: ScoreLearning, by: Actor | None) -> None:
    _refuse_changed_rules(learning)
    points = suggested_points(learning)
    changes = {pk: {"points": points[pk]} if points[pk] else {"active": False} for pk in learning.chosen}
    rule_set = change_rules(KIND, learning.agency, changes, action=RuleAction.LEARNED, by=by)
    learning.state, learning.next_attempt_at, learning.leased_until = STATES.ACCEPTED, None, None
    learning.accepted_at, learning.accepted_version = timezone.now(), rule_set.version
    learning.save()
    record_audit(
        learning.agency, by=by, action=gettext_noop("Suggested points taken over"), detail=f"{len(changes)} rules"
    )


def _refuse_changed_rules(learning: ScoreLearning) -> None:
    if lock_rule_set(KIND, learning.agency).version != learning.rules_version:
        raise StateError("", RULES_CHANGED)


def _lock(learning: ScoreLearning) -> ScoreLearning:
    return ScoreLearning.objects.select_for_update(of=("self",)).select_related("agency").get(pk=learning.pk)
