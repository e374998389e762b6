"""One row of every model, with a canary in every secret and a hostile text in every field that is shown."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.test import Client
from django.utils import timezone

from accounts.models import (
    Account,
    AccountLink,
    AccountReport,
    Agency,
    Campaign,
    CampaignCall,
    CampaignCommand,
    Event,
    Heartbeat,
    IdempotencyRecord,
    MailCount,
    Member,
    RetentionRun,
    Sender,
    Source,
    SourceIssue,
    SubAccount,
)
from accounts.models.agency import Invitation
from accounts.models.incident import Incident, IncidentStep, Outage
from accounts.models.reauth import AccountToken, BouncedAddress, ReauthPrompt, ReauthStep
from accounts.tasks import PURGE, SCHEDULER, WORKERS
from accounts.tenancy.api_keys import create_api_key
from leads.models import (
    Enrichment,
    Lead,
    LeadChange,
    LeadFetch,
    LeadForm,
    LeadMerge,
    LeadReference,
    LeadSync,
    OwnerAccess,
    Pull,
    RefusedForm,
    Subscription,
    Tombstone,
    UnlabelledAnswers,
)
from notifications.models import Attempt, Channel, Delivery, StaffAlerts
from webhooks.models import LatencyTally, ProviderRequest, Receipt, RejectedRequest, SourceMonitor

CANARY = "canarySECRETcanary"


@pytest.fixture
def signed_in(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def onlooker(db: None) -> Client:
    """Staff with the right to look and no other."""
    user = User.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def beating(db: None) -> None:
    """All processes live, and retention runs."""
    for name in (*WORKERS.values(), SCHEDULER, PURGE):
        Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


@pytest.fixture
def everything(agency: Agency, staff: User) -> dict[type[models.Model], Any]:
    return make_everything(agency, staff, text="Ann <b>Lee</b>")


def make_everything(agency: Agency, user: User, *, text: str, number: int = 0) -> dict[type[models.Model], Any]:
    """One row of every model, each shown text being `text`."""
    now = timezone.now() - timedelta(minutes=3)
    key, _ = create_api_key(agency, name=text)
    place = SubAccount.objects.create(
        agency=agency, location_id=f"loc{number}{text}", name=text, installer_name=text, installer_email=text
    )
    source = Source.objects.create(
        agency=agency,
        provider="welink",
        name=text,
        sub_account=place,
        credentials={"api_key": CANARY},
        drift={text: 3},
        last_receipt_at=now,
    )
    secret = source.secrets.create(secret=CANARY)
    account = Account.objects.create(
        agency=agency,
        provider="welink",
        external_id=f"{number}{text}",
        sub_account=place,
        source=source,
        name=text,
        email=text,
        first_name=text,
        last_name=text,
        public_identifier=text,
        occupation=text,
        status="auth_error",
        status_reason=text,
        status_since=now,
        rate_limited_until=now + timedelta(hours=1),
    )
    receipt = Receipt.objects.create(
        source=source,
        agency=agency,
        provider="welink",
        dedupe_key=f"{number}".encode(),
        headers={"user-agent": text, "x-webhook-secret": CANARY},
        body=f'{{"status": "FAILED", "token": "{CANARY}", "text": "{text}"}}'.encode(),
        received_at=now,
        next_attempt_at=now,
        status="quarantined",
        event_type=text[:100],
        correlation=text,
        account_id=account.pk,
        reason="unknown_request",
        error=text,
    )
    report = AccountReport.objects.create(
        account=account,
        from_status="active",
        to_status="auth_error",
        occurred_at=now,
        reported_by="welink",
        receipt_id=receipt.public_id,
        applied=True,
        note=text,
    )
    campaign = Campaign.objects.create(
        agency=agency,
        provider="sendpilot",
        external_id=f"{number}{text}",
        name=text,
        status="paused",
        paused_by="user",
        pause_reason=text,
        account=account,
    )
    shown = dict.fromkeys(
        (
            *("name", "first_name", "last_name", "email", "title", "company", "company_size", "industry", "location"),
            *("form", "owner", "associated_entity", "linkedin_url"),
        ),
        text,
    )
    lead = Lead.objects.create(
        agency=agency,
        **shown,
        linkedin_key=f"linkedin.com/in/{number}",
        answers=[{"question_id": text, "value": text}],
        source=source,
        campaign=campaign,
        account=account,
        status="REPLY_RECEIVED",
        status_since=now,
        assigned_to=user,
        tags=[text],
        received_at=now,
    )
    reference = LeadReference.objects.create(
        lead=lead,
        agency=agency,
        provider="sendpilot",
        external_id=f"{number}{text}",
        source=source,
        campaign=campaign,
        status="REPLY_RECEIVED",
        status_since=now,
    )
    change = LeadChange.objects.create(
        lead=lead,
        reference=reference,
        previous_status="MESSAGE_SENT",
        new_status="REPLY_RECEIVED",
        stated=True,
        changed_by="provider",
        occurred_at=now,
        receipt_id=receipt.public_id,
        applied=True,
        note=text,
    )
    record = Lead.objects.create(agency=agency, name=text, merged_into=lead, status_since=now, received_at=now)
    merge = LeadMerge.objects.create(record=record, merged_at=now, replaced={"name": text})
    event = Event.objects.create(
        agency=agency,
        event_type="linkedin_auth_error",
        payload={"error_detail": text, "token": CANARY, "link": f"https://leadline.example.com/verify/{CANARY}"},
        subject=account.pk,
        location_id=text,
        receipt_id=receipt.public_id,
        occurred_at=now,
        next_attempt_at=now,
        fanned_out_at=now,
        error=text,
    )
    channel = Channel.objects.create(
        agency=agency,
        kind="webhook",
        name=text,
        url=f"https://hooks.example.com/{CANARY}?key={CANARY}",
        headers={"authorization": CANARY},
        verification_token=f"v{number}{CANARY}",
        unsubscribe_token=f"u{number}{CANARY}",
        disabled_reason=text,
        event_types=[text],
        locations=[text],
        consecutive_failures=4,
        failing_since=now,
    )
    channel_secret = channel.secrets.create(secret=CANARY)
    delivery = Delivery.objects.create(
        agency=agency, event=event, channel=channel, status="failed", attempts=10, next_attempt_at=None, error=text
    )
    rows: list[models.Model] = [
        *(agency, user, key, place, source, secret, account, receipt, report, campaign, lead, reference, change, event),
        merge,
        *(channel, channel_secret, delivery),
        Attempt.objects.create(
            delivery=delivery, at=now, duration_ms=31, status_code=500, error=text, response_excerpt=text
        ),
        RejectedRequest.objects.create(
            source=source, reason=f"wrong{number}", diagnosis=text, count=7, first_seen=now, last_seen=now
        ),
        AccountLink.objects.create(agency=agency, first=account, second=account, decided_by=user),
        SourceIssue.objects.create(source=source, kind="rejecting", detail=text),
        SourceMonitor.objects.create(source=source, checked_at=now),
        LatencyTally.objects.create(source=source, began_at=now, requests=300, slow=1),
        ProviderRequest.objects.create(
            source=source, request_id=f"{number}{text}", action="login", account=account, lead=lead
        ),
        sync := LeadSync.objects.create(
            source=source, account=account, connected_by=user, problems=[{"code": text[:20], "message": text}]
        ),
        Subscription.objects.create(sync=sync, owner=text, lead_type="SPONSORED", form=text, entity=text, error=text),
        LeadForm.objects.create(agency=agency, form_id=f"{number}", version="1", name=text, content={"name": text}),
        OwnerAccess.objects.create(sync=sync, owner=f"urn:li:organization:{number}", lead_type="EVENT"),
        refused := RefusedForm.objects.create(
            sync=sync, form_id=f"{number}", reason="forbidden", refused_at=now, next_attempt_at=now
        ),
        UnlabelledAnswers.objects.create(reference=reference, form=refused, version="1"),
        LeadFetch.objects.create(reference=reference, source=source, next_attempt_at=now, error=text),
        Pull.objects.create(sync=sync, owner=text, lead_type="SPONSORED", since=now, until=now, total=3, error=text),
        Enrichment.objects.create(lead=lead, error=text),
        Tombstone.objects.create(agency=agency, provider="linkedin", digest=f"{number}", erased_at=now),
        IdempotencyRecord.objects.create(
            agency=agency, key=f"{number}{text}", fingerprint="0", body={"secret": CANARY}
        ),
        Member.objects.get_or_create(agency=agency, user=user, defaults={"role": "owner"})[0],
        Invitation.objects.create(agency=agency, email=f"{number}{text}", role="owner", invited_by=user),
        prompt := ReauthPrompt.objects.create(
            account=account,
            token=CANARY,
            digest=f"{number}{CANARY}",
            status="auth_error",
            opened_by="staff",
            recipients=[text],
            expires_at=now + timedelta(days=1),
        ),
        ReauthStep.objects.create(prompt=prompt, kind="mailed", recipient=text, reference=text, note=text),
        AccountToken.objects.create(account=account, token=CANARY),
        BouncedAddress.objects.create(email=f"{number}{text}".lower(), reason=text),
        Sender.objects.create(agency=agency, provider="sendpilot", external_id=f"{number}{text}"),
        CampaignCommand.objects.create(campaign=campaign, action="pause", status="failed", error=text),
        CampaignCall.objects.create(campaign=campaign, action="pause", error=text),
        incident := Incident.objects.create(agency=agency, opened_at=now, last_outage_at=now),
        Outage.objects.create(
            account=account, agency=agency, provider="welink", status="auth_error", cause="password", incident=incident
        ),
        IncidentStep.objects.create(incident=incident, text=text),
        StaffAlerts.objects.get_or_create(user=user, defaults={"slack_url": CANARY, "has_own_slack": True})[0],
        Group.objects.create(name=f"{number}{text}"),
        MailCount.objects.create(key=f"{number:064}", hour=now, count=3),
        Heartbeat.objects.get_or_create(name="worker", defaults={"at": now})[0],
        RetentionRun.objects.get_or_create(defaults={"cutoff": now, "error": text})[0],
    ]
    return {type(row): row for row in rows}
