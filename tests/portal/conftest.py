"""An agency in full, its people of every role, and a stranger with an agency of the same kind."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.core.enums import EventType, Role
from accounts.models import Account, AccountReport, Agency, ApiKey, Campaign, Invitation, Member, Source, SubAccount
from accounts.sources.service import create_source
from accounts.tenancy.api_keys import create_api_key
from accounts.tenancy.team import invite
from accounts.tenancy.verified_email import mark_email_verified
from leads.models import Lead, LeadReference
from leads.pipeline.changes import create_lead
from notifications.channels.service import create_channel
from notifications.delivery import fan_out
from notifications.models import Attempt, Channel, Delivery
from webhooks.models import RejectedRequest

Browser = Callable[..., Client]


@pytest.fixture
def sign_in(agency: Agency) -> Browser:
    """A browser of a new member with this role."""

    def sign_in(role: Role = Role.OWNER, *, of: Agency | None = None) -> Client:
        place = of or agency
        name = f"{role}@{place.pk[-6:]}.example.com"
        user = User.objects.filter(username=name).first() or User.objects.create_user(name, name, "correct horse")
        mark_email_verified(user, name)
        Member.objects.get_or_create(agency=place, user=user, defaults={"role": role})
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@dataclass(frozen=True)
class Everything:
    """What one agency has: one of each."""

    agency: Agency
    account: Account
    lead: Lead
    source: Source
    linkedin: Source
    email: Channel
    webhook: Channel
    delivery: Delivery
    key: ApiKey
    invitation: Invitation
    member: Member


def furnish(agency: Agency, text: str = "Ann") -> Everything:
    """One of everything, each shown text being `text`."""
    now = timezone.now() - timedelta(minutes=3)
    owner = User.objects.create_user(f"first-{agency.pk}", f"first@{agency.pk[-6:]}.example.com", "correct horse")
    member = Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    place = SubAccount.objects.create(agency=agency, location_id=f"loc{text}"[:100], name=text[:200])
    source, _ = create_source(agency=agency, provider="welink", name=text[:200])
    linkedin, _ = create_source(agency=agency, provider="linkedin", name=text[:200], secret="hush")
    RejectedRequest.objects.create(
        source=source, reason="signature", diagnosis=text[:500], count=3, first_seen=now, last_seen=now
    )
    account = Account.objects.create(
        agency=agency,
        provider="welink",
        external_id=text[:200],
        sub_account=place,
        source=source,
        name=text[:200],
        email=text[:254],
        occupation=text[:500],
        status="auth_error",
        status_reason=text[:500],
        status_since=now,
    )
    AccountReport.objects.create(
        account=account,
        from_status="active",
        to_status="auth_error",
        occurred_at=now,
        reported_by="welink",
        applied=True,
        note=text[:500],
    )
    campaign = Campaign.objects.create(
        agency=agency, provider="sendpilot", external_id=text[:200], name=text[:300], account=account
    )
    lead = create_lead(
        agency,
        name=text[:400],
        email="lead@example.com",
        company=text[:300],
        title=text[:300],
        linkedin_url=f"https://www.linkedin.com/in/{agency.pk}",
        campaign=campaign,
        account=account,
        tags=[text[:100]],
        answers=[{"label": text, "value": text}],
    )
    LeadReference.objects.create(
        lead=lead, agency=agency, provider="sendpilot", external_id="ref-1", campaign=campaign, status_since=now
    )
    email, _ = create_channel(agency, kind="email", email="team@example.com", name="Team inbox", verified=True)
    webhook, _ = create_channel(agency, kind="webhook", url="https://example.com/hook?token=hush", name="CRM")
    Channel.objects.filter(pk=webhook.pk).update(name=text[:200], disabled_reason=text[:300])
    fan_out()
    delivery = Delivery.objects.filter(channel=webhook, event__event_type=EventType.LEAD_CREATED).order_by("-pk")[0]
    Delivery.objects.filter(pk=delivery.pk).update(error=text[:500], status="failed", next_attempt_at=None)
    Attempt.objects.create(
        delivery=delivery, at=now, duration_ms=12, status_code=500, error=text[:500], response_excerpt=text
    )
    key, _ = create_api_key(agency, name=text[:100])
    invitation = invite(agency, email="new@example.com", role=Role.READ_ONLY, invited_by=owner)
    return Everything(
        agency=agency,
        account=account,
        lead=lead,
        source=source,
        linkedin=linkedin,
        email=email,
        webhook=webhook,
        delivery=delivery,
        key=key,
        invitation=invitation,
        member=member,
    )


@pytest.fixture
def ours(agency: Agency) -> Everything:
    return furnish(agency)


@pytest.fixture
def theirs(stranger: Agency) -> Everything:
    return furnish(stranger, "Zed")
