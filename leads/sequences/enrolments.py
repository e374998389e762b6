"""Enrol leads in sequences, and end, pause and resume their enrolments. Whoever does locks the lead first."""

from collections.abc import Sequence as Rows
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.enums import EventType, provider_name
from accounts.core.errors import StateError
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import hasten
from accounts.events.ordering import Origin
from leads.enums import ChangedBy, EmailState, EndReason, EnrolmentState, MessageState, StepState, TriggerKind
from leads.labels import END_REASONS
from leads.models import Enrolment, Lead, Message, OutboundEmail, Sequence, SequenceVersion, StepRun
from leads.models.sequences import OPEN_STATES
from leads.pipeline.history import record_event
from leads.pipeline.merge import lock_root
from leads.sequences.contacts import live_campaign_of, refusal_for
from leads.sequences.steps import Step, steps_of
from leads.sequences.timing import due_at
from leads.sequences.zones import zone_of

#: How long a paused or waiting enrolment waits until it is looked at again without a reason.
POLL = timedelta(hours=1)


@transaction.atomic
def enrol(
    lead: Lead, sequence: Sequence, *, trigger: TriggerKind = TriggerKind.HAND, user: User | None = None
) -> Enrolment:
    """Enrol a lead in the latest version of a sequence. Raises StateError, whose message says why it cannot be, and
    Lead.DoesNotExist if the lead was erased."""
    lead = lock_lead(lead.pk)
    sequence = Sequence.objects.select_related("agency").get(pk=sequence.pk)
    if sequence.agency_id != lead.agency_id:
        raise StateError("sequence", gettext("There is no such sequence."))
    if (reason := refusal(lead, sequence)) is not None:
        raise StateError("sequence", reason)
    return _create(lead, sequence, trigger=trigger, user=user)


@transaction.atomic
def enrol_by_trigger(lead: Lead, sequence: Sequence, trigger: TriggerKind) -> Enrolment | None:
    """Enrol a locked lead that a trigger found, once ever. One in a live campaign is noted as refused.

    Return None if it was enrolled before, or cannot be now.
    """
    if Enrolment.objects.filter(lead=lead, sequence=sequence).exists():
        return None
    if live_campaign_of(lead) is not None:
        return _create(lead, sequence, trigger=trigger, refused=EndReason.LIVE_CAMPAIGN)
    if refusal(lead, sequence) is not None:
        return None
    return _create(lead, sequence, trigger=trigger)


def refusal(lead: Lead, sequence: Sequence) -> str | None:
    """Return why a lead cannot be enrolled now, in the reader's language, or None."""
    if not sequence.active:
        return gettext("The sequence is switched off.")
    if (reason := refusal_for(lead)) is not None:
        return gettext("%(lead)s cannot be enrolled: %(reason)s") % {"lead": lead, "reason": END_REASONS[reason].text}
    if (reference := live_campaign_of(lead)) is not None:
        return gettext(
            "%(lead)s is in the campaign “%(campaign)s” of %(provider)s, which goes on: both would write to the lead."
        ) % {"lead": lead, "campaign": reference.campaign, "provider": provider_name(reference.provider)}
    if (other := _open_enrolment_of_person(lead)) is not None:
        return gettext("%(lead)s is enrolled in “%(sequence)s” already.") % {"lead": lead, "sequence": other.sequence}
    return None


@transaction.atomic
def stop_enrolment(enrolment: Enrolment) -> Enrolment:
    """Stop an enrolment, as a person decided. Raises StateError if it has ended."""
    lead, found = lock_open(enrolment)
    end_enrolment(found, lead, EndReason.STOPPED)
    return found


@transaction.atomic
def pause_enrolment(enrolment: Enrolment, *, until: datetime | None = None) -> Enrolment:
    """Pause an enrolment until a time, or until a person resumes it. Raises StateError if it has ended."""
    _, found = lock_open(enrolment)
    found.state, found.paused_until = EnrolmentState.PAUSED, until
    found.next_attempt_at, found.leased_until = until, None
    found.save(update_fields=["state", "paused_until", "next_attempt_at", "leased_until"])
    return found


@transaction.atomic
def resume_enrolment(enrolment: Enrolment) -> Enrolment:
    """Let a paused enrolment go on. Raises StateError if it is not paused."""
    _, found = lock_open(enrolment)
    if found.state != EnrolmentState.PAUSED:
        raise StateError("state", gettext("This enrolment is not paused."))
    found.state, found.paused_until = EnrolmentState.ACTIVE, None
    found.next_attempt_at = max(found.due_at or timezone.now(), timezone.now())
    found.leased_until = None
    found.save(update_fields=["state", "paused_until", "next_attempt_at", "leased_until"])
    hasten(OutboundEmail.objects.filter(run__enrolment=found, state=EmailState.WAITING))
    wake_up_after_commit()
    return found


def end_enrolment(enrolment: Enrolment, lead: Lead, reason: EndReason) -> bool:
    """End an open enrolment of a locked lead, and cancel what of it waits to be sent. Return False if it has ended."""
    now = timezone.now()
    state = EnrolmentState.FINISHED if reason is EndReason.COMPLETED else EnrolmentState.STOPPED
    changes = {
        "state": state,
        "reason": reason,
        "ended_at": now,
        "due_at": None,
        "next_attempt_at": None,
        "leased_until": None,
    }
    if not Enrolment.objects.filter(pk=enrolment.pk, ended_at__isnull=True).update(
        paused_until=None, last_step=enrolment.last_step, **changes
    ):
        return False
    for name, value in changes.items():
        setattr(enrolment, name, value)
    if reason is not EndReason.COMPLETED:
        _cancel_waiting(enrolment)
    record_event(
        lead,
        EventType.SEQUENCE_FINISHED,
        origin=Origin(by=ChangedBy.AUTOMATION, at=now),
        sequence_id=enrolment.sequence_id,
        sequence_name=enrolment.sequence.name,
        enrolment_id=enrolment.pk,
        end_reason=reason.value,
    )
    return True


