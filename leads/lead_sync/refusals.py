"""Say what LinkedIn refuses a connection, from the rows that wait: forms, pulls, the answers of single leads."""

from operator import attrgetter

from accounts.core.wording import several
from accounts.providers.linkedin import ErrorKind, LinkedInError
from leads.lead_sync import sentences
from leads.lead_sync.problem import ConnectionProblem
from leads.models import LeadFetch, LeadForm, LeadSync, RefusedForm

MAX_NAMED = 10
#: Attempts after which what may pass by itself is shown as a problem.
MIN_ATTEMPTS = 3


def of_forms(sync: LeadSync) -> list[ConnectionProblem]:
    """Name the forms that LinkedIn does not show and that are still asked for."""
    rows = [row for row in sync.refused_forms.all() if row.next_attempt_at is not None]
    names = _names_of_forms(sync, rows[:MAX_NAMED])
    found = [
        ConnectionProblem(
            "form_refused",
            sentences.FORM_REFUSED(
                form=names.get(row.form_id, row.form_id),
                why=several(sentences.WHY_NO_FORM.get(ErrorKind(row.reason), sentences.WHY_NO_FORM_NOW)),
            ),
        )
        for row in rows[:MAX_NAMED]
    ]
    if len(rows) > MAX_NAMED:
        found.append(ConnectionProblem("form_refused", sentences.MORE_FORMS_REFUSED(count=len(rows) - MAX_NAMED)))
    return found


def of_pulls(sync: LeadSync) -> list[ConnectionProblem]:
    """Say whose leads cannot be pulled, and of whom some are missing."""
    found = []
    named_by_a_check = any(row["code"].startswith("role_") for row in sync.problems)
    latest = {(pull.owner, pull.lead_type): pull for pull in sorted(sync.pulls.all(), key=attrgetter("pk"))}
    for pull in latest.values():
        whose = {"lead_type": pull.lead_type.lower(), "owner": pull.owner.rpartition(":")[2]}
        has_to_do = pull.reason in sentences.PULL_TO_DO
        if pull.next_attempt_at and pull.error and (pull.attempts >= MIN_ATTEMPTS or has_to_do):
            to_do = sentences.PULL_TO_DO[ErrorKind(pull.reason)] if has_to_do else sentences.TRIED_AGAIN
            found.append(ConnectionProblem("pull", sentences.NOT_ALL_FETCHED(**whose, why=several(pull.error, to_do))))
        if pull.reason == "no_role" and not pull.next_attempt_at and not named_by_a_check:
            found.append(ConnectionProblem("pull", sentences.NOT_ALL_FETCHED(**whose, why=several(pull.error))))
        if pull.skipped:
            skipped = sentences.LEADS_SKIPPED(**whose, count=pull.skipped)
            found.append(ConnectionProblem("leads_skipped", skipped))
    return found


def of_fetches(sync: LeadSync) -> list[ConnectionProblem]:
    """Say how many leads have waited long for their answers."""
    withdrawn = str(LinkedInError(ErrorKind.NOT_FOUND))  # most often, and no problem then
    waiting = LeadFetch.objects.filter(source=sync.source_id, next_attempt_at__isnull=False, attempts__gt=MIN_ATTEMPTS)
    waiting = waiting.exclude(error__in=["", withdrawn])
    count = waiting.count()
    if not count:
        return []
    why = several(waiting.values_list("error", flat=True).first() or "")
    waits = sentences.LEAD_WAITS(why=why) if count == 1 else sentences.LEADS_WAIT(count=count, why=why)
    return [ConnectionProblem("answers", waits)]


def _names_of_forms(sync: LeadSync, rows: list[RefusedForm]) -> dict[str, str]:
    """Return how people call a form of which LinkedIn has shown another version."""
    known = LeadForm.objects.filter(agency=sync.source.agency_id, form_id__in=[row.form_id for row in rows])
    return {form_id: f"“{name}” ({form_id})" for form_id, name in known.values_list("form_id", "name") if name}
