"""Spend the notes of invitations, which LinkedIn allows few of, on the leads with the highest scores."""

from datetime import datetime, timedelta

from django.db.models import Q

from leads.enums import MessageState, SendingKind, StepKind
from leads.models import Enrolment, Lead, Sending
from leads.models.sequences import OPEN_STATES
from leads.sequences.steps import steps_of

#: So many invitations of an account have a note within `MONTH`.
NOTES = 3
MONTH = timedelta(days=30)
#: Invitations that are due within this time compete for the notes that are left.
AHEAD = timedelta(days=1)


def notes_left(account_id: str, now: datetime) -> int:
    """Return how many invitations of an account may still have a note. One that waits to be sent has its note."""
    noted = Sending.objects.filter(kind=SendingKind.INVITATION, message__account=account_id)
    noted = noted.exclude(message__text="").exclude(message__sending_state=MessageState.FAILED)
    return max(0, NOTES - noted.filter(Q(called_at__isnull=True) | Q(called_at__gt=now - MONTH)).count())


def deserves_note(lead: Lead, account_id: str, now: datetime) -> bool:
    """Return whether an invitation has its note, or is sent bare: better leads of the account are due soon, too."""
    left = notes_left(account_id, now)
    if not left:
        return False
    due = Enrolment.objects.filter(
        agency=lead.agency_id, state__in=OPEN_STATES, due_at__lte=now + AHEAD, lead__account=account_id
    )
    better = due.filter(lead__score__gt=lead.score or 0).exclude(lead=lead.pk).select_related("version")
    return sum(map(_invites_with_note, better)) < left


def _invites_with_note(enrolment: Enrolment) -> bool:
    steps = steps_of(enrolment.version.steps)
    return any(
        step.id == enrolment.next_step and step.kind is StepKind.LINKEDIN_CONNECT and bool(step.note) for step in steps
    )
