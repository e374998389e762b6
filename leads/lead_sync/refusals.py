"""Say what LinkedIn refuses a connection, from the rows that wait: forms, pulls, the answers of single leads."""

from operator import attrgetter

from accounts.providers.linkedin import ErrorKind, LinkedInError
from leads.lead_sync.problem import ConnectionProblem
from leads.models import LeadFetch, LeadForm, LeadSync, RefusedForm

MAX_NAMED = 10
#: Attempts after which what may pass by itself is shown as a problem.
MIN_ATTEMPTS = 3
_WHY_NO_FORM = {
    ErrorKind.FORBIDDEN: "the person who connected LinkedIn may not see it. A super admin of the page behind the form "
    "gives this person the role “Lead gen forms manager” (on the page: Settings, Manage admins)",
    ErrorKind.NOT_FOUND: "LinkedIn has no such form, or does not show it to the person who connected. Look in Campaign "
    "Manager under Lead gen forms: if it is there, this person needs the role “Lead gen forms manager” on its page; if "
    "it was deleted, nothing can be done",
    ErrorKind.REFUSED: "LinkedIn refuses it. Look in Campaign Manager under Lead gen forms whether it still is there "
    "and published",
    ErrorKind.UNREADABLE: "LinkedIn's answer cannot be read. If this lasts for days, send this sentence to whoever "
    "runs this Leadline",
}
_WHY_NO_FORM_NOW = "LinkedIn answers with an error. If this lasts for days, ask LinkedIn's support"
_TO_DO = {
    ErrorKind.FORBIDDEN: "Whoever connected LinkedIn needs a role there, or somebody who has one connects LinkedIn.",
    ErrorKind.SUNSET: "",
}


def of_forms(sync: LeadSync) -> list[ConnectionProblem]:
    """Name the forms that LinkedIn does not show and that are still asked for."""
    rows = [row for row in sync.refused_forms.all() if row.next_attempt_at is not None]
    names = _names_of_forms(sync, rows[:MAX_NAMED])
    found = [
        ConnectionProblem(
            "form_refused",
            f"The form {names.get(row.form_id, row.form_id)} is not shown: "
            f"{_WHY_NO_FORM.get(ErrorKind(row.reason), _WHY_NO_FORM_NOW)}. Its leads come, but without their questions’"
            " texts, and without name and e-mail address where only the form says which answer that is. Everything is "
            "filled in by itself when the form can be read.",
        )
        for row in rows[:MAX_NAMED]
    ]
    if len(rows) > MAX_NAMED:
        found.append(ConnectionProblem("form_refused", f"{len(rows) - MAX_NAMED} more forms are not shown."))
    return found


def of_pulls(sync: LeadSync) -> list[ConnectionProblem]:
    """Say whose leads cannot be pulled, and of whom some are missing."""
    found = []
    named_by_a_check = any(row["code"].startswith("role_") for row in sync.problems)
    latest = {(pull.owner, pull.lead_type): pull for pull in sorted(sync.pulls.all(), key=attrgetter("pk"))}
    for pull in latest.values():
        whose = f"the {pull.lead_type.lower()} leads of {pull.owner.rpartition(':')[2]}"
        if pull.next_attempt_at and pull.error and (pull.attempts >= MIN_ATTEMPTS or pull.reason in _TO_DO):
            to_do = _TO_DO.get(ErrorKind(pull.reason), "") if pull.reason in _TO_DO else "It is tried again by itself."
            found.append(
                ConnectionProblem("pull", f"Not all of {whose} could be fetched: {pull.error} {to_do}".strip())
            )
        if pull.reason == "no_role" and not pull.next_attempt_at and not named_by_a_check:
            found.append(ConnectionProblem("pull", f"Not all of {whose} could be fetched: {pull.error}"))
        if pull.skipped:
            found.append(
                ConnectionProblem(
                    "leads_skipped",
                    f"{pull.skipped} of {whose} could not be read, the others are here. They are asked for again "
                    "once a day. If this lasts, ask LinkedIn's support, or whoever runs this Leadline.",
                )
            )
    return found


def of_fetches(sync: LeadSync) -> list[ConnectionProblem]:
    """Say how many leads have waited long for their answers."""
    withdrawn = str(LinkedInError(ErrorKind.NOT_FOUND))  # most often, and no problem then
    waiting = LeadFetch.objects.filter(source=sync.source_id, next_attempt_at__isnull=False, attempts__gt=MIN_ATTEMPTS)
    waiting = waiting.exclude(error__in=["", withdrawn])
    count = waiting.count()
    if not count:
        return []
    why = waiting.values_list("error", flat=True).first()
    leads = "1 lead waits" if count == 1 else f"{count} leads wait"
    return [ConnectionProblem("answers", f"{leads} for answers: {why} They are asked for again by themselves.")]


def _names_of_forms(sync: LeadSync, rows: list[RefusedForm]) -> dict[str, str]:
    """Return how people call a form of which LinkedIn has shown another version."""
    known = LeadForm.objects.filter(agency=sync.source.agency_id, form_id__in=[row.form_id for row in rows])
    return {form_id: f"“{name}” ({form_id})" for form_id, name in known.values_list("form_id", "name") if name}
