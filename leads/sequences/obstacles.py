"""Find out what has a step of a sequence wait that writes to the lead, whatever the channel."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from leads.enums import EnrolmentState
from leads.inbox.dispatch import Obstacle
from leads.models import Enrolment, Lead
from leads.sequences.contacts import brake_ends, live_campaign_of
from leads.sequences.enrolments import POLL, zone_for
from leads.sequences.steps import Step, steps_of
from leads.sequences.timing import next_in_window

#: How long a step waits while the lead is in a live campaign.
CAMPAIGN_WAIT = timedelta(hours=6)
IS_OFF = gettext_noop("The sequence is switched off.")
IS_PAUSED = gettext_noop("The enrolment is paused.")
IN_CAMPAIGN = gettext_noop("The lead is in a campaign that goes on.")
BRAKED = gettext_noop("The lead was written to automatically less than 24 hours ago.")
OUT_OF_WINDOW = gettext_noop("It is outside of the hours of this step.")
NO_TEMPLATE = gettext_noop("The template of the step is gone.")


def obstacle_to(
    enrolment: Enrolment, step: Step | None, lead: Lead, now: datetime, *, recipient: str = "", besides: str = ""
) -> Obstacle | None:
    """Return what has a step wait, or None. `besides` is the e-mail or the message of the step itself."""
    if enrolment.state == EnrolmentState.PAUSED:
        return Obstacle(enrolment.paused_until or now + POLL, IS_PAUSED)
    if not enrolment.sequence.active:
        return Obstacle(now + POLL, IS_OFF)
    if live_campaign_of(lead) is not None:
        return Obstacle(now + CAMPAIGN_WAIT, IN_CAMPAIGN)
    if step is not None:
        at = next_in_window(now, window=step.window, zone=zone_for(lead))
        if at > now:
            return Obstacle(at, OUT_OF_WINDOW)
    if (free_at := brake_ends(lead, now, recipient=recipient, besides=besides)) is not None:
        return Obstacle(free_at, BRAKED)
    return None


def step_of(enrolment: Enrolment, step_id: str) -> Step | None:
    """Return a step of the enrolment's version, or None if the version has none of this id."""
    return next((step for step in steps_of(enrolment.version.steps) if step.id == step_id), None)