def _cancel_waiting(enrolment: Enrolment) -> None:
    """Cancel the steps that wait. What is being sent now stays with the worker that has it."""
    runs = StepRun.objects.filter(enrolment=enrolment, state__in=[StepState.WAITING, StepState.HELD])
    emails = OutboundEmail.objects.filter(run__in=runs, state__in=[EmailState.WAITING, EmailState.HELD])
    emails = OutboundEmail.objects.filter(pk__in=list(emails.values_list("pk", flat=True)))
    unsent = Message.objects.filter(run__in=runs, sending_state__in=[MessageState.QUEUED, MessageState.HELD])
    Message.objects.filter(pk__in=list(unsent.filter(sending__called_at=None).values_list("pk", flat=True))).delete()
    on_its_way = Q(email__state=EmailState.SENDING) | Q(message__sending_state=MessageState.SENDING)
    runs.exclude(on_its_way).update(state=StepState.CANCELLED)
    emails.update(state=EmailState.CANCELLED, next_attempt_at=None)


def schedule(enrolment: Enrolment, lead: Lead, *, after: datetime, steps: Rows[Step] | None = None) -> Step | None:
    """Plan the next step of a locked lead's open enrolment, which follows what was confirmed at `after`.

    End the enrolment and return None if no step is left.
    """
    steps = steps_of(enrolment.version.steps) if steps is None else steps
    step = following_step(steps, enrolment)
    if step is None:
        end_enrolment(enrolment, lead, EndReason.COMPLETED)
        return None
    at = due_at(after, delay=step.delay, window=step.window, zone=zone_for(lead))
    paused = enrolment.state == EnrolmentState.PAUSED
    enrolment.next_step, enrolment.due_at, enrolment.attempts, enrolment.error = step.id, at, 0, ""
    enrolment.next_attempt_at, enrolment.leased_until = enrolment.paused_until if paused else at, None
    enrolment.save(
        update_fields=["next_step", "due_at", "attempts", "error", "next_attempt_at", "leased_until", "last_step"]
    )
    return step


def following_step(steps: Rows[Step], enrolment: Enrolment) -> Step | None:
    """Return the first step after all those that were begun, or None. Steps of other versions do not count."""
    begun = set(StepRun.objects.filter(enrolment=enrolment).values_list("step", flat=True))
    places = [place for place, step in enumerate(steps) if step.id in begun]
    rest = steps[places[-1] + 1 :] if places else steps
    return rest[0] if rest else None


def zone_for(lead: Lead) -> ZoneInfo:
    """Return the lead's time zone, or the agency's where it is unknown."""
    return zone_of(lead) or ZoneInfo(lead.agency.timezone)


def lock_lead(pk: str) -> Lead:
    """Lock a lead with what steps read. Raises Lead.DoesNotExist if it was erased."""
    related = ("agency", "assigned_to", "account__sub_account", "campaign")
    found = lock_root(pk, Lead.all_records.select_for_update(of=("self",)).select_related(*related))
    if found is None:
        raise Lead.DoesNotExist
    return found


def open_enrolment_of(lead: Lead) -> Enrolment | None:
    found = Enrolment.objects.filter(lead=lead, state__in=OPEN_STATES)
    return found.select_related("sequence", "version").first()


def lock_open(enrolment: Enrolment) -> tuple[Lead, Enrolment]:
    """Lock an enrolment's lead, and return both as they are now. Raises StateError if the enrolment has ended."""
    lead = lock_lead(enrolment.lead_id)
    found = Enrolment.objects.select_related("sequence", "version").get(pk=enrolment.pk)
    if not found.is_open:
        raise StateError("state", gettext("This enrolment has ended already."))
    return lead, found


def wake_up_after_commit() -> None:
    transaction.on_commit(lambda: wake_up_jobs("receipts"), robust=True)
    transaction.on_commit(lambda: wake_up_jobs("deliveries"), robust=True)


def _open_enrolment_of_person(lead: Lead) -> Enrolment | None:
    """Return the open enrolment of a lead, or of another lead with the same e-mail address."""
    if (own := open_enrolment_of(lead)) is not None or not lead.email:
        return own
    others = Lead.objects.filter(agency=lead.agency_id).annotate(lower=Lower("email")).filter(lower=lead.email.lower())
    found = Enrolment.objects.filter(lead__in=others.values("pk"), state__in=OPEN_STATES)
    return found.select_related("sequence").first()


def _create(
    lead: Lead,
    sequence: Sequence,
    *,
    trigger: TriggerKind,
    user: User | None = None,
    refused: EndReason | None = None,
) -> Enrolment:
    now = timezone.now()
    enrolment = Enrolment(
        agency_id=lead.agency_id,
        lead=lead,
        sequence=sequence,
        version=SequenceVersion.objects.get(sequence=sequence, number=sequence.version),
        trigger=trigger,
        user=user,
        state=EnrolmentState.STOPPED if refused else EnrolmentState.ACTIVE,
        reason=refused or "",
        created_at=now,
        ended_at=now if refused else None,
        next_attempt_at=None,
    )
    enrolment.save(force_insert=True)
    if not refused:
        schedule(enrolment, lead, after=now)
        wake_up_after_commit()
    return enrolment
