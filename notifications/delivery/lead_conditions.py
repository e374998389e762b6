"""Decide which channels with conditions get an event about a lead: those whose conditions the lead fulfils."""

from collections.abc import Iterable, Sequence

import structlog
from django.utils.translation import gettext_noop

from accounts.models import Event
from leads.conditions import UNREAD_COLUMNS, Condition, ConditionError
from leads.conditions.target_lists import compile_for, values_of
from leads.models import Lead
from leads.pipeline.merge import root_ids
from notifications.delivery.channel_health import disable_and_warn
from notifications.models import Channel, ChannelStatus

log = structlog.get_logger(__name__)

CANNOT_BE_FOLLOWED = gettext_noop("Its conditions about leads can no longer be followed.")

#: An event's id and a channel's.
Pair = tuple[str, str]


def refused_by_conditions(events: Sequence[Event], channels: Sequence[Channel]) -> frozenset[Pair]:
    """Return which events about leads the conditions of which channels (with agency) keep out.

    Without conditions it asks nothing of the database; with them, for the leads of all events together. An erased lead,
    and one of which a missing value leaves the conditions open, fulfils none. A channel whose conditions cannot be
    compiled any more is disabled, with the reason, and its agency is alerted.
    """
    with_conditions = [channel for channel in channels if channel.conditions]
    about = {event.pk: event.payload["lead_id"] for event in events if _is_filtered(event)} if with_conditions else {}
    if not about:
        return frozenset()
    conditions = _compile(with_conditions)
    fulfilled = _fulfilled(set(about.values()), conditions)
    return frozenset(
        (event.pk, channel.pk)
        for event in events
        for channel in with_conditions
        if event.pk in about
        and event.agency_id == channel.agency_id
        and channel.pk not in (event.also_for or ())
        and (about[event.pk], channel.pk) not in fulfilled
    )


def _is_filtered(event: Event) -> bool:
    """Return whether conditions about leads apply to an event. They do not to one that is for one receiver."""
    return bool(event.payload.get("lead_id")) and not event.channel_id and not event.recipient


def _compile(channels: Iterable[Channel]) -> dict[Channel, Condition]:
    compiled = {}
    for channel in channels:
        try:
            compiled[channel] = compile_for(channel.agency, channel.conditions)
        except ConditionError as error:
            log.warning("channel_disabled", channel=channel.pk, reason=str(error))
            _disable(channel)
    return compiled


def _disable(channel: Channel) -> None:
    rows = Channel.objects.select_related("agency").defer("url", "headers")
    locked = rows.select_for_update(of=("self",), no_key=True).get(pk=channel.pk)
    if locked.conditions == channel.conditions and locked.status == ChannelStatus.ENABLED:
        disable_and_warn(locked, CANNOT_BE_FOLLOWED)
    channel.status = locked.status


def _fulfilled(lead_ids: set[str], conditions: dict[Channel, Condition]) -> set[Pair]:
    """Return the ids of leads, with those of the channels whose conditions they fulfil. A merged record counts as the
    lead that it belongs to."""
    roots = root_ids(sorted(lead_ids))
    leads = list(Lead.objects.filter(pk__in=set(roots.values())).defer(*UNREAD_COLUMNS).order_by("pk"))
    values = dict(zip((lead.pk for lead in leads), values_of(leads, conditions.values()), strict=True))
    return {
        (pk, channel.pk)
        for pk, root in roots.items()
        for channel, condition in conditions.items()
        if root in values and condition.matches(values[root])
    }
