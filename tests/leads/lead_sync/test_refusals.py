"""What LinkedIn refuses of one form, one lead, one page or one owner holds up nothing else, and is said."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from accounts.core.enums import Scope
from accounts.models import Account, Agency, Event, Source, SourceIssue
from accounts.sources.service import update_source
from config.demo.linkedin_api.forms import ACCOUNT, FORM, PAGE, form
from config.demo.linkedin_api.world import World
from leads.lead_sync import backfill, backfill_import, backfill_pages
from leads.lead_sync.problems import problems_of
from leads.lead_sync.subscriptions import want
from leads.models import Lead, LeadFetch, LeadForm, Pull, RefusedForm, UnlabelledAnswers
from tests.api.client import api_with
from tests.leads.lead_sync.linkedin import SPONSORED, agree, connected, let_pass, linkedin, notify, sync_of, work

pytestmark = [pytest.mark.django_db, pytest.mark.one_backend]
START = datetime(2026, 11, 20, 12, tzinfo=UTC)
OTHER = 901


class Day:
    """LinkedIn with a second form, a source that is connected to it, and a clock."""

    def __init__(self, agency: Agency, world: World, clock: time_machine.Traveller) -> None:
        self.agency, self.world, self.clock = agency, world, clock
        world.forms[OTHER] = form(OTHER)
        self.source = connected(agency)
        work()

    def pull(self, **since: Any) -> None:
        """A pull, with all the waits that it takes."""
        backfill.plan(sync_of(self.source), **since)
        self.go_on(minutes=20)

    def go_on(self, **time: float) -> None:
        """Work, and let time pass in eight steps that no wait is shorter than."""
        let_pass(self.clock, pace=max(timedelta(seconds=61), timedelta(**time) / 8), **time)

    def lead(self, response: dict[str, Any]) -> Lead:
        return Lead.objects.get(references__external_id=response["id"])

    def codes(self) -> set[str]:
        return {problem.code for problem in problems_of(sync_of(self.source))}

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = api_with(self.agency, Scope.READ).get(f"sources/{self.source.pk}").json()["health"]
        return found


@pytest.fixture
def day(agency: Agency) -> Iterator[Day]:
    with time_machine.travel(START, tick=False) as clock, linkedin() as stand_in:
        yield Day(agency, stand_in.world, clock)


#: One of each kind, and more of them.
REFUSALS = [{"status": 403}, {"status": 500}, {"status": 200, "body": "<html>"}, {"status": 200, "body": "{}"}]
MORE_REFUSALS = [
    {"status": 400}, {"status": 404}, {"status": 410}, {"status": 503},
    {"status": 200, "body": "[]"}, {"status": 200, "body": "null"},
    {"status": 200, "body": '{"id": 901, "content": {"questions": "none"}}'},
    {"status": 200, "body": '{"id": 901, "content": [{"questions": []}]}'},
]  # fmt: skip
each_refusal = pytest.mark.parametrize(
    "refusal", [*REFUSALS, *(pytest.param(more, marks=pytest.mark.fault) for more in MORE_REFUSALS)], ids=str
)


@pytest.mark.once
@each_refusal
def test_a_form_that_is_not_shown_holds_up_no_other_and_its_leads_come_by_question_id(
    day: Day, refusal: dict[str, Any]
) -> None:
    day.world.refuse("leadForms", key=str(OTHER), **refusal)
    hidden, shown = day.world.submit(form=OTHER), day.world.submit()
    day.pull()
    assert Pull.objects.get(finished_at__isnull=False, found=2).error == ""
    assert day.lead(shown).email == "kevin@example.com"
    lead = day.lead(hidden)
    assert (lead.details_pending, lead.email) == (False, "")
    assert {row["question_id"]: row["value"] for row in lead.answers}["90103"] == "kevin@example.com"
    assert {row["question_id"]: row["value"] for row in lead.answers}["90112"] == ["1", "2"]
    assert {(row["label"], row["predefined_field"]) for row in lead.answers} == {("", "")}
    [problem] = problems_of(sync_of(day.source))
    assert problem.code == "form_refused"
    assert str(OTHER) in problem.message
    [issue] = day.health()["troubles"]
    assert day.health()["status"] == "attention"
    assert (issue["kind"], str(OTHER) in issue["detail"]) == ("lead_sync", True)


@pytest.mark.once
@each_refusal
def test_a_lead_that_a_notification_told_of_is_not_pending_for_ever(day: Day, refusal: dict[str, Any]) -> None:
    day.world.refuse("leadForms", key=str(OTHER), **refusal)
    response = day.world.submit(form=OTHER)
    notify(day.source, response)
    day.go_on(minutes=15)
    lead = day.lead(response)
    assert lead.details_pending is False
    assert "kevin@example.com" in [row["value"] for row in lead.answers]
    assert Event.objects.filter(event_type="lead_created").count() == 1
    assert day.codes() == {"form_refused"}


@pytest.mark.parametrize("hours", [2, 30, 24 * 60])
def test_labels_are_filled_in_when_the_form_becomes_readable(day: Day, hours: int) -> None:
    day.world.refuse("leadForms", key=str(OTHER))
    pulled, notified = day.world.submit(form=OTHER), day.world.submit(form=OTHER)
    notify(day.source, notified)
    day.pull()
    day.go_on(hours=hours)
    asked = day.world.calls["GET leadForms"]
    assert UnlabelledAnswers.objects.count() == 2
    day.world.refusals.clear()
    day.world.leads.clear()  # LinkedIn need not keep them as long
    day.go_on(hours=25)
    for response in (pulled, notified):
        lead = day.lead(response)
        assert (lead.name, lead.email, lead.phone_e164) == ("Kevin Okafor", "kevin@example.com", "+12125550147")
        assert {row["label"]: row["value"] for row in lead.answers}["What is your budget?"] == ["Up to $5,000", "More"]
        assert lead.consents == [{"consent_id": "0", "text": "I may be contacted.", "accepted": True}]
        assert lead.hidden_fields == [{"name": "utm_campaign", "value": "spring"}]
        assert (lead.creation_locale, lead.provenance["email"]) == ("en_US", "form")
    assert day.world.calls["GET leadForms"] == asked + 1
    assert not RefusedForm.objects.exists()
    assert (day.codes(), day.health()["troubles"]) == (set(), [])
    assert Event.objects.filter(event_type="lead_created").count() == 2


def test_a_form_is_asked_for_rarely_and_not_for_ever(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill_pages, "PAGE", 10)
    day.world.refuse("leadForms", key=str(OTHER))
    day.world.submit_many(11, form=OTHER)
    day.world.submit_many(3, prefix="late", form=OTHER)
    asked = day.world.calls["GET leadForms"]
    day.pull(since=START - timedelta(days=30))
    assert Lead.objects.count() == 14
    assert day.world.calls["GET leadForms"] == asked + 1
    day.go_on(hours=24)
    assert day.world.calls["GET leadForms"] <= asked + 4
    for _ in range(32):
        day.clock.shift(timedelta(days=3))
        work()
    assert day.world.calls["GET leadForms"] <= asked + 100
    assert RefusedForm.objects.get().next_attempt_at is None
    before = day.world.calls["GET leadForms"]
    day.clock.shift(timedelta(days=30))
    work()
    assert day.world.calls["GET leadForms"] == before
    day.world.submit(form=OTHER)
    day.pull()
    assert day.world.calls["GET leadForms"] == before + 1
    assert day.codes() == {"form_refused"}


def test_whoever_connects_anew_has_the_form_asked_for_at_once(day: Day) -> None:
    day.world.refuse("leadForms", key=str(OTHER))
    response = day.world.submit(form=OTHER)
    day.pull()
    day.world.refusals.clear()
    link = api_with(day.agency, Scope.ADMIN).post(f"sources/{day.source.pk}/connect").json()["authorize_url"]
    assert Client().get("/oauth/linkedin/callback", agree(link)).status_code == 200
    work()
    assert day.lead(response).email == "kevin@example.com"


def test_a_short_trouble_of_a_form_is_waited_for(day: Day) -> None:
    day.world.refuse("leadForms", key=str(OTHER), status=503, times=2)
    response = day.world.submit(form=OTHER)
    day.pull()
    assert day.lead(response).email == "kevin@example.com"
    assert not RefusedForm.objects.exists()
    assert not SourceIssue.objects.exists()


def test_a_new_version_that_is_not_shown_is_read_with_the_one_before(day: Day) -> None:
    day.world.submit(form=OTHER)
    day.pull()
    day.world.forms[OTHER] = form(OTHER, version=2)
    day.world.refuse("leadForms", key=str(OTHER))
    response = day.world.submit(form=OTHER)
    day.pull()
    assert day.lead(response).email == "kevin@example.com"
    assert day.codes() == {"form_refused"}
    day.world.refusals.clear()
    day.go_on(hours=2)
    assert set(LeadForm.objects.filter(form_id=str(OTHER)).values_list("version", flat=True)) == {"1", "2"}
    assert day.codes() == set()


def test_a_form_that_a_response_brings_along_is_not_asked_for(day: Day) -> None:
    day.world.refuse("leadForms", key=str(OTHER))
    response = day.world.submit(form=OTHER)
    day.world.leads[response["id"]]["form"] = day.world.forms[OTHER]
    notify(day.source, response)
    work()
    day.pull()
    assert day.lead(response).email == "kevin@example.com"
    assert not RefusedForm.objects.exists()
    odd_forms: list[Any] = ["a text", {"content": None}, [], 7]
    for odd in odd_forms:
        other = day.world.submit(form=FORM)
        day.world.leads[other["id"]]["form"] = odd
        notify(day.source, other)
        work()
        assert day.lead(other).email == "kevin@example.com"


def test_answers_with_labels_are_never_replaced_by_such_without(day: Day) -> None:
    response = day.world.submit(form=OTHER)
    notify(day.source, response)
    work()
    LeadForm.objects.all().delete()
    day.world.refuse("leadForms", key=str(OTHER))
    day.pull()
    assert "What is your budget?" in [row["label"] for row in day.lead(response).answers]


@pytest.mark.parametrize("refusal", [{"status": 429}, {"status": 401}], ids=str)
def test_what_concerns_more_than_the_form_holds_everything(day: Day, refusal: dict[str, Any]) -> None:
    day.world.refuse("leadForms", key=str(OTHER), times=1, **refusal)
    day.world.submit(form=OTHER)
    day.world.submit()
    backfill.plan(sync_of(day.source))
    work()
    assert not Lead.objects.exists()
    assert not RefusedForm.objects.exists()
    if refusal["status"] == 429:
        assert day.codes() == {"rate_limited"}
        assert day.health()["status"] == "attention"
    day.go_on(hours=13)
    assert day.health()["troubles"] == []
    assert Lead.objects.exclude(email="").count() == 2


ODD_LEADS: list[dict[str, Any]] = [
    {"formResponse": {"answers": [{"questionId": 1, "answerDetails": {"dateAnswer": {"date": "2026-11-01"}}}]}},
    {"formResponse": {"answers": [{"questionId": [1], "answerDetails": {"multipleChoiceAnswer": {"options": [{}]}}}]}},
    {"formResponse": {"answers": "none", "consentResponses": [{"consentId": {"a": 1}, "accepted": "yes"}]}},
    {"formResponse": None}, {"formResponse": {"answers": [None, 7, {"answerDetails": []}]}},
    {"submittedAt": "soon"}, {"submittedAt": None}, {"owner": "nobody"}, {"associatedEntity": [1]},
    {"versionedLeadGenFormUrn": 7}, {"versionedLeadGenFormUrn": "urn:li:leadGenForm:1"}, {"leadType": {"a": 1}},
]  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("odd", ODD_LEADS, ids=str)
def test_a_lead_of_a_shape_that_we_do_not_know_comes_and_leaves_the_others_alone(day: Day, odd: dict[str, Any]) -> None:
    strange, plain = day.world.submit(), day.world.submit()
    page = {"paging": {"total": 2}, "elements": [strange | odd, "no record", plain]}
    day.world.refuse("leadFormResponses", owner=ACCOUNT, status=200, body=json.dumps(page), times=1)
    backfill.plan(sync_of(day.source))
    backfill.pull_due()
    assert day.lead(plain).email == "kevin@example.com"
    assert day.lead(strange).recovered is True
    assert Pull.objects.order_by("pk").last().skipped == 1  # type: ignore[union-attr]
    assert "leads_skipped" in day.codes()


def test_an_answer_of_a_kind_that_we_do_not_know_is_kept_as_it_came(day: Day) -> None:
    response = day.world.submit()
    details = [{"fileAnswer": {"name": "cv.pdf"}}, {"longTextAnswer": {"answer": "Yes, please."}}]
    response["formResponse"]["answers"] = [
        {"questionId": number, "answerDetails": given} for number, given in enumerate(details)
    ]
    day.pull()
    assert [row["value"] for row in day.lead(response).answers] == [
        '{"fileAnswer": {"name": "cv.pdf"}}',
        "Yes, please.",
    ]


def test_a_lead_that_cannot_be_kept_holds_up_no_other(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = day.world.submit(), day.world.submit()
    read = backfill_import.details  # type: ignore[attr-defined]

    def details(response: Any, content: Any) -> Any:
        if response["id"] == bad["id"]:
            raise RuntimeError("a shape that nobody thought of")
        return read(response, content)

    monkeypatch.setattr(backfill_import, "details", details)
    backfill.plan(sync_of(day.source))
    backfill.pull_due()
    assert day.lead(good).email == "kevin@example.com"
    assert not Lead.objects.filter(references__external_id=bad["id"]).exists()
    assert "leads_skipped" in day.codes()


@pytest.mark.once
@pytest.mark.parametrize(
    "refusal", [{"status": 403}, {"status": 500}, {"status": 200, "body": "{"}, {"status": 200, "body": "{}"}], ids=str
)
def test_answers_of_one_lead_that_linkedin_does_not_give_hold_up_no_other(day: Day, refusal: dict[str, Any]) -> None:
    bad = day.world.submit()
    day.world.refuse("leadFormResponses", key=bad["id"], **refusal)
    good = [day.world.submit() for _ in range(3)]
    for response in (bad, *good):
        notify(day.source, response)
    work()
    assert [day.lead(response).email for response in good] == ["kevin@example.com"] * 3
    day.go_on(hours=6)
    assert day.lead(bad).details_pending is True
    assert "answers" in day.codes()
    assert day.health()["status"] == "attention"
    day.world.refusals.clear()
    day.go_on(hours=2)
    assert day.lead(bad).email == "kevin@example.com"
    assert day.codes() == set()
    assert day.health()["troubles"] == []


@pytest.mark.parametrize("refusal", [{"status": 500}, {"status": 400}, {"status": 200, "body": "<html>"}], ids=str)
def test_a_page_that_linkedin_does_not_show_because_of_one_lead_hides_no_other(
    day: Day, refusal: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill_pages, "PAGE", 10)
    day.world.submit_many(35)
    day.world.refuse("leadFormResponses", key="page of old-17-6", **refusal)
    asked = day.world.calls["GET leadFormResponses"]
    day.pull(since=START - timedelta(days=30))
    assert Lead.objects.count() == 34
    assert day.world.calls["GET leadFormResponses"] - asked < 40
    assert Pull.objects.get(found=34).skipped == 1
    assert day.codes() == {"leads_skipped"}


def test_an_owner_that_linkedin_refuses_holds_up_no_other(day: Day) -> None:
    want(day.source, [SPONSORED, {"owner": PAGE, "lead_type": "COMPANY"}])
    work()
    day.world.refuse("leadFormResponses", owner=PAGE)
    sponsored = day.world.submit()
    day.world.submit(owner={"organization": PAGE}, leadType="COMPANY")
    backfill.plan(sync_of(day.source))
    work()
    assert day.lead(sponsored).email == "kevin@example.com"
    assert day.codes() == {"pull"}
    assert day.health()["status"] == "attention"
    day.world.refusals.clear()
    day.go_on(hours=2)
    assert Lead.objects.exclude(email="").count() == 2
    assert (day.codes(), day.health()["troubles"]) == (set(), [])


@pytest.mark.once
@pytest.mark.parametrize("body", ["<html>", "[]", "null", "{}", '{"elements": "none"}', '{"paging": {"total": 0}}'])
def test_an_answer_that_nobody_can_read_is_not_an_empty_archive(day: Day, body: str) -> None:
    day.world.refuse("leadFormResponses", owner=ACCOUNT, status=200, body=body, times=3)
    response = day.world.submit()
    backfill.plan(sync_of(day.source))
    work()
    assert Pull.objects.order_by("pk").last().finished_at is None  # type: ignore[union-attr]
    day.go_on(minutes=30)
    assert day.lead(response).email == "kevin@example.com"


def test_linkedin_being_away_is_not_taken_for_a_single_leads_trouble(day: Day) -> None:
    day.world.submit_many(5)
    day.world.refuse("leadFormResponses", status=503)
    backfill.plan(sync_of(day.source), since=START - timedelta(days=30))
    day.go_on(hours=6)
    assert not Lead.objects.exists()
    assert day.codes() == {"pull"}
    day.world.refusals.clear()
    day.go_on(hours=2)
    assert Lead.objects.count() == 5
    assert not Pull.objects.filter(skipped__gt=0).exists()


def test_a_revoked_token_holds_the_source_and_says_so(day: Day) -> None:
    day.clock.shift(timedelta(seconds=1))
    day.world.revoke()
    day.world.submit()
    backfill.plan(sync_of(day.source))
    work()
    assert Account.objects.get().status == "auth_error"
    assert day.health()["status"] == "attention"
    assert "token_revoked" in day.codes()
    link = api_with(day.agency, Scope.ADMIN).post(f"sources/{day.source.pk}/connect").json()["authorize_url"]
    day.clock.shift(timedelta(seconds=1))
    assert Client().get("/oauth/linkedin/callback", agree(link)).status_code == 200
    work()
    assert (Lead.objects.count(), day.health()["troubles"]) == (1, [])


def test_the_command_says_what_linkedin_refused(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    want(day.source, [SPONSORED, {"owner": PAGE, "lead_type": "COMPANY"}])
    work()
    day.world.refuse("leadForms", key=str(OTHER))
    day.world.submit(form=OTHER)
    day.world.submit()
    assert run(capsys, day.source) == (
        0,
        {"pulled": 2, "new": 2, "finished": True, "skipped": 0, "refused_forms": [str(OTHER)]},
    )
    day.world.refuse("leadFormResponses", owner=PAGE)
    code, answer = run(capsys, day.source)
    assert (code, answer["finished"]) == (1, False)


def run(capsys: pytest.CaptureFixture[str], source: Source) -> tuple[Any, dict[str, Any]]:
    code: Any = 0
    try:
        call_command("sync_leads", "--source", source.pk, "--json")
    except SystemExit as end:
        code = end.code
    answer = json.loads(capsys.readouterr().out)
    answer.pop("pulls")
    return code, answer


def test_a_source_that_is_switched_off_shows_no_trouble_of_its_pulls(day: Day) -> None:
    update_source(day.source, enabled=False)
    day.world.refuse("leadForms", key=str(OTHER))
    day.world.submit(form=OTHER)
    day.pull()
    assert day.health() | {"validated_at": None} == day.health() | {"status": "disabled", "troubles": []}


def test_an_erased_lead_waits_for_no_label(day: Day) -> None:
    day.world.refuse("leadForms", key=str(OTHER))
    response = day.world.submit(form=OTHER)
    notify(day.source, response)
    day.go_on(minutes=15)
    notify(day.source, response, "DELETED", response["submittedAt"] + 1000)
    work()
    assert not UnlabelledAnswers.objects.exists()
    assert not LeadFetch.objects.exists()
    day.go_on(hours=2)
    assert not RefusedForm.objects.exists()
