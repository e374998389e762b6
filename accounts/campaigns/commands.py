"""Campaign commands: pauses and resumptions, carried out at the provider too where we hold a key to its API.

A row says how the campaign is to be. The latest command is the one that is carried out, whatever happens on the way.
What the provider then reports of our own call is an echo, and changes nothing.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.core.connections import undone_after_outage
from accounts.core.enums import CampaignStatus, ProviderSlug
from accounts.core.job_handlers import wake_up_jobs
from accounts.linkedin.readiness import held
from accounts.models import Campaign, CampaignCall, CampaignCommand, Source
from accounts.models.command import CommandAction, CommandStatus
from accounts.providers import sendpilot
from accounts.providers.client import ProviderError

log = structlog.get_logger(__name__)

#: What follows the first attempt, the second, …
WAITS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600))
HELD = timedelta(minutes=1)  # before an account that is not ready is asked about again
LEASE = timedelta(seconds=60)  # a call and a look at what became of it last 40 s at most
BATCH = 20
#: How long after a call its echo is expected.
ECHO = timedelta(minutes=15)
SKEW = timedelta(minutes=1)  # of the provider's clock
ACTIONS = {CampaignStatus.PAUSED: CommandAction.PAUSE, CampaignStatus.ACTIVE: CommandAction.RESUME}
HEALS = frozenset({408, 425, 429})
NO_KEY = "No source of this agency has an API key for SendPilot any more."
OVERTAKEN = "The provider reported another change since."
CRASHED = "Every attempt ended with the worker that made it."


class NothingFailed(ValueError):
    """There is nothing to try again."""


def place(campaign: Campaign) -> None:
    """Have the campaign, which changed on our side, changed at its provider too; in the change's transaction."""
    action = ACTIONS.get(CampaignStatus(campaign.status))
    if action is None or campaign.provider != ProviderSlug.SENDPILOT or key_of(campaign) is None:
        return
    now = timezone.now()
    wish = {"action": action, "status": CommandStatus.PENDING, "attempts": 0, "error": "", "done_at": None}
    times = {"next_attempt_at": now, "issued_at": now}
    command, is_new = CampaignCommand.objects.get_or_create(campaign=campaign, defaults={**wish, **times})
    if not is_new:
        CampaignCommand.objects.filter(pk=command.pk).update(number=F("number") + 1, **wish, **times)
    transaction.on_commit(_wake_up, robust=True)


@transaction.atomic
def retry(campaign: Campaign) -> CampaignCommand:
    """Try a failed command again, on behalf of a person. Raises NothingFailed."""
    command = CampaignCommand.objects.select_for_update().filter(campaign=campaign, status=CommandStatus.FAILED).first()
    if command is None:
        raise NothingFailed("Nothing that was asked of the provider has failed.")
    command.status, command.attempts, command.error, command.next_attempt_at = (
        CommandStatus.PENDING,
        0,
        "",
        timezone.now(),
    )
    command.number += 1
    command.save()
    transaction.on_commit(_wake_up, robust=True)
    return command


def is_echo(campaign: Campaign, status: CampaignStatus, *, by: str, at: datetime) -> bool:
    """Whether a report of this time only tells of a call of ours; each call has one echo. The campaign is locked."""
    action = ACTIONS.get(status)
    if action is None or by not in ("api", ""):
        return False
    ours = campaign.calls.filter(action=action, at__gt=at - ECHO, at__lt=at + SKEW, echoed_at__isnull=True)
    call = ours.order_by("id").first()
    if call is None:
        return False
    call.echoed_at = timezone.now()
    call.save(update_fields=["echoed_at"])
    return True


def overtake(campaign: Campaign) -> None:
    """The provider reported a change that was not ours: what we were about to ask is void."""
    CampaignCommand.objects.filter(campaign=campaign, status=CommandStatus.PENDING).update(
        status=CommandStatus.CANCELLED, number=F("number") + 1, next_attempt_at=None, error=OVERTAKEN
    )


