"""One row of every kind of work that waits, and the function that does it, with its effect on others replaced."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from accounts import services
from accounts.campaigns import commands
from accounts.core.enums import AccountStatus
from accounts.core.jobs import DueRow, complete, remove
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Agency, Campaign, CampaignCommand, Member, Reaction, ReauthPrompt
from accounts.reauth import reminders
from accounts.reauth.prompts import ask
from accounts.tenancy.agencies import create_agency_without_key
from leads.activities import digests, overdue
from leads.activities.tasks import create_task
from leads.enrichment import service as enrichment
from leads.enums import ImportState, LeadStatus, TaskKind
from leads.imports import jobs as imports
from leads.inbox import dispatch
from leads.lead_sync import backfill, fetching, health_checks, labels
from leads.models import (
    Enrichment,
    Enrolment,
    ImportRow,
    LeadFetch,
    LeadImport,
    LeadReference,
    LeadSync,
    MemberDigest,
    OutboundEmail,
    Pull,
    RefusedForm,
    ResponseClock,
    RulePreview,
    ScoreLearning,
    ScoringRun,
    Sending,
    Sequence,
    SequenceVersion,
    Task,
    WaitingLead,
)
from leads.pipeline.changes import create_lead
from leads.routing import waiting
from leads.rules import preview_jobs
from leads.scoring import rescoring
from leads.scoring.learning import jobs as learning_jobs
from leads.sequences import advancing, outbox
from leads.sla import alerts
from tests.factories import make_message
from tests.receiving import source_of
from webhooks.models import WordMapping
from webhooks.processing import word_mappings


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` makes so many due rows; `work` does what is due by calling `module.inner` for a row, or several."""

    model: type[DueRow]
    make: Callable[[Agency, int], None]
    work: Callable[[], object]
    lease: timedelta
    module: ModuleType
    inner: str
    result: Callable[..., Any]

    def __str__(self) -> str:
        return self.model.__name__


def _make_enrichments(agency: Agency, count: int) -> None:
    for number in range(count):
        Enrichment.objects.create(lead=create_lead(agency, email=f"lead{number}@example.com"))


def _make_imports(agency: Agency, count: int) -> None:
    for number in range(count):
        found = LeadImport.objects.create(
            agency=agency, name=f"{number}.csv", state=ImportState.CHECKING, headings=["E-mail"], mapping=["email"]
        )
        ImportRow.objects.create(lead_import=found, number=2, cells=["ann@example.com"])


def _make_fetches(agency: Agency, count: int) -> None:
    source = source_of(agency, "linkedin")
    for number in range(count):
        lead = create_lead(agency, email=f"lead{number}@example.com")
        reference = LeadReference.objects.create(
            lead=lead, agency=agency, provider="linkedin", external_id=f"{number}", status_since=timezone.now()
        )
        LeadFetch.objects.create(reference=reference, source=source)


def _make_pulls(agency: Agency, count: int) -> None:
    sync = LeadSync.objects.create(source=source_of(agency, "linkedin"), next_attempt_at=None)
    now = timezone.now()
    for number in range(count):
        Pull.objects.create(sync=sync, owner=f"urn:li:organization:{number}", lead_type="COMPANY", since=now, until=now)


def _make_refused_forms(agency: Agency, count: int) -> None:
    sync = LeadSync.objects.create(source=source_of(agency, "linkedin"), next_attempt_at=None)
    for number in range(count):
        RefusedForm.objects.create(sync=sync, form_id=f"{number}", reason="forbidden", refused_at=timezone.now())


def _make_connections(agency: Agency, count: int) -> None:
    for _ in range(count):
        LeadSync.objects.create(source=source_of(agency, "linkedin"))


def _make_commands(agency: Agency, count: int) -> None:
    for number in range(count):
        campaign = Campaign.objects.create(agency=agency, provider="sendpilot", external_id=f"{number}")
        CampaignCommand.objects.create(campaign=campaign, action="pause")


