"""Provide `{% load leads %}`: filters for a lead's status and the origin of its values."""

from collections.abc import Mapping

from django import template
from django.contrib.auth.models import User
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.core.enums import provider_name
from accounts.labels import paused_by_name
from accounts.models import Campaign
from accounts.tenancy.localtime import format_local_time
from leads.enums import (
    ENDED,
    EmailState,
    EndReason,
    EnrolmentState,
    HoldReason,
    MessageAuthor,
    MessageState,
    TemplateChannel,
)
from leads.labels import (
    CLOCK_KINDS,
    EMAIL_STATES,
    END_REASONS,
    ENROLMENT_STATES,
    HOLD_REASONS,
    MESSAGE_AUTHORS,
    MESSAGE_STATES,
    ORIGIN_LABELS,
    STOP_REASONS,
    TASK_KINDS,
    TEMPLATE_CHANNELS,
    clock_state,
    due_label,
    duration_text,
    status_badge,
    task_state,
)
from leads.models import Enrolment, Lead, Message, MessageTemplate, OutboundEmail, ResponseClock, Task, Thread
from leads.pipeline.languages import language_name
from leads.pipeline.provenance import ValueOrigin

register = template.Library()
register.filter("language_name", language_name)

register.filter("lead_badge", status_badge)
register.filter("paused_by_name", paused_by_name)
register.filter("local_time", format_local_time)


@register.filter
def answer_due(lead: Lead) -> str:
    """Return how long somebody has to answer, until when; "" if nobody has to. `portal_leads_due` counts it down."""
    if lead.response_due_at is None:
        return ""
    title = format_local_time(lead.response_due_at)
    return format_html('<span class="due" title="{}">{}</span>', title, due_badge(lead))


@register.filter
def due_badge(lead: Lead) -> str:
    """Return how long somebody has to answer; "" if nobody has to."""
    if lead.response_warn_at is None or lead.response_due_at is None:
        return ""
    return due_label(lead.response_warn_at, lead.response_due_at, timezone.now()).badge()


@register.filter
def clock_badge(clock: ResponseClock) -> SafeString:
    """Return how a clock stands, with the time that is left, or how it ended."""
    now = timezone.now()
    return (due_label(clock.warn_at, clock.due_at, now) if clock.is_open else clock_state(clock, now)).badge()


@register.filter
def clock_kind(clock: ResponseClock) -> str:
    return str(CLOCK_KINDS[clock.kind])


@register.filter
def task_kind(task: Task) -> str:
    return str(TASK_KINDS[task.kind])


@register.filter
def task_badge(task: Task) -> SafeString:
    return task_state(task, timezone.now()).badge()


@register.filter
def stop_reason(clock: ResponseClock) -> str:
    return str(STOP_REASONS[clock.stop_reason]) if clock.stop_reason else ""


@register.filter
def time_spent(seconds: float | None) -> str:
    return duration_text(seconds or 0)


@register.filter
def origin_label(lead: Lead, field: str) -> str:
    """Return the label of a contact field's origin; "" if the origin is unknown."""
    origin = lead.provenance.get(field)
    if origin == ValueOrigin.PROVIDER and (provider := _provider_of(lead)):
        return _("from %(provider)s") % {"provider": provider_name(provider)}
    return str(ORIGIN_LABELS[ValueOrigin(origin)]) if origin in set(ValueOrigin) else ""


@register.filter
def value_of(lead: Lead, field: str) -> str:
    """Return the value of a contact field."""
    return str(getattr(lead, field))


@register.filter
def answer_text(value: object) -> str:
    """Return a form's answer as text. Several choices share one line."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "–")


@register.filter
def percent(share: float | None) -> str:
    """Return a share as a percentage, with a decimal below ten; a dash if there is none."""
    if share is None:
        return "–"
    number = share * 100
    return _("%(number)s%%") % {"number": formats.number_format(number, 1 if 0 < number < 10 else 0)}


@register.filter
def paused_by_label(campaign: Campaign) -> str:
    """Who paused a campaign; the provider by its name."""
    return paused_by_name(campaign.paused_by, campaign.provider)


@register.filter
def person_name(user: User) -> str:
    return user.get_full_name() or user.get_username()


@register.filter
def work_line(lead: Lead) -> str:
    """Return what a lead works as, and where."""
    return ", ".join(filter(None, (lead.title, lead.company)))


def _provider_of(lead: Lead) -> str:
    """Return the provider that a lead came from: its source's, or that of its only kind of reference."""
    if lead.source is not None:
        return lead.source.provider
    providers = {reference.provider for reference in lead.references.all()}
    return providers.pop() if len(providers) == 1 else ""


@register.filter
def message_author(author: str) -> str:
    """Return who wrote a message, as people read it."""
    return str(MESSAGE_AUTHORS[MessageAuthor(author)])


@register.filter
def message_badge(message: Message) -> str:
    """Return what became of a message."""
    return MESSAGE_STATES[message.state].badge()


@register.filter
def unsent_badge(state: str) -> str:
    """Return the badge of a stored state of a message that was not sent, or may not have been, else ""."""
    return MESSAGE_STATES[MessageState(state)].badge() if state and state != MessageState.SENT else ""


@register.filter
def message_error(message: Message) -> str:
    """Return why a message was not sent, in the reader's language. Of one that is held the page says it elsewhere."""
    return _(message.error) if message.error and message.state is not MessageState.HELD else ""


@register.filter
def may_decide(message: Message) -> bool:
    """Return whether a person has to decide about a message, or may still take it back."""
    return message.state in {MessageState.HELD, MessageState.QUEUED, MessageState.FAILED, MessageState.UNKNOWN}


@register.filter
def waits(thread: Thread) -> bool:
    """Return whether the lead of a conversation waits for an answer of a person."""
    since, answered_at, received_at = thread.waiting_since, thread.lead.last_response_at, thread.last_received_at
    is_closed = thread.lead.status in ENDED and not (received_at and thread.lead.status_since < received_at)
    return since is not None and (answered_at is None or answered_at < since) and not is_closed


@register.filter
def is_new_for_me(thread: Thread) -> bool:
    """Return whether the lead wrote after the member read the conversation (`read_by_me`) last."""
    read, written = thread.read_by_me, thread.last_received_at  # type: ignore[attr-defined]
    return written is not None and (read is None or read < written)


@register.filter
def template_channel(template: MessageTemplate) -> str:
    """Return what a template is sent by, in words."""
    return str(TEMPLATE_CHANNELS[TemplateChannel(template.channel)])


@register.filter
def enrolment_badge(enrolment: Enrolment) -> SafeString:
    """Return where a lead stands in a sequence."""
    return ENROLMENT_STATES[EnrolmentState(enrolment.state)].badge()


@register.filter
def end_reason(enrolment: Enrolment) -> str:
    """Return why a sequence ended for a lead, as a sentence."""
    return END_REASONS[EndReason(enrolment.reason)].text


@register.filter
def email_badge(email: OutboundEmail) -> SafeString:
    """Return where an e-mail to a lead stands."""
    return EMAIL_STATES[EmailState(email.state)].badge()


@register.filter
def hold_reason(email: OutboundEmail) -> str:
    """Return why an e-mail waits for a person."""
    return str(HOLD_REASONS[HoldReason(email.hold)])


@register.filter
def item(names: Mapping[str, str], key: str) -> str:
    """Return what a mapping has under a key, or a dash."""
    return names.get(key, "–")
