"""Create, change and delete sequences. A change of the trigger or the steps makes a new version."""

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Rows
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from accounts.core.errors import FieldError
from accounts.core.jobs import hasten
from accounts.core.text import MAX_NAME_LENGTH, plain
from accounts.models import Agency
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from leads.conditions.target_lists import register_condition_holders
from leads.enums import EmailState, StepKind
from leads.models import Enrolment, Lead, MessageTemplate, OutboundEmail, Sequence, SequenceVersion, StepRun
from leads.models.sequences import OPEN_STATES
from leads.sequences.enrolments import following_step, lock_lead, wake_up_after_commit, zone_for
from leads.sequences.senders import verified_sender
from leads.sequences.steps import Step, checked_steps, checked_trigger, steps_of
from leads.sequences.templates import register_template_users
from leads.sequences.timing import due_at

MAX_SEQUENCES = 100


@dataclass(frozen=True, slots=True)
class Move:
    """What moving an enrolment to the latest version changes: the step that comes next, and when."""

    enrolment: Enrolment
    step_before: str
    step_after: Step | None
    due_at: datetime | None


@transaction.atomic
def create_sequence(
    agency: Agency,
    *,
    name: str,
    trigger: Mapping[str, Any],
    steps: Rows[Mapping[str, Any]],
    active: bool = False,
    by: Actor | None = None,
) -> Sequence:
    """Create a sequence with its first version. Raises FieldError, which names the wrong part of a step."""
    Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    if agency.sequences.count() >= MAX_SEQUENCES:
        raise FieldError("", gettext("An agency has at most %(n)d sequences.") % {"n": MAX_SEQUENCES})
    sequence = Sequence(agency=agency)
    _rename(sequence, name)
    checked = checked_trigger(agency, trigger), checked_steps(agency, steps, known=())
    _set_active(sequence, active, checked[1])
    sequence.save(force_insert=True)
    _add_version(sequence, 1, *checked, by=by)
    audit.log_creation(by, sequence, gettext_noop("Sequence created"))
    return sequence


@transaction.atomic
def update_sequence(sequence: Sequence, *, by: Actor | None = None, **changes: Any) -> Sequence:
    """Change the name, `active`, the trigger or the steps. Who is enrolled keeps the version. Raises FieldError."""
    sequence = _locked(sequence)
    current = latest_version(sequence)
    if "name" in changes:
        _rename(sequence, changes["name"])
    trigger = checked_trigger(sequence.agency, changes["trigger"]) if "trigger" in changes else current.trigger
    steps = current.steps
    if "steps" in changes:
        steps = checked_steps(sequence.agency, changes["steps"], known=_known_steps(sequence))
    if (trigger, steps) != (current.trigger, current.steps):
        sequence.version = current.number + 1
        _add_version(sequence, sequence.version, trigger, steps, by=by)
    if "active" in changes and changes["active"] != sequence.active:
        _set_active(sequence, changes["active"], steps)
        wake_up_after_commit()
    sequence.save()
    if sequence.active:
        hasten(Enrolment.objects.filter(sequence=sequence, due_at__lte=timezone.now()))
        hasten(OutboundEmail.objects.filter(run__enrolment__sequence=sequence, state=EmailState.WAITING))
    audit.log_change(by, sequence, gettext_noop("Sequence changed"), ", ".join(sorted(changes)))
    return sequence


@transaction.atomic
def delete_sequence(sequence: Sequence, *, by: Actor | None = None) -> None:
    """Delete a sequence with its history. Raises FieldError while a lead is enrolled in it."""
    sequence = _locked(sequence)
    if Enrolment.objects.filter(sequence=sequence, state__in=OPEN_STATES).exists():
        raise FieldError("", gettext("Leads are enrolled in this sequence. Stop them first."))
    audit.log_deletion(by, sequence, gettext_noop("Sequence deleted"))
    sequence.delete()


def latest_version(sequence: Sequence) -> SequenceVersion:
    return SequenceVersion.objects.get(sequence=sequence, number=sequence.version)


def plan(steps: Rows[Step], lead: Lead, start: datetime) -> list[tuple[Step, datetime]]:
    """Return when each step would be due for a lead that is enrolled at `start`, if each is confirmed at once."""
    found, after = [], start
    for step in steps:
        after = due_at(after, delay=step.delay, window=step.window, zone=zone_for(lead))
        found.append((step, after))
    return found


def planned_moves(sequence: Sequence) -> list[Move]:
    """Return what moving the open enrolments of older versions to the latest one would change. Nothing is changed."""
    steps = steps_of(latest_version(sequence).steps)
    return [_planned_move(enrolment, steps) for enrolment in _older_enrolments(sequence)]