def carry_out_due(limit: int = BATCH) -> int:
    """Carry out what is due; how many calls were made. The network is never inside a transaction."""
    now = timezone.now()
    with undone_after_outage(partial(_release, now + LEASE)):
        claimed = _claim(limit, now)
        for command, call in claimed:
            _settle(command, call, *_carry_out(command))
    return len(claimed)


def key_of(campaign: Campaign) -> dict[str, str] | None:
    """The credentials of the source that the campaign came by, or of the agency's only one that has some."""
    sources = Source.objects.filter(agency_id=campaign.agency_id, provider=campaign.provider, removed_at__isnull=True)
    keys = {source.pk: found for source in sources if sendpilot.can_control(found := source.readable_credentials)}
    if campaign.source_id in keys:
        return keys[campaign.source_id]
    return next(iter(keys.values())) if len(keys) == 1 else None


def _wake_up() -> None:
    wake_up_jobs("sync")


def _release(until: datetime) -> None:
    """Give back what was claimed with this lease and is not done. The attempt does not count."""
    claimed = CampaignCommand.objects.filter(leased_until=until)
    claimed.update(leased_until=None, attempts=F("attempts") - 1)


@transaction.atomic
def _claim(limit: int, now: datetime) -> list[tuple[CampaignCommand, CampaignCall]]:
    due = CampaignCommand.objects.filter(
        Q(leased_until__isnull=True) | Q(leased_until__lte=now), status=CommandStatus.PENDING, next_attempt_at__lte=now
    )
    rows = due.order_by("next_attempt_at").select_for_update(of=("self",), skip_locked=True)
    claimed = []
    for command in rows.select_related("campaign__account")[:limit]:
        if _hold(command, now):
            continue
        if command.attempts > len(WAITS):
            command.status, command.error, command.next_attempt_at = CommandStatus.FAILED, CRASHED, None
            command.save()
            continue
        command.attempts, command.leased_until = command.attempts + 1, now + LEASE
        command.save(update_fields=["attempts", "leased_until"])
        # Written before the call: its echo may be faster than its answer.
        claimed.append((command, CampaignCall.objects.create(campaign=command.campaign, action=command.action, at=now)))
    return claimed


def _hold(command: CampaignCommand, now: datetime) -> bool:
    """A resumption waits while its account is not ready, and that is no attempt. A pause never waits: it protects."""
    account = command.campaign.account
    hold = held(account) if account is not None and command.action == CommandAction.RESUME else None
    if hold is None:
        return False
    command.next_attempt_at, command.error = hold.until or now + HELD, hold.message[:300]
    command.save(update_fields=["next_attempt_at", "error"])
    return True


def _carry_out(command: CampaignCommand) -> tuple[str, bool]:
    """Why it did not work (empty: it did), and whether it may yet."""
    credentials = key_of(command.campaign)
    if credentials is None:
        return NO_KEY, False
    try:
        sendpilot.set_campaign(credentials, external_id=command.campaign.external_id, action=command.action)
    except ProviderError as error:
        return str(error), error.status is None or error.status >= 500 or error.status in HEALS
    except Exception as error:
        log.exception("A campaign command failed inside Leadline.", campaign_id=command.pk)
        return f"Leadline could not ask the provider ({type(error).__name__}).", True
    return "", False


@transaction.atomic
def _settle(command: CampaignCommand, call: CampaignCall, error: str, may_heal: bool) -> None:
    now = timezone.now()
    if error:
        CampaignCall.objects.filter(pk=call.pk).update(error=error[:300])
    mine = CampaignCommand.objects.filter(pk=command.pk)
    mine.update(leased_until=None)  # another wish that came meanwhile is next
    mine = mine.filter(number=command.number)
    if not error:
        mine.update(status=CommandStatus.DONE, done_at=now, next_attempt_at=None, error="")
        return
    due = _next_attempt_at(command.attempts, now) if may_heal else None
    mine.update(status=CommandStatus.PENDING if due else CommandStatus.FAILED, next_attempt_at=due, error=error[:300])


def _next_attempt_at(attempts: int, now: datetime) -> datetime | None:
    return now + WAITS[attempts - 1] if attempts <= len(WAITS) else None