def _make_prompts(agency: Agency, count: int) -> None:
    for number in range(count):
        account = services.report_status(
            agency,
            provider="salesflow",
            identity=AccountIdentity(external_id=f"{number}", email=f"owner{number}@example.com"),
            status=AccountStatus.DISCONNECTED,
            origin=Origin(by="salesflow", at=timezone.now()),
        )
        prompt = ask(account, by="staff", email=account.email)
        ReauthPrompt.objects.filter(pk=prompt.pk).update(next_attempt_at=timezone.now())
    Reaction.objects.all().delete()


def _make_waiting_leads(agency: Agency, count: int) -> None:
    for number in range(count):
        lead = create_lead(agency, email=f"lead{number}@example.com")
        WaitingLead.objects.create(lead=lead, agency=agency, next_attempt_at=timezone.now())


def _make_mappings(agency: Agency, count: int) -> None:
    source = source_of(agency, "sendpilot")
    for number in range(count):
        WordMapping.objects.create(source=source, kind="status", word=f"WORD_{number}", meaning="DONE")


def _make_previews(agency: Agency, count: int) -> None:
    for _ in range(count):
        RulePreview.objects.create(agency=agency, kind="scoring", days=30)


def _make_learnings(agency: Agency, count: int) -> None:
    for _ in range(count):
        ScoreLearning.objects.create(agency=agency)


def _make_scoring_runs(agency: Agency, count: int) -> None:
    for number in range(count):
        other = agency if number == 0 else create_agency_without_key(name=f"Agency {number}")
        ScoringRun.objects.create(agency=other)


def _make_clocks(agency: Agency, count: int) -> None:
    now = timezone.now()
    for number in range(count):
        lead = create_lead(agency, email=f"lead{number}@example.com", status=LeadStatus.CONNECTION_SENT)
        times = dict.fromkeys(
            ("started_at", "received_at", "known_at", "period_started_at", "warn_at", "due_at", "next_attempt_at"), now
        )
        ResponseClock.objects.create(
            agency=agency, lead=lead, kind="next_response", target_seconds=900, warn_seconds=600, **times
        )
    Reaction.objects.all().delete()


def _make_tasks(agency: Agency, count: int) -> None:
    lead = create_lead(agency, email="ada@example.com")
    for number in range(count):
        create_task(lead, kind=TaskKind.CALL, title=f"Call {number}", due_at=timezone.now())
    Reaction.objects.all().delete()


def _make_digests(agency: Agency, count: int) -> None:
    for number in range(count):
        user = User.objects.create_user(f"member{number}")
        member = Member.objects.create(agency=agency, user=user, role="owner", alerts={"digest": True})
        MemberDigest.objects.create(member=member, next_attempt_at=timezone.now())


def _make_sendings(agency: Agency, count: int) -> None:
    for number in range(count):
        lead = create_lead(agency, email=f"lead{number}@example.com")
        message = make_message(lead, text="Hello", author="member")
        Sending.objects.create(message=message)
    Reaction.objects.all().delete()


def _make_enrolments(agency: Agency, count: int) -> None:
    sequence = Sequence.objects.create(agency=agency, name="Follow-up", active_since=timezone.now())
    version = SequenceVersion.objects.create(sequence=sequence, number=1, trigger={"kind": "hand"}, steps=[])
    for number in range(count):
        lead = create_lead(agency, email=f"lead{number}@example.com")
        Enrolment.objects.create(
            agency=agency, lead=lead, sequence=sequence, version=version, state="active", created_at=timezone.now()
        )
    Reaction.objects.all().delete()


def _end_quietly(row: OutboundEmail) -> None:
    """End a row whose mail is not sent."""
    complete(row)


def _make_emails(agency: Agency, count: int) -> None:
    for number in range(count):
        OutboundEmail.objects.create(agency=agency, kind="verification", recipient=f"ada{number}@example.com")


