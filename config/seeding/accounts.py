"""What a report does to an account, as `accounts.services` and what follows it would write it at that time."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts import sentences, services
from accounts.core.enums import AccountStatus, CampaignStatus, EventType, IncidentCause, PausedBy, ProviderSlug
from accounts.core.ids import new_token
from accounts.core.sentences import stored
from accounts.core.wording import Sentence
from accounts.events import outbox
from accounts.events.ordering import Origin
from accounts.labels import STATES
from accounts.linkedin.advice import is_deliberate, needs_owner
from accounts.linkedin.incidents import ALERT_DELAY, opening_sentence, probable_cause
from accounts.models import Account, AccountReport, Campaign, Incident, IncidentStep, Outage, ReauthPrompt, ReauthStep
from accounts.models.reauth import PromptEnd, StepKind
from accounts.reauth.prompts import LIFETIME, REMINDERS, SYSTEM
from config.seeding.place import Place


@dataclass(slots=True)
class Together:
    """Accounts that go down together: once all of them are, they are an incident."""

    place: Place
    count: int
    outages: list[Outage] = field(default_factory=list)
    incident: Incident | None = None

    def join(self, outage: Outage) -> None:
        self.outages.append(outage)
        if len(self.outages) == self.count:
            self._open()

    def leave(self, at: datetime) -> None:
        """Note that an account is back; close the incident if it was the last."""
        incident = self.incident
        if incident is None or any(outage.back_at is None for outage in self.outages):
            return
        incident.closed_at = at + timedelta(seconds=5)
        self._add_step(incident.closed_at, sentences.INCIDENT_CLOSED())
        self._record_count(incident.closed_at, 0)

    def _open(self) -> None:
        first, last = self.outages[0], self.outages[-1]
        at = last.at + timedelta(seconds=5)
        self.incident = Incident(
            id=self.place.rows.new_id("inc", at), agency=self.place.agency, provider=first.provider,
            cause=probable_cause(self.outages, across_agencies=False), opened_at=first.at, last_outage_at=last.at,
            alerted_at=first.noted_at + max(ALERT_DELAY, at - first.noted_at), created_at=at,
        )  # fmt: skip
        self.place.rows.add(self.incident)
        for outage in self.outages:
            outage.incident = self.incident
        self._add_step(at, opening_sentence(self.outages, across_agencies=False))
        self._record_count(at, self.count)
        self._add_step(at + timedelta(seconds=1), sentences.INCIDENT_STAFF_ALERTED())

    def _add_step(self, at: datetime, sentence: Sentence) -> None:
        self.place.rows.add(IncidentStep(incident=self.incident, at=at, text=sentence, sentence=stored(sentence)))

    def _record_count(self, at: datetime, count: int) -> None:
        """Record the event of the agency and the staff. A count of zero says that the incident is over."""
        incident, agency, rows = self.incident, self.place.agency, self.place.rows
        assert incident is not None  # noqa: S101 (asked by the callers)
        outbox.record_event(
            agency, EventType.ACCOUNTS_INCIDENT, subject=incident.id, work=rows,
            occurred_at=incident.closed_at or at, incident_id=incident.id, cause=str(incident.cause), count=count,
            account_ids=[outage.account_id for outage in self.outages] if count else [], provider=incident.provider,
        )  # fmt: skip
        outbox.record_event(
            agency, EventType.STAFF_ALERT, subject=incident.id, occurred_at=at, work=rows, incident_id=incident.id,
            cause=str(incident.cause), count=min(count, 1),
        )  # fmt: skip


def report_status(
    place: Place, account: Account, status: AccountStatus, reason: str, together: Together | None, origin: Origin
) -> None:
    """Let an account have a status, and whatever follows: history, events, campaigns, the owner's prompt, outages."""
    before = account.status
    if status == before:
        return
    account.status, account.status_reason, account.status_since = status, reason, origin.at
    account.reported_at, account.reported_sequence = origin.order
    account.updated_at = origin.at
    _write_report(place, account, before, status, origin, note=reason)
    extra = {"error_detail": reason} if status is AccountStatus.AUTH_ERROR else {}
    services.record_account_event(account, _event_of(account, before), origin=origin, work=place.rows, **extra)
    if before or status is not AccountStatus.ACTIVE:
        _move_campaigns(place, account, origin)
        _follow_prompt(place, account, origin)
        _follow_outage(place, account, together, origin)


def limit_rate(place: Place, account: Account, resets_at: datetime, origin: Origin) -> None:
    """Let LinkedIn limit an account until then."""
    account.rate_limited_until = resets_at
    note = f"rate limited until {outbox.iso_timestamp(resets_at)}"
    _write_report(place, account, account.status, account.status, origin, note=note)
    services.record_account_event(
        account, EventType.LINKEDIN_RATE_LIMIT, origin=origin, work=place.rows, limit_type="daily",
        api_name="messages", resets_at=outbox.iso_timestamp(resets_at),
    )  # fmt: skip


def pause_campaign(place: Place, campaign: Campaign, by: PausedBy, reason: str, origin: Origin) -> None:
    """Let a campaign that runs be paused."""
    campaign.status, campaign.paused_by, campaign.pause_reason = CampaignStatus.PAUSED, by, reason
    campaign.updated_at = origin.at
    _record_campaign_event(place, campaign, EventType.CAMPAIGN_PAUSED, origin, paused_by=by, pause_reason=reason)


