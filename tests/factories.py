"""One of everything that there is, for tests that walk over all of it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import models
from django.utils import timezone

from accounts.campaigns.senders import set_senders
from accounts.core.enums import AccountStatus, EventType, Role
from accounts.models import (
    Account,
    AccountLink,
    AccountReport,
    Agency,
    ApiKey,
    AuditEntry,
    Brand,
    BrandLogo,
    Calendar,
    CalendarException,
    Campaign,
    CampaignCall,
    CampaignCommand,
    Event,
    Heartbeat,
    IdempotencyRecord,
    Invitation,
    MailCount,
    Member,
    Preference,
    Reaction,
    RetentionRun,
    Sender,
    Source,
    SourceIssue,
    SubAccount,
)
from accounts.models.incident import Incident, IncidentStep, Outage
from accounts.models.reauth import AccountToken, BouncedAddress, ReauthPrompt, ReauthStep
from accounts.sources.service import create_source
from accounts.tenancy.api_keys import create_api_key
from accounts.tenancy.calendars.service import create_calendar
from accounts.tenancy.team import invite_member
from leads.activities.notes import create_note
from leads.activities.tasks import create_task
from leads.enums import ImportState, LikenessReason, TaskKind
from leads.models import (
    Assignment,
    ClockSegment,
    Credit,
    DuplicateProposal,
    EmailSender,
    Enrichment,
    Enrolment,
    FigureSettings,
    ImportMapping,
    ImportRow,
    Lead,
    LeadChange,
    LeadFact,
    LeadFetch,
    LeadForm,
    LeadImport,
    LeadMerge,
    LeadReference,
    LeadScore,
    LeadStep,
    LeadSync,
    MemberDigest,
    Message,
    MessageTemplate,
    Note,
    OptOut,
    OutboundEmail,
    OwnerAccess,
    OwnValues,
    Pool,
    PoolMember,
    Pull,
    RefusedForm,
    ResponseClock,
    RoutingRule,
    RoutingSettings,
    RulePreview,
    RuleSet,
    RuleSetVersion,
    SavedFilter,
    ScoreLearning,
    ScoringRule,
    ScoringRun,
    ScoringSettings,
    Sending,
    Sequence,
    SequenceVersion,
    StepRun,
    Subscription,
    TargetList,
    TargetListEntry,
    TargetRule,
    Task,
    Thread,
    ThreadRead,
    Tombstone,
    UnlabelledAnswers,
    WaitingLead,
)
from leads.models.rules import Rule
from leads.pipeline.changes import create_lead
from leads.pipeline.merge import merge_leads
from leads.routing.rules import KIND as ROUTING
from leads.rules.preview_jobs import request_preview
from leads.rules.service import create_rule
from leads.scoring.kind import KIND as SCORING
from leads.sequences.enrolments import enrol, pause_enrolment
from leads.sequences.service import create_sequence
from leads.sequences.templates import create_template
from leads.sla.target_kind import KIND as TARGETS
from leads.target_lists.service import create_list
from notifications.channels.service import create_channel, send_test_event
from notifications.delivery import fan_out_due_events
from notifications.models import Attempt, Channel, Delivery, StaffAlerts
from tests.reactions import react
from webhooks.models import LatencyTally, ProviderRequest, Receipt, RejectedRequest, SourceMonitor, WordMapping

CANARY = "canarySECRETcanary"


BY_HAND = {"kind": "hand", "status": "", "tag": "", "conditions": {}}
CALL_STEP = {
    "id": "s01",
    "kind": "phone_task",
    "delay": 0,
    "window": None,
    "template": "",
    "note": "{{ name }}",
    "condition": {},
}
WELCOME = 'Hello {{ first_name|default:"there" }}, how is {{ company }}? '


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
    twin = Lead.objects.create(agency=agency, name=text, status_since=now, received_at=now)
    own_values = OwnValues.objects.create(lead=lead, own={"name": [text, ""]}, later={"name": [text, "person"]})
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
        own_values,
        DuplicateProposal.objects.create(agency=agency, lead=lead, other=twin, reasons=["phone"], decided_by=user),
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
        Reaction.objects.create(
            subscriber="status", event=event, subject=account.pk, attempts=8, next_attempt_at=None, error=text
        ),
        LatencyTally.objects.create(source=source, began_at=now, requests=300, slow=1),
        WordMapping.objects.create(source=source, kind="status", word=f"{number}{text}"[:200], meaning="SUCCESS"),
        ProviderRequest.objects.create(
            source=source, request_id=f"{number}{text}", action="login", account=account, lead=lead
        ),
        sync := LeadSync.objects.create(
            source=source,
            account=account,
            connected_by=user,
            problems=[{"code": text[:20], "message": text}],
            next_attempt_at=None,
        ),
        Subscription.objects.create(sync=sync, owner=text, lead_type="SPONSORED", form=text, entity=text, error=text),
        LeadForm.objects.create(agency=agency, form_id=f"{number}", version="1", name=text, content={"name": text}),
        OwnerAccess.objects.create(sync=sync, owner=f"urn:li:organization:{number}", lead_type="EVENT"),
        refused := RefusedForm.objects.create(
            sync=sync, form_id=f"{number}", reason="forbidden", refused_at=now, next_attempt_at=now
        ),
        UnlabelledAnswers.objects.create(reference=reference, form=refused, version="1"),
        LeadFetch.objects.create(reference=reference, source=source, error=text),
        Pull.objects.create(sync=sync, owner=text, lead_type="SPONSORED", since=now, until=now, total=3, error=text),
        Enrichment.objects.create(lead=lead, attempts=5, next_attempt_at=None, error=text),
        rule_set := RuleSet.objects.create(agency=agency, kind=f"kind {number}" if number else "scoring", version=1),
        RuleSetVersion.objects.create(rule_set=rule_set, number=1, rules=[], action="created", subject=text[:120]),
        ScoringRule.objects.create(
            agency=agency, name=text[:120], position=1, group="fit", points=5, version=1, disabled_reason=text
        ),
        RoutingRule.objects.create(agency=agency, name=text[:120], position=1, keeps=True, tags=[text], version=1),
        TargetRule.objects.create(agency=agency, name=text[:120], position=1, minutes=5, version=1),
        RulePreview.objects.create(agency=agency, kind="scoring", days=30, error=text),
        ScoreLearning.objects.create(agency=agency, error=text, accepted_by=text[:200]),
        ScoringRun.objects.get_or_create(agency=agency, defaults={"next_attempt_at": now})[0],
        ScoringSettings.objects.get_or_create(agency=agency)[0],
        FigureSettings.objects.get_or_create(agency=agency)[0],
        LeadFact.objects.update_or_create(
            lead=lead,
            defaults={
                "agency": agency,
                "received_at": now,
                "received_on": now.date(),
                "received_hour": 9,
                "received_weekday": 0,
                "form": text,
                "industry": text,
                "state": text,
                "status": "PENDING",
                "is_test": False,
            },
        )[0],
        LeadStep.objects.get_or_create(
            lead=lead, status="PENDING", defaults={"agency": agency, "reached_at": now, "reached_on": now.date()}
        )[0],
        MessageTemplate.objects.create(
            agency=agency, name=f"{number} {text}"[:120], channel="email", subject=text[:200], text=text
        ),
        EmailSender.objects.get_or_create(
            agency=agency, defaults={"address": "ada@example.com", "name": text[:120], "error": text[:500]}
        )[0],
        sequence := Sequence.objects.create(agency=agency, name=f"{number} {text}"[:120], disabled_reason=text[:500]),
        sequence_version := SequenceVersion.objects.create(
            sequence=sequence, number=1, trigger=BY_HAND, steps=[CALL_STEP], changed_by=text[:200]
        ),
        enrolment := Enrolment.objects.create(
            agency=agency,
            lead=lead,
            sequence=sequence,
            version=sequence_version,
            trigger="hand",
            state="paused",
            next_step="s01",
            next_attempt_at=None,
            error=text[:500],
            created_at=now,
        ),
        mail := OutboundEmail.objects.create(
            agency=agency,
            lead=lead,
            kind="step",
            recipient="ada@example.com",
            subject=text[:200],
            text=text,
            state="held",
            hold="doubtful",
            error=text[:500],
            next_attempt_at=None,
        ),
        StepRun.objects.create(
            enrolment=enrolment, step="s01", kind="email", state="held", reason=text[:500], email=mail, created_at=now
        ),
        OptOut.objects.create(agency=agency, digest=f"{number:064}", at=now, how="link"),
        targets := TargetList.objects.create(
            agency=agency,
            name=f"{number} {text}"[:120],
            refused_count=1,
            refused=[{"row": 2, "value": text[:300], "reason": "no_name"}],
        ),
        file := LeadImport.objects.create(
            agency=agency,
            name=text[:120],
            state="ready",
            headings=[text],
            mapping=["email"],
            total=1,
            counts={"refused": 1},
            error=text,
            next_attempt_at=None,
        ),
        ImportRow.objects.create(lead_import=file, number=2, cells=[text], outcome="refused", reason="bad_email"),
        ImportMapping.objects.create(agency=agency, digest=f"{number:064}", mapping=["email"]),
        TargetListEntry.objects.create(target_list=targets, key=text[:300], text=text[:300]),
        LeadScore.objects.create(
            lead=lead,
            agency=agency,
            fit=5,
            engagement=0,
            total=5,
            grade="C3",
            rules_version=1,
            scored_at=now,
            contributions=[{"rule": "", "group": "fit", "points": 5, "why": text, "at": now}],
        ),
        Tombstone.objects.create(agency=agency, provider="linkedin", digest=f"{number}", erased_at=now),
        IdempotencyRecord.objects.create(
            agency=agency, key=f"{number}{text}", fingerprint="0", body={"secret": CANARY}
        ),
        member := Member.objects.get_or_create(agency=agency, user=user, defaults={"role": "owner"})[0],
        clock := ResponseClock.objects.create(
            agency=agency,
            lead=lead,
            kind="next_response",
            target_seconds=900,
            warn_seconds=600,
            owner=user,
            next_attempt_at=None,
            alerted_at=now,
            breached=True,
            error=text,
            **dict.fromkeys(("started_at", "received_at", "known_at", "period_started_at", "warn_at", "due_at"), now),
        ),
        ClockSegment.objects.create(clock=clock, kind="person", owner=user, started_at=now, ended_at=now, seconds=1.5),
        Task.objects.create(
            agency=agency,
            lead=lead,
            kind="call",
            title=text[:200],
            due_at=now,
            assigned_to=user,
            made_by="person",
            next_attempt_at=None,
            error=text,
        ),
        Note.objects.create(agency=agency, lead=lead, author=user, text=text),
        (message := make_message(lead, text=text)),
        message.thread,
        make_sending(lead, text=text),
        ThreadRead.objects.create(thread=message.thread, member=member, read_at=now),
        MemberDigest.objects.get_or_create(member=member, defaults={"next_attempt_at": None, "error": text})[0],
        SavedFilter.objects.create(member=member, name=f"{number} {text}"[:40], query="status=DONE"),
        pool := Pool.objects.create(agency=agency, name=f"{number}{text}"[:120]),
        PoolMember.objects.create(pool=pool, member=member, behind=400_000, received=3),
        Credit.objects.create(pool=pool, member=member, amount=1_000_000, reason=text[:200], by=user),
        Assignment.objects.create(lead=lead, member=member, user=user, pool=pool, reason="rule", rule_name=text[:120]),
        RoutingSettings.objects.get_or_create(agency=agency)[0],
        WaitingLead.objects.create(lead=lead, agency=agency, pool=pool, next_attempt_at=None, error=text),
        Invitation.objects.create(agency=agency, email=f"{number}{text}", role="owner", invited_by=user),
        prompt := ReauthPrompt.objects.create(
            account=account,
            token=CANARY,
            digest=f"{number}{CANARY}",
            status="auth_error",
            opened_by="staff",
            recipients=[text],
            expires_at=now + timedelta(days=1),
            next_attempt_at=now + timedelta(days=1),
        ),
        ReauthStep.objects.create(prompt=prompt, kind="mailed", recipient=text, reference=text, note=text),
        AccountToken.objects.create(account=account, token=CANARY),
        BouncedAddress.objects.create(email=f"{number}{text}".lower(), reason=text),
        Sender.objects.create(agency=agency, provider="sendpilot", external_id=f"{number}{text}"),
        CampaignCommand.objects.create(
            campaign=campaign, action="pause", status="failed", next_attempt_at=None, error=text
        ),
        CampaignCall.objects.create(campaign=campaign, action="pause", error=text),
        incident := Incident.objects.create(agency=agency, opened_at=now, last_outage_at=now),
        Outage.objects.create(
            account=account, agency=agency, provider="welink", status="auth_error", cause="password", incident=incident
        ),
        IncidentStep.objects.create(incident=incident, text=text),
        StaffAlerts.objects.get_or_create(user=user, defaults={"slack_url": CANARY, "has_own_slack": True})[0],
        brand := Brand.objects.get_or_create(
            agency=agency, defaults={"sender_name": text[:60], "logo_digest": f"{number:064}"}
        )[0],
        BrandLogo.objects.get_or_create(
            brand=brand, defaults={"digest": f"{number:064}", "content_type": "image/png", "content": b"PNG"}
        )[0],
        AuditEntry.objects.create(
            agency=agency, actor_kind="member", user=user, action=text[:100], object_type="channel", object_label=text
        ),
        calendar := Calendar.objects.create(agency=agency, name=f"{number}{text}"[:120], timezone="UTC"),
        CalendarException.objects.create(calendar=calendar, name=text[:120], first=now.date(), last=now.date()),
        Preference.objects.get_or_create(user=user, defaults={"theme": "dark", "language": "en"})[0],
        Group.objects.create(name=f"{number}{text}"),
        MailCount.objects.create(key=f"{number:064}", hour=now, count=3),
        Heartbeat.objects.get_or_create(name="worker", defaults={"at": now})[0],
        RetentionRun.objects.get_or_create(defaults={"cutoff": now, "error": text})[0],
    ]
    return {type(row): row for row in rows}


@dataclass
class World:
    """One of everything of an agency."""

    agency: Agency
    sub_account: SubAccount
    source: Source
    account: Account
    campaign: Campaign
    calendar: Calendar
    member: Member
    pool: Pool
    lead: Lead
    task: Task
    note: Note
    thread: Thread
    message: Message
    receipt: Receipt
    rejected: RejectedRequest
    channel: Channel
    email_channel: Channel
    delivery: Delivery
    scoring_rule: ScoringRule
    routing_rule: Rule
    target_rule: TargetRule
    target_list: TargetList
    duplicate: DuplicateProposal
    file: LeadImport
    template: MessageTemplate
    sequence: Sequence
    enrolment: Enrolment

    def make_ready_for(self, rest: str) -> None:
        """Let what follows an id in a path succeed."""
        if rest == "/undo":
            LeadImport.objects.filter(pk=self.file.pk).update(state=ImportState.DONE)
        if rest == "/reauth":
            Account.objects.filter(pk=self.account.pk).update(status=AccountStatus.DISCONNECTED)
        if rest in ("/reply", "/send", "/resend"):
            create_source(agency=self.agency, provider="sendpilot", credentials={"api_key": CANARY})
            set_senders(self.account, ["sender"])
            Thread.objects.filter(pk=self.thread.pk).update(account=self.account)
            Lead.objects.filter(pk=self.lead.pk).update(linkedin_url="https://www.linkedin.com/in/grace-hopper")
        if rest == "/resend":
            Message.objects.filter(pk=self.message.pk).update(sending_state="failed", author="member")
            Sending.objects.get_or_create(message=self.message, defaults={"next_attempt_at": None})
        if rest == "/connect":
            self.source.provider, self.source.credentials = "linkedin", {"client_id": "app"}
            self.source.save()
        if rest == "/enrol":
            Campaign.objects.filter(pk=self.campaign.pk).update(status="finished")
            now = timezone.now()
            Enrolment.objects.filter(pk=self.enrolment.pk).update(state="stopped", ended_at=now)
            sequence = Sequence.objects.create(id="seq_zz", agency=self.agency, name="More calls", active_since=now)
            SequenceVersion.objects.create(sequence=sequence, number=1, trigger=BY_HAND, steps=[CALL_STEP])
        if rest == "/resume":
            pause_enrolment(self.enrolment)
        if rest in ("/merge", "/unmerge", "/preview"):
            now = timezone.now()
            other = Lead.objects.create(id="lead_zz", agency=self.agency, status_since=now, received_at=now)
            if rest == "/unmerge":
                merge_leads(Lead.objects.get(pk=self.lead.pk), other)

    @property
    def ids(self) -> dict[str, str]:
        """The id of one object of each resource that has a page of its own."""
        return {
            "accounts": self.account.id,
            "leads": self.lead.id,
            "duplicates": self.duplicate.id,
            "imports": self.file.id,
            "tasks": self.task.id,
            "notes": self.note.id,
            "threads": self.thread.id,
            "messages": self.message.id,
            "sub-accounts": self.sub_account.id,
            "campaigns": self.campaign.id,
            "calendars": self.calendar.id,
            "scoring-rules": self.scoring_rule.id,
            "routing-rules": self.routing_rule.id,
            "members": self.member.id,
            "pools": self.pool.id,
            "target-rules": self.target_rule.id,
            "target-lists": self.target_list.id,
            "templates": self.template.id,
            "sequences": self.sequence.id,
            "enrolments": self.enrolment.id,
            "sources": self.source.id,
            "receipts": self.receipt.public_id,
            "events": self.delivery.event_id,
            "channels": self.channel.id,
            "deliveries": self.delivery.id,
        }


def make_world(agency: Agency, mark: str) -> World:
    now = timezone.now()
    sub_account = SubAccount.objects.create(agency=agency, location_id=f"loc{mark}", name="Main street", installed=True)
    source, _ = create_source(agency=agency, provider="welink", name=f"We-Link {mark}")
    account = Account.objects.create(
        agency=agency,
        provider="welink",
        external_id=f"profile-{mark}",
        name="Ada Lovelace",
        email=f"ada-{mark}@example.com",
        sub_account=sub_account,
        source=source,
        status=AccountStatus.ACTIVE,
        status_since=now,
        reported_at=now,
    )
    AccountReport.objects.create(
        account=account, to_status="active", occurred_at=now, reported_by="welink", receipt_id="rct_1", applied=True
    )
    campaign = Campaign.objects.create(
        agency=agency, provider="sendpilot", external_id=f"c-{mark}", name="Founders", account=account
    )
    CampaignCommand.objects.create(campaign=campaign, action="pause", status="failed", next_attempt_at=None)
    calendar = create_calendar(agency, name=f"Hours {mark}")
    person = User.objects.create_user(f"member-{mark}-{agency.pk}", first_name="Anna", last_name="Smith")
    member = Member.objects.create(pk=f"mbr_00{mark}", agency=agency, user=person, role=Role.MANAGER)
    pool = Pool.objects.create(agency=agency, name=f"Pool {mark}")
    PoolMember.objects.create(pool=pool, member=member)
    lead = create_lead(agency, name="Grace Hopper", email=f"grace-{mark}@example.com", campaign=campaign)
    Assignment.objects.create(lead=lead, member=member, user=person, pool=pool, reason="pool")
    LeadReference.objects.create(
        lead=lead, agency=agency, provider="sendpilot", external_id=f"lead-{mark}", campaign=campaign, status_since=now
    )
    LeadScore.objects.create(
        lead=lead, agency=agency, fit=20, engagement=0, total=20, grade="B3", contributions=[], rules_version=1,
        scored_at=now,
    )  # fmt: skip
    task = create_task(lead, kind=TaskKind.CALL, title="Call her", due_at=now)
    note = create_note(lead, text="Met her at a fair")
    message = make_message(lead, text="Tell me more")
    receipt = Receipt.objects.create(
        source=source,
        agency=agency,
        provider="welink",
        dedupe_key=mark.encode().ljust(32, b"."),
        body=json.dumps({"request_id": f"r-{mark}", "status": "SUCCESS"}).encode(),
        received_at=now,
    )
    rejected = RejectedRequest.objects.create(
        source=source,
        reason="wrong_signature",
        diagnosis="It was not signed by us.",
        count=3,
        first_seen=now,
        last_seen=now,
    )
    channel, _ = create_channel(agency, kind="webhook", name="CRM", url=f"https://crm-{mark}.example.com/hook")
    email_channel, _ = create_channel(agency, kind="email", email=f"team-{mark}@example.com", verified=True)
    event = agency.events.filter(event_type=EventType.LEAD_CREATED).get()
    delivery = Delivery.objects.create(agency=agency, event=event, channel=channel)
    Attempt.objects.create(
        delivery=delivery, at=now, duration_ms=12, status_code=500, error="500 Internal Server Error"
    )
    return World(
        *(agency, sub_account, source, account, campaign, calendar, member, pool),
        *(lead, task, note, message.thread, message, receipt, rejected, channel, email_channel, delivery),
        ScoringRule.objects.get(pk=create_rule(SCORING, agency, name="Decision-maker", group="fit", points=20).pk),
        create_rule(ROUTING, agency, name="Everybody", pool_id=pool.pk),
        TargetRule.objects.get(pk=create_rule(TARGETS, agency, name="Founders", minutes=5).pk),
        create_list(agency, name="Key accounts", file=BytesIO(b"acme.example.com")),
        DuplicateProposal.objects.create(agency=agency, lead=lead, other=lead, reasons=["phone"]),
        make_import(agency, "Ann"),
        create_template(agency, name="Welcome", channel="linkedin", text=WELCOME),
        *_enrolled(lead, mark),
    )


def make_import(agency: Agency, text: str) -> LeadImport:
    """A file that was checked: a new lead, and a row that was refused."""
    found = LeadImport.objects.create(
        agency=agency,
        name=text[:120],
        state=ImportState.READY,
        encoding="utf-8",
        delimiter=";",
        headings=["Name", text[:200], "Firma"],
        mapping=["name", "email", ""],
        total=2,
        counts={"new": 1, "updated": 0, "duplicate": 0, "refused": 1},
        next_attempt_at=timezone.now() + timedelta(days=7),
    )
    ImportRow.objects.create(lead_import=found, number=2, cells=[text, "new@example.com", text])
    ImportRow.objects.create(
        lead_import=found, number=3, cells=[text, text, text], outcome="refused", reason="bad_email"
    )
    return found


def propose_twin(lead: Lead) -> DuplicateProposal:
    """Propose a lead and another one of the same name."""
    now = timezone.now()
    twin = Lead.objects.create(
        agency=lead.agency, name=lead.name, company=lead.company, status_since=now, received_at=now
    )
    return DuplicateProposal.objects.create(
        agency=lead.agency, lead=lead, other=twin, reasons=[LikenessReason.NAME_AND_COMPANY]
    )


@dataclass(frozen=True)
class Everything:
    """What one agency has: one of each."""

    agency: Agency
    account: Account
    campaign: Campaign
    place: SubAccount
    incident: Incident
    lead: Lead
    source: Source
    linkedin: Source
    email: Channel
    receipt: Receipt
    mapping: WordMapping
    webhook: Channel
    delivery: Delivery
    test: Event
    key: ApiKey
    invitation: Invitation
    member: Member
    calendar: Calendar
    pool: Pool
    saved: SavedFilter
    scoring_rule: Rule
    target_list: TargetList
    rule_preview: RulePreview
    task: Task
    note: Note
    duplicate: DuplicateProposal
    file: LeadImport
    thread: Thread
    message: Message
    template: MessageTemplate
    sequence: Sequence
    enrolment: Enrolment
    outbound: OutboundEmail

    def ids_of(self, name: str) -> tuple[object, ...]:
        """What stands in the URL of this thing's page."""
        if name == "mapping":
            return self.mapping.source_id, self.mapping.pk
        if name in ("scoring_rule", "rule_preview"):
            return "scoring", getattr(self, name).pk
        return (self.receipt.public_id if name == "receipt" else getattr(self, name).pk,)


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
    receipt = Receipt.objects.create(
        source=source,
        agency=agency,
        provider="welink",
        dedupe_key=agency.pk.encode()[:32],
        body=json.dumps({"request_id": "r", "status": text[:100], "hash": "x"}).encode(),
        received_at=now,
        status="quarantined",
        reason="unknown_status",
        event_type=text[:100],
        correlation=text[:100],
        error=text[:500],
    )
    mapping = WordMapping.objects.create(
        source=source, kind="status", word=f"{text[:100]} too", meaning="SUCCESS", next_attempt_at=None
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
    incident = Incident.objects.create(agency=agency, provider="welink", opened_at=now, last_outage_at=now)
    IncidentStep.objects.create(incident=incident, text=text[:300])
    Outage.objects.create(
        account=account, agency=agency, provider="welink", status="auth_error", cause="password", incident=incident
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
    pool = Pool.objects.create(agency=agency, name=text[:120])
    PoolMember.objects.create(pool=pool, member=member, behind=400_000, received=2)
    Credit.objects.create(pool=pool, member=member, amount=500_000, reason=text[:200], by=owner)
    WaitingLead.objects.create(
        lead=Lead.objects.create(agency=agency, name=text[:400], title=text[:300], status_since=now, received_at=now),
        agency=agency,
        next_attempt_at=None,
    )
    email, _ = create_channel(agency, kind="email", email="team@example.com", name="Team mail", verified=True)
    webhook, _ = create_channel(agency, kind="webhook", url="https://example.com/hook?token=hush", name="CRM")
    Channel.objects.filter(pk=webhook.pk).update(
        name=text[:200],
        disabled_reason=text[:300],
        consecutive_failures=3,
        failing_since=now,
        last_error=text[:500],
        last_status_code=500,
        last_excerpt=text[:160],
    )
    test = send_test_event(email)
    react()
    fan_out_due_events()
    delivery = Delivery.objects.filter(channel=webhook, event__event_type=EventType.LEAD_CREATED).order_by("-pk")[0]
    Delivery.objects.filter(pk=delivery.pk).update(error=text[:500], status="failed", next_attempt_at=None)
    Attempt.objects.create(
        delivery=delivery,
        at=now,
        duration_ms=12,
        status_code=500,
        error=text[:500],
        response_excerpt=text,
        request_headers=[["webhook-id", delivery.event_id], ["X-Key", "********"]],
        response_headers=[["Server", text]],
    )
    key, _ = create_api_key(agency, name=text[:100])
    invitation = invite_member(agency, email="new@example.com", role=Role.READ_ONLY, invited_by=owner)
    saved = SavedFilter.objects.create(member=member, name=text[:40], query="status=DONE")
    sequence = make_sequence(agency, text[:120])
    return Everything(
        saved=saved,
        agency=agency,
        account=account,
        campaign=campaign,
        place=place,
        incident=incident,
        lead=lead,
        source=source,
        linkedin=linkedin,
        receipt=receipt,
        mapping=mapping,
        email=email,
        webhook=webhook,
        delivery=delivery,
        test=test,
        key=key,
        invitation=invitation,
        member=member,
        pool=pool,
        calendar=create_calendar(agency, name=text[:120]),
        scoring_rule=create_rule(SCORING, agency, name=text[:120], group="fit", points=20),
        target_list=_make_target_list(agency, text),
        rule_preview=request_preview(SCORING, agency, days=30),
        task=create_task(lead, kind=TaskKind.CALL, title=text[:200], due_at=now, assigned_to=owner),
        note=create_note(lead, text=text),
        duplicate=propose_twin(lead),
        file=make_import(agency, text),
        thread=make_message(lead, text=text).thread,
        message=make_sending(lead, text=text).message,
        template=create_template(agency, name=text[:120], channel="linkedin", text=WELCOME + text),
        sequence=sequence,
        enrolment=enrol(_lead_to_enrol(agency, text), sequence, user=owner),
        outbound=_make_held_email(lead, text),
    )


def make_sequence(agency: Agency, name: str) -> Sequence:
    """A sequence of a call, which is switched on."""
    steps = [{"kind": "wait", "delay": 1}, {"kind": "phone_task", "note": "{{ name }}"}]
    return create_sequence(agency, name=name, trigger={"kind": "hand"}, steps=steps, active=True)


def _enrolled(lead: Lead, mark: str) -> tuple[Sequence, Enrolment]:
    """A sequence that can be deleted, and the lead's enrolment in another one."""
    other = make_sequence(lead.agency, f"More calls {mark}")
    enrolment = Enrolment.objects.create(
        agency=lead.agency, lead=lead, sequence=other, version=other.versions.get(), trigger="hand", state="active",
        next_step="s01", due_at=timezone.now() + timedelta(days=1), next_attempt_at=timezone.now() + timedelta(days=1),
        created_at=timezone.now(),
    )  # fmt: skip
    return make_sequence(lead.agency, f"Calls {mark}"), enrolment


def _lead_to_enrol(agency: Agency, text: str) -> Lead:
    now = timezone.now()
    return Lead.objects.create(agency=agency, name=text[:400], status_since=now, received_at=now)


def _make_held_email(lead: Lead, text: str) -> OutboundEmail:
    values = {"subject": text[:200], "text": text, "error": text[:500], "recipient": "ada@example.com"}
    return OutboundEmail.objects.create(
        agency=lead.agency, lead=lead, kind="step", state="held", hold="doubtful", next_attempt_at=None, **values
    )


def _make_target_list(agency: Agency, text: str) -> TargetList:
    """A list with a row that could not be read."""
    content = f'"{text[:200].replace(chr(34), chr(34) * 2)}"\nann@gmail.com\n'
    return create_list(agency, name=text[:120], file=BytesIO(content.encode()))


def make_sending(lead: Lead, *, text: str, state: str = "failed") -> Sending:
    """A message of ours in the lead's conversation, which is not sent yet."""
    message = make_message(lead, text=text, author="member")
    Message.objects.filter(pk=message.pk).update(sending_state=state)
    message.sending_state = state
    return Sending.objects.create(message=message, next_attempt_at=None, error=text[:500])


def make_message(
    lead: Lead, *, text: str, author: str = "lead", at: datetime | None = None, new_thread: bool = False
) -> Message:
    """A message in the lead's conversation, or in another one."""
    at = at or timezone.now()
    thread = None if new_thread else lead.threads.first()
    thread = thread or Thread.objects.create(
        agency=lead.agency, lead=lead, account=lead.account, provider="sendpilot", last_message_at=at,
        last_received_at=at, waiting_since=at,
    )  # fmt: skip
    return Message.objects.create(
        agency=lead.agency, lead=lead, thread=thread, provider="sendpilot", author=author, text=text, occurred_at=at
    )
