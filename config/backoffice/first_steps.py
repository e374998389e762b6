"""The first steps of a new agency: what is still to do before it works by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import Role
from accounts.models import Agency
from accounts.web.portal.navigation import OWNERS, WRITERS
from notifications.models import ChannelStatus

#: The time zone of an agency for which nobody chose one. The portal offers it to nobody.
UNKNOWN_ZONE = "UTC"
#: After so long an agency has found its way: steps that it left out are shown no more.
NEW_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what it is for, its button, the page where it is done, who may, and whether it is done."""

    title: Promise
    purpose: Promise
    button: Promise
    view: Callable[[Agency], str]
    is_done: Callable[[Agency], bool]
    roles: frozenset[Role] = WRITERS
    is_essential: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A step as one member sees it. `url` is empty where they may not do it."""

    step: Step
    done: bool
    url: str


STEPS = (
    Step(
        _("Set your time zone and working hours"),
        _("Times in e-mails and reports are yours, and deadlines run only while you work."),
        _("Set time zone and hours"),
        lambda agency: "portal_settings" if agency.timezone == UNKNOWN_ZONE else "portal_hours",
        lambda agency: agency.timezone != UNKNOWN_ZONE and agency.calendars.exists(),
    ),
    Step(
        _("Connect a source"),
        _("You get a webhook URL for your outreach tool, and a guide where to paste it."),
        _("Add source"),
        lambda agency: "portal_sources",
        lambda agency: agency.sources.filter(removed_at=None).exists(),
        is_essential=True,
    ),
    Step(
        _("Receive the first event"),
        _("Paste the URL and the secret into the tool, or send a sample event from the source's page."),
        _("Open sources"),
        lambda agency: "portal_sources",
        lambda agency: agency.receipts.exists(),
        is_essential=True,
    ),
    Step(
        _("Turn on notifications"),
        _("By e-mail, in Slack, or by webhook to your own programs."),
        _("Add channel"),
        lambda agency: "portal_notifications",
        lambda agency: agency.channels.filter(status=ChannelStatus.ENABLED).exists(),
        is_essential=True,
    ),
    Step(
        _("Invite your team"),
        _("Colleagues answer leads that are assigned to them."),
        _("Invite"),
        lambda agency: "portal_team",
        lambda agency: agency.members.count() > 1 or agency.invitations.exists(),
        OWNERS,
    ),
    Step(
        _("Add your brand"),
        _("Account owners see your name, logo and colour when they reconnect."),
        _("Set brand"),
        lambda agency: "portal_brand",
        lambda agency: getattr(agency, "brand", None) is not None,
    ),
)


def open_steps(agency: Agency, role: Role) -> list[Shown]:
    """Return all steps while the agency is to be led through them, else none.

    It is while one of them is open: in its first days any, later on one without which nothing comes in or goes out.
    """
    steps = [Shown(step, step.is_done(agency), _url(step, agency, role)) for step in STEPS]
    is_new = timezone.now() - agency.created_at < NEW_FOR
    missing = [shown for shown in steps if not shown.done and (is_new or shown.step.is_essential)]
    return steps if missing else []


def _url(step: Step, agency: Agency, role: Role) -> str:
    return reverse(step.view(agency)) if role in step.roles else ""
