"""Define the choices of events that people pick from, instead of ticking thirty boxes."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.core.enums import AGENCY_EVENTS, EventType
from notifications.content.catalogue import CATALOGUE
from notifications.content.event_kinds import EventKind
from notifications.delivery.fan_out import OPT_IN_EVENTS

EVERYTHING, CHOSEN = "all", "some"
NEEDS_ACTION, ACCOUNT_HEALTH, REPLIES, OPPORTUNITIES = "action", "health", "replies", "opportunities"
_HEALTH_PREFIXES = ("linkedin_", "reauth_", "accounts_")


@dataclass(frozen=True, slots=True)
class Preset:
    """Describe a choice of events. `event_types` is what is stored: empty for all events."""

    name: str
    title: Any
    hint: Any
    event_types: tuple[str, ...] = ()


def _those(condition: Callable[[EventKind], bool]) -> tuple[str, ...]:
    """Return the event types that meet the condition, without those that repeat what an earlier event said."""
    kinds = [CATALOGUE[EventType(name)] for name in AGENCY_EVENTS]
    return tuple(kind.name for kind in kinds if condition(kind) and kind.event_type not in OPT_IN_EVENTS)


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(EVERYTHING, _("Everything"), _("Every event, also those that are added later.")),
        Preset(
            NEEDS_ACTION,
            _("What needs action"),
            _("Accounts, sources and channels that somebody has to look after, replies and opportunities."),
            _those(lambda kind: kind.needs_action),
        ),
        Preset(
            ACCOUNT_HEALTH,
            _("Account health"),
            _("LinkedIn accounts: connected, disconnected, blocked, rate limited, incidents."),
            _those(lambda kind: kind.name.startswith(_HEALTH_PREFIXES)),
        ),
        Preset(
            REPLIES,
            _("Replies and opportunities"),
            _("A lead replied, or became an opportunity."),
            (EventType.LEAD_REPLIED.value, EventType.LEAD_OPPORTUNITY.value),
        ),
        Preset(
            OPPORTUNITIES,
            _("Opportunities only"),
            _("A lead became an opportunity."),
            (EventType.LEAD_OPPORTUNITY.value,),
        ),
        Preset(CHOSEN, _("Choose events"), _("Only the events that you tick.")),
    )
}


def preset_of(event_types: Collection[str]) -> str:
    """Return the name of the preset that these stored event types are."""
    if not event_types:
        return EVERYTHING
    chosen = set(event_types)
    with_types = [preset for preset in PRESETS.values() if preset.event_types]
    return next((preset.name for preset in with_types if chosen == {*preset.event_types}), CHOSEN)