KINDS = [
    Kind(
        model=Enrolment,
        make=_make_enrolments,
        work=lambda: advancing.advance_due(limit=1),
        lease=advancing.LEASE,
        module=advancing,
        inner="_advance",
        result=complete,
    ),
    Kind(
        model=OutboundEmail,
        make=_make_emails,
        work=lambda: outbox.send_due(limit=1),
        lease=outbox.LEASE,
        module=outbox,
        inner="_prepare",
        result=_end_quietly,
    ),
    Kind(
        model=Sending,
        make=_make_sendings,
        work=lambda: dispatch.send_due(limit=1),
        lease=dispatch.LEASE,
        module=dispatch,
        inner="_send",
        result=complete,
    ),
    Kind(
        model=MemberDigest,
        make=_make_digests,
        work=lambda: digests.send_due(limit=1),
        lease=digests.LEASE,
        module=digests,
        inner="_send",
        result=complete,
    ),
    Kind(
        model=Task,
        make=_make_tasks,
        work=lambda: overdue.report_overdue(limit=1),
        lease=overdue.LEASE,
        module=overdue,
        inner="_report",
        result=complete,
    ),
    Kind(
        model=ResponseClock,
        make=_make_clocks,
        work=lambda: alerts.alert_due(limit=1),
        lease=alerts.LEASE,
        module=alerts,
        inner="_alert",
        result=complete,
    ),
    Kind(
        model=ReauthPrompt,
        make=_make_prompts,
        work=lambda: reminders.remind_due(limit=1),
        lease=reminders.LEASE,
        module=reminders,
        inner="_remind",
        result=lambda prompt: complete(prompt, again_at=prompt.expires_at),
    ),
    Kind(
        model=CampaignCommand,
        make=_make_commands,
        work=lambda: commands.carry_out_due(limit=1),
        lease=commands.LEASE,
        module=commands,
        inner="_ask_provider",
        result=lambda command: ("", False),
    ),
    Kind(
        model=Enrichment,
        make=_make_enrichments,
        work=lambda: enrichment.enrich_due(limit=1),
        lease=enrichment.LEASE,
        module=enrichment,
        inner="_ask_enrichers",
        result=lambda lead: "",
    ),
    Kind(
        model=LeadImport,
        make=_make_imports,
        work=imports.work_on_imports,
        lease=imports.LEASE,
        module=imports,
        inner="_check_batch",
        result=lambda found, rows: None,
    ),
    Kind(
        model=LeadFetch,
        make=_make_fetches,
        work=lambda: fetching.fetch_due(limit=1),
        lease=fetching.LEASE,
        module=fetching,
        inner="_fetch",
        result=lambda source, fetches: [complete(fetch) for fetch in fetches],
    ),
    Kind(
        model=Pull,
        make=_make_pulls,
        work=backfill.pull_due,
        lease=backfill.LEASE,
        module=backfill,
        inner="_go_on",
        result=complete,
    ),
    Kind(
        model=LeadSync,
        make=_make_connections,
        work=health_checks.check_due,
        lease=health_checks.LEASE,
        module=health_checks,
        inner="_check_or_end",
        result=lambda sync: complete(sync, again_at=timezone.now() + health_checks.INTERVAL, checked_at=timezone.now()),
    ),
    Kind(
        model=RefusedForm,
        make=_make_refused_forms,
        work=labels.label_due,
        lease=labels.LEASE,
        module=labels,
        inner="_label",
        result=remove,
    ),
    Kind(
        model=WaitingLead,
        make=_make_waiting_leads,
        work=lambda: waiting.deal_due(limit=1),
        lease=waiting.LEASE,
        module=waiting,
        inner="_deal",
        result=lambda rows: [remove(row) for row in rows],
    ),
    Kind(
        model=WordMapping,
        make=_make_mappings,
        work=lambda: word_mappings.release_mapped(limit=1),
        lease=word_mappings.LEASE,
        module=word_mappings,
        inner="_release_batch",
        result=lambda mapping: 0,
    ),
    Kind(
        model=RulePreview,
        make=_make_previews,
        work=preview_jobs.preview_due,
        lease=preview_jobs.LEASE,
        module=preview_jobs,
        inner="_work_off",
        result=lambda row: {},
    ),
    Kind(
        model=ScoreLearning,
        make=_make_learnings,
        work=learning_jobs.learn_due,
        lease=learning_jobs.LEASE,
        module=learning_jobs,
        inner="_learn",
        result=lambda row: {"state": "learned"},
    ),
    Kind(
        model=ScoringRun,
        make=_make_scoring_runs,
        work=rescoring.score_due,
        lease=rescoring.LEASE,
        module=rescoring,
        inner="_next_leads",
        result=lambda run: [],
    ),
]
