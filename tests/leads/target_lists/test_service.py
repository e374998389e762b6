"""Target lists and the rules that ask about them."""

from io import BytesIO
from typing import Any

import pytest

from accounts.core.errors import FieldError
from accounts.models import Agency, AuditEntry
from leads.conditions import ConditionError, LeadValues, compile_condition
from leads.conditions.target_lists import compile_for
from leads.models import Lead, LeadScore, ScoringRule, TargetList
from leads.pipeline.changes import create_lead
from leads.rules import service as rules
from leads.scoring.kind import KIND
from leads.scoring.rescoring import score_due
from leads.target_lists.service import create_list, delete_list, update_list
from tests.reactions import react

pytestmark = pytest.mark.django_db

FILE = b"Company,Website\nAcme GmbH,acme.example.com\nBooking.example,\n"


def on(*lists: TargetList) -> dict[str, Any]:
    return {"field": "target_list", "op": "on_list", "value": [one.pk for one in lists]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"company": "ACME, GmbH"}, True),
        ({"company": "Acme Holding"}, False),
        ({"email": "ada@acme.example.com"}, True),
        ({"email": "ada@eu.acme.example.com"}, True),
        ({"email": "ada@notacme.example.com"}, False),
        ({"company": "booking.example"}, True),
        ({"company": "https://www.booking.example/jobs"}, True),
        ({"email": "ada@gmail.com"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_lead_is_on_a_list_by_its_company_or_the_domain_of_its_business_address(
    agency: Agency, fields: dict[str, str], expected: bool | None
) -> None:
    listed = create_list(agency, name="Key accounts", file=BytesIO(FILE))
    lead = create_lead(agency, **{"name": "Ada", **fields})
    assert compile_condition(on(listed)).evaluate(LeadValues(lead)) is expected


def test_a_list_of_anstranger_names_nobodys_leads(agency: Agency, stranger: Agency) -> None:
    theirs = create_list(stranger, name="Theirs", file=BytesIO(FILE))
    lead = create_lead(agency, name="Ada", company="Acme")
    assert compile_condition(on(theirs)).evaluate(LeadValues(lead)) is False
    with pytest.raises(ConditionError, match=r"value: There is no target list"):
        compile_for(agency, on(theirs))


def test_a_sentence_names_the_lists(agency: Agency) -> None:
    lists = [create_list(agency, name=name, file=BytesIO(FILE)) for name in ("Key accounts", "Partners")]
    assert compile_for(agency, on(*lists)).sentence == "The target lists include “Key accounts” or “Partners”"
    one = {"not": {**on(lists[1]), "value": lists[1].pk}}
    assert compile_for(agency, one).sentence == "Not (the target lists include “Partners”)"


def test_a_sentence_says_the_names_of_campaigns_and_statuses(agency: Agency) -> None:
    campaign = agency.campaigns.create(provider="sendpilot", external_id="1", name="Founders in Berlin")
    tree = {
        "any": [
            {"field": "campaign", "op": "in", "value": [campaign.pk]},
            {"field": "status", "op": "equals", "value": "CONNECTION_ACCEPTED"},
            {"field": "answers", "op": "exists"},
        ]
    }
    assert compile_for(agency, tree).sentence == (
        "The campaign is “Founders in Berlin” or the status is “Connected” or the answers are known"
    )


def test_scores_follow_a_list_that_is_replaced(agency: Agency) -> None:
    listed = create_list(agency, name="Key accounts", file=BytesIO(b"Globex"))
    rules.create_rule(KIND, agency, name="Wanted", group="fit", points=40, conditions=on(listed))
    lead = create_lead(agency, name="Ada", company="Acme GmbH")
    react()
    while score_due():
        pass
    assert LeadScore.objects.get(lead=lead).total == 0
    update_list(listed, file=BytesIO(FILE))
    while score_due():
        pass
    assert LeadScore.objects.get(lead=lead).total == 40


def test_a_list_that_a_rule_asks_about_stays_and_no_version_brings_a_deleted_one_back(agency: Agency) -> None:
    listed = create_list(agency, name="Key accounts", file=BytesIO(FILE))
    rule = rules.create_rule(KIND, agency, name="Wanted", group="fit", points=40, conditions={"not": on(listed)})
    with pytest.raises(FieldError, match="The rule “Wanted” asks about this list"):
        delete_list(listed)
    rules.change_rule(KIND, rule, conditions={})
    delete_list(listed)
    rules.roll_back(KIND, agency, 1)
    back = ScoringRule.objects.get()
    assert (back.active, "There is no target list" in back.disabled_reason) == (False, True)


def test_a_list_has_a_name_of_its_own_and_changes_stand_in_the_audit_log(agency: Agency, staff: Any) -> None:
    listed = create_list(agency, name=" Key  accounts ", file=BytesIO(FILE), by=staff)
    assert (listed.name, listed.companies, listed.domains) == ("Key accounts", 1, 2)
    with pytest.raises(FieldError, match="this name already"):
        create_list(agency, name="Key accounts", file=BytesIO(FILE))
    with pytest.raises(FieldError, match="Enter a name"):
        update_list(listed, name="", by=staff)
    update_list(listed, name="Partners", file=BytesIO(b"Globex\nGlobex\nann@gmail.com"), by=staff)
    listed.refresh_from_db()
    assert (listed.name, listed.companies, listed.domains, listed.duplicates) == ("Partners", 1, 0, 1)
    assert listed.refused == [{"row": 3, "value": "ann@gmail.com", "reason": "free_mail"}]
    delete_list(listed, by=staff)
    actions = AuditEntry.objects.filter(agency=agency).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["Target list created", "Target list changed", "Target list deleted"]
    assert not Lead.objects.exists()