@transaction.atomic
def move_enrolments(sequence: Sequence, *, by: Actor | None = None) -> int:
    """Move the open enrolments of older versions to the latest one. Return how many. No step is carried out twice."""
    sequence = _locked(sequence)
    latest = latest_version(sequence)
    steps, moved = steps_of(latest.steps), 0
    for enrolment in _older_enrolments(sequence):
        lead = lock_lead(enrolment.lead_id)
        found = Enrolment.objects.select_related("version", "sequence").get(pk=enrolment.pk)
        if not found.is_open:
            continue
        move = _planned_move(found, steps, lead)
        found.version, found.next_step = latest, move.step_after.id if move.step_after else ""
        if found.due_at is not None:
            found.due_at = move.due_at or timezone.now()
            found.next_attempt_at = found.paused_until if found.state == "paused" else found.due_at
            found.leased_until = None
        found.save(update_fields=["version", "next_step", "due_at", "next_attempt_at", "leased_until"])
        moved += 1
    audit.log_change(by, sequence, gettext_noop("Enrolments moved to the latest version"), str(moved))
    wake_up_after_commit()
    return moved


def _older_enrolments(sequence: Sequence) -> Iterable[Enrolment]:
    open_ = Enrolment.objects.filter(sequence=sequence, state__in=OPEN_STATES)
    older = open_.filter(version__number__lt=sequence.version).order_by("lead_id")
    return older.select_related("lead__agency", "version")


def _planned_move(enrolment: Enrolment, steps: Rows[Step], lead: Lead | None = None) -> Move:
    lead = lead or enrolment.lead
    step = following_step(steps, enrolment)
    if step is None or enrolment.due_at is None:
        return Move(enrolment, enrolment.next_step, step, None)
    last = StepRun.objects.filter(enrolment=enrolment, confirmed_at__isnull=False).order_by("-confirmed_at").first()
    after = last.confirmed_at if last and last.confirmed_at else enrolment.created_at
    due = due_at(after, delay=step.delay, window=step.window, zone=zone_for(lead))
    return Move(enrolment, enrolment.next_step, step, max(due, timezone.now()))


def _add_version(
    sequence: Sequence, number: int, trigger: Mapping[str, Any], steps: Rows[Mapping[str, Any]], *, by: Actor | None
) -> None:
    SequenceVersion.objects.create(
        sequence=sequence, number=number, trigger=trigger, steps=steps, changed_by=str(by)[:200] if by else ""
    )


def _set_active(sequence: Sequence, active: bool, steps: Rows[Mapping[str, Any]]) -> None:
    """Switch a sequence on or off. Raises FieldError if it could not send its e-mails."""
    if active and any(step["kind"] == StepKind.EMAIL for step in steps) and not verified_sender(sequence.agency_id):
        raise FieldError("active", gettext("First set up and confirm the address that your e-mails come from."))
    sequence.active_since = timezone.now() if active else None
    sequence.disabled_reason = ""


def _known_steps(sequence: Sequence) -> list[Step]:
    """Return the steps of all versions: their ids are never given to others."""
    return [step for steps in sequence.versions.values_list("steps", flat=True) for step in steps_of(steps)]


def _rename(sequence: Sequence, name: str) -> None:
    sequence.name = " ".join(plain(name).split())
    if not sequence.name or len(sequence.name) > MAX_NAME_LENGTH:
        raise FieldError("name", gettext("Enter a name of at most %(n)d characters.") % {"n": MAX_NAME_LENGTH})
    if Sequence.objects.filter(agency=sequence.agency, name=sequence.name).exclude(pk=sequence.pk).exists():
        raise FieldError("name", gettext("There is a sequence of this name already."))


def _locked(sequence: Sequence) -> Sequence:
    return Sequence.objects.select_for_update(of=("self",)).select_related("agency").get(pk=sequence.pk)


@register_template_users
def _sequences_with(template: MessageTemplate) -> list[str]:
    """Return the sequences that send a template: by their latest version, or to somebody who is enrolled."""
    sequences = Sequence.objects.filter(agency=template.agency_id)
    pinned = Enrolment.objects.filter(agency=template.agency_id, state__in=OPEN_STATES).values("version")
    found = []
    for sequence in sequences:
        versions = sequence.versions.filter(number=sequence.version) | sequence.versions.filter(pk__in=pinned)
        if any(step.template == template.pk for version in versions for step in steps_of(version.steps)):
            found.append(gettext("The sequence “%(name)s”") % {"name": sequence})
    return found


@register_condition_holders
def _conditions_of(agency: Agency) -> Iterable[tuple[str, Any]]:
    for sequence in Sequence.objects.filter(agency=agency):
        version = latest_version(sequence)
        yield f"sequence “{sequence}”", version.trigger["conditions"]
        for step in version.steps:
            yield f"sequence “{sequence}”", step["condition"]