def _write_report(place: Place, account: Account, before: str, after: str, origin: Origin, *, note: str) -> None:
    place.rows.add(
        AccountReport(
            account=account, from_status=before, to_status=after, occurred_at=origin.at, reported_by=origin.by,
            receipt_id=origin.receipt_id, applied=True, note=note[:500], created_at=origin.at,
        )
    )  # fmt: skip


def _event_of(account: Account, before: str) -> EventType:
    status = AccountStatus(account.status)
    if status is not AccountStatus.ACTIVE:
        return services.EVENTS[status]
    passed_on = account.provider == ProviderSlug.LINKEDCONNECTOR  # which has no word for a first connection
    return EventType.LINKEDIN_RECONNECTED if before or passed_on else EventType.LINKEDIN_CONNECTED


def _move_campaigns(place: Place, account: Account, origin: Origin) -> None:
    is_active = account.status == AccountStatus.ACTIVE
    for campaign in place.campaigns:
        if campaign.account is not account or campaign.created_at > origin.at:
            continue
        if not is_active and campaign.status == CampaignStatus.ACTIVE:
            pause_campaign(place, campaign, PausedBy.SYSTEM, STATES[AccountStatus(account.status)], origin)
        elif is_active and campaign.status == CampaignStatus.PAUSED and campaign.paused_by == PausedBy.SYSTEM:
            campaign.status, campaign.paused_by, campaign.pause_reason = CampaignStatus.ACTIVE, "", ""
            campaign.updated_at = origin.at
            _record_campaign_event(place, campaign, EventType.CAMPAIGN_RESUMED, origin)


def _record_campaign_event(
    place: Place, campaign: Campaign, event_type: EventType, origin: Origin, **fields: Any
) -> None:
    account = campaign.account
    about = outbox.account_fields(account) if account else {"provider": campaign.provider}
    outbox.record_event(
        place.agency, event_type, subject=campaign.id, occurred_at=origin.at, receipt_id=origin.receipt_id,
        work=place.rows, **about, **outbox.campaign_fields(campaign), **fields,
    )  # fmt: skip


def _follow_prompt(place: Place, account: Account, origin: Origin) -> None:
    prompt = place.prompts.get(account.pk)
    if prompt and not needs_owner(account):
        end = PromptEnd.DONE if account.status == AccountStatus.ACTIVE else PromptEnd.REVOKED
        note = f"{end.label}. The account is {account.status_label}."
        _end_prompt(place, prompt, end, origin.at, note)
    elif prompt is None and needs_owner(account):
        _open_prompt(place, account, origin)


def _open_prompt(place: Place, account: Account, origin: Origin) -> None:
    """Ask the owner by mail, and remind them as long as the account waits."""
    token = new_token()
    place.prompts[account.pk] = prompt = ReauthPrompt(
        id=place.rows.new_id("rap", origin.at), account=account, token=token, status=account.status,
        digest=hashlib.sha256(token.encode()).hexdigest(), opened_by=SYSTEM, opened_at=origin.at,
        expires_at=origin.at + LIFETIME, recipients=[account.email],
    )  # fmt: skip
    reminders = (origin.at + wait for wait in REMINDERS)
    prompt.next_attempt_at = next((at for at in reminders if at > place.now), prompt.expires_at)
    place.rows.add(prompt)
    place.rows.add(ReauthStep(prompt=prompt, kind=StepKind.OPENED, at=origin.at, note=f"by {SYSTEM}"))
    services.record_account_event(account, EventType.REAUTH_REQUESTED, origin=origin, work=place.rows)
    mail = outbox.record_event(
        place.agency, EventType.REAUTH_REQUESTED, subject=account.id, occurred_at=origin.at, work=place.rows,
        receipt_id=origin.receipt_id, recipient=account.email, **outbox.account_fields(account),
    )  # fmt: skip
    place.rows.add(
        ReauthStep(prompt=prompt, kind=StepKind.MAILED, at=origin.at, recipient=account.email, event_id=mail.id)
    )


def _end_prompt(place: Place, prompt: ReauthPrompt, end: PromptEnd, at: datetime, note: str) -> None:
    if at > prompt.expires_at:
        end, at, note = PromptEnd.EXPIRED, prompt.expires_at, f"{PromptEnd.EXPIRED.label}."
    prompt.closed_at, prompt.closed_as, prompt.next_attempt_at = at, end, None
    place.rows.add(ReauthStep(prompt=prompt, kind=StepKind.CLOSED, at=at, note=note))
    del place.prompts[prompt.account_id]


def _follow_outage(place: Place, account: Account, together: Together | None, origin: Origin) -> None:
    outage, group = place.outages.get(account.pk, (None, None))
    if outage is not None:
        outage.back_at = origin.at
        del place.outages[account.pk]
        if group:
            group.leave(origin.at)
    if account.status in (AccountStatus.ACTIVE, AccountStatus.DELETED) or is_deliberate(account):
        return
    is_password = account.status == AccountStatus.AUTH_ERROR
    outage = Outage(
        account=account, agency=place.agency, provider=account.provider, status=account.status, at=origin.at,
        cause=IncidentCause.PASSWORD if is_password else IncidentCause.PROVIDER, noted_at=origin.at,
        last_at=origin.at, pending=False,
    )  # fmt: skip
    place.rows.add(outage)
    place.outages[account.pk] = (outage, together)
    if together:
        together.join(outage)
        return
    outage.alerted_at = origin.at + ALERT_DELAY
    outbox.record_event(
        place.agency, EventType.STAFF_ALERT, subject=account.id, occurred_at=outage.alerted_at, work=place.rows,
        **outbox.account_fields(account),
    )  # fmt: skip
