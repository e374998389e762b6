"""Whoever names their LinkedIn profile in a form is the lead that is there already, on every path."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from accounts.events.ordering import Origin
from accounts.models import Agency, Event
from config.demo.linkedin_api import StandIn
from config.demo.linkedin_api.forms import form
from leads.enums import LeadStatus
from leads.lead_sync import backfill
from leads.lead_sync.form_answers import details
from leads.models import Lead
from leads.pipeline import reports
from leads.pipeline.dto import Identity
from leads.pipeline.form_fields import PREDEFINED_FIELDS
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, sync_of, work

pytestmark = pytest.mark.django_db
WITH_LINK = 902
URL = "https://www.linkedin.com/in/mira-example"
#: What LinkedIn's forms can ask for beside the profile itself; what a lead has no field for stays among its answers.
PREDEFINED = {
    "FIRST_NAME": "first_name", "LAST_NAME": "last_name", "EMAIL": "email", "WORK_EMAIL": "email",
    "PHONE_NUMBER": "phone", "WORK_PHONE_NUMBER": "phone", "CITY": "location", "STATE": "state",
    "COUNTRY": "country", "POSTAL_CODE": "postal_code", "ZIP_CODE": "postal_code", "JOB_TITLE": "title",
    "COMPANY_NAME": "company", "COMPANY_SIZE": "company_size", "INDUSTRY": "industry",
    "LINKEDIN_PROFILE_LINK": "linkedin_url", "JOB_FUNCTION": "", "SENIORITY": "", "DEGREE": "",
    "FIELD_OF_STUDY": "", "SCHOOL": "", "START_DATE": "", "GRADUATION_DATE": "", "GENDER": "",
}  # fmt: skip


def sent(stand_in: StandIn, link: str, **more: str) -> dict[str, object]:
    content = form(WITH_LINK)
    content["content"]["questions"].append(
        {"questionId": 90220, "name": "LinkedIn profile", "predefinedField": "LINKEDIN_PROFILE_LINK",
         "question": {"localized": {"en_US": "LinkedIn profile"}}, "questionDetails": {}}
    )  # fmt: skip
    stand_in.world.forms[WITH_LINK] = content
    answers = {"First name": "Mira", "Work email": "mira@example.com", "LinkedIn profile": link, **more}
    return stand_in.world.submit(answers, form=WITH_LINK)


def known_to_sendpilot(agency: Agency, external_id: str = "sp-1", url: str = URL) -> None:
    reports.report_status(
        agency,
        provider="sendpilot",
        identity=Identity(external_id=external_id, linkedin_url=url),
        status=LeadStatus.REPLY_RECEIVED,
        stated=True,
        origin=Origin(by="sendpilot", at=datetime.now(UTC) - timedelta(days=3)),  # noqa: TID251
    )


def by_notification(stand_in: StandIn, agency: Agency, link: str) -> None:
    source = connected(agency)
    work()
    notify(source, sent(stand_in, link))
    work()


def by_pull(stand_in: StandIn, agency: Agency, link: str) -> None:
    source = connected(agency)
    work()
    sent(stand_in, link)
    backfill.plan(sync_of(source))
    work()


PATHS = pytest.mark.parametrize("path", [by_notification, by_pull])
Path = Callable[[StandIn, Agency, str], None]


@PATHS
@pytest.mark.parametrize(
    "link", [URL, "linkedin.com/in/Mira-Example/?trk=x", "https://de.linkedin.com/in/mira-example"]
)
def test_the_person_is_one_lead_with_the_form_and_the_outreach(agency: Agency, path: Path, link: str) -> None:
    known_to_sendpilot(agency)
    with linkedin() as stand_in:
        path(stand_in, agency, link)
    lead = Lead.objects.get()
    assert sorted(lead.references.values_list("provider", flat=True)) == ["linkedin", "sendpilot"]
    assert (lead.linkedin_url, lead.email, lead.first_name) == (URL, "mira@example.com", "Mira")
    assert Event.objects.filter(event_type="lead_created", subject=lead.pk).count() == 2


@PATHS
def test_a_new_person_has_the_address_and_is_found_by_it_later(agency: Agency, path: Path) -> None:
    with linkedin() as stand_in:
        path(stand_in, agency, URL)
    lead = Lead.objects.get()
    assert (lead.linkedin_url, lead.provenance["linkedin_url"]) == (URL, "form")
    known_to_sendpilot(agency)
    assert Lead.objects.get().pk == lead.pk


@pytest.mark.once
@PATHS
@pytest.mark.parametrize("link", ["N/A", "-", "https://www.linkedin.com/in/", "https://example.com/mira", "mira"])
def test_an_answer_that_names_nobody_joins_nobody(agency: Agency, path: Path, link: str) -> None:
    known_to_sendpilot(agency, url="")
    with linkedin() as stand_in:
        path(stand_in, agency, link)
        work()
    lead = Lead.objects.get(email="mira@example.com")
    assert (Lead.objects.count(), lead.linkedin_url, lead.linkedin_key) == (2, "", "")
    assert link in [row["value"] for row in lead.answers]


def test_an_archive_of_one_persons_forms_is_one_lead(agency: Agency) -> None:
    with linkedin() as stand_in:
        for number in range(3):
            sent(stand_in, URL, **{"Job title": f"Job {number}"})
        sent(stand_in, "https://www.linkedin.com/in/other-example")
        connected(agency)
        work()
        source = sync_of(agency.sources.get())
        backfill.plan(source, since=datetime.now(UTC) - timedelta(days=9))  # noqa: TID251
        work()
    assert sorted(Lead.objects.values_list("linkedin_key", "references__provider")) == [
        ("linkedin.com/in/mira-example", "linkedin"), ("linkedin.com/in/mira-example", "linkedin"),
        ("linkedin.com/in/mira-example", "linkedin"), ("linkedin.com/in/other-example", "linkedin"),
    ]  # fmt: skip


def test_somebody_elses_profile_stays_somebody_elses(agency: Agency) -> None:
    with linkedin() as stand_in:
        by_notification(stand_in, agency, URL)
        notify(agency.sources.get(), sent(stand_in, "https://www.linkedin.com/in/other-example"))
        work()
    assert Lead.objects.count() == 2


@pytest.mark.once
@pytest.mark.parametrize(("theirs", "ours"), PREDEFINED.items())
def test_every_predefined_field_is_read_into_the_leads_field(theirs: str, ours: str) -> None:
    question = {"questionId": 1, "predefinedField": theirs, "name": "A question"}
    answer = {"questionId": 1, "answerDetails": {"textQuestionAnswer": {"answer": "An answer"}}}
    found = details({"formResponse": {"answers": [answer]}}, {"content": {"questions": [question]}})
    assert found.contact == ({ours: "An answer"} if ours else {})
    assert [(row["predefined_field"], row["value"]) for row in found.answers] == [(theirs, "An answer")]
    assert PREDEFINED_FIELDS.get(theirs, "") == ours
