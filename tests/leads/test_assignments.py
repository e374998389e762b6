"""A lead belongs to people, campaigns and accounts of its own agency."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from accounts.core.enums import Role
from accounts.core.errors import FieldError
from accounts.models import Account, Agency, Campaign, Event, Member
from accounts.tenancy.team import remove_member
from leads.models import Lead
from leads.pipeline.changes import create_lead, update_lead


def person(name: str, *agencies: Agency) -> User:
    user = User.objects.create_user(name)
    for agency in agencies:
        Member.objects.create(agency=agency, user=user, role=Role.OWNER)
    return user


def make_value(agency: Agency, field: str) -> Model:
    match field:
        case "assigned_to":
            return person(f"{agency.pk}@example.org", agency)
        case "campaign":
            return Campaign.objects.create(agency=agency, provider="sendpilot", external_id="1")
        case _:
            now = timezone.now()
            return Account.objects.create(agency=agency, provider="sendpilot", external_id="1", status_since=now)


@pytest.mark.parametrize("field", ["assigned_to", "campaign", "account"])
def test_what_is_another_agencys_is_refused(agency: Agency, stranger: Agency, field: str) -> None:
    lead = create_lead(agency, name="Ada", email="ada@example.com")
    theirs, recorded_before = make_value(stranger, field), Event.objects.count()
    with pytest.raises(FieldError) as refused, transaction.atomic():
        update_lead(lead, **{field: theirs})
    with pytest.raises(FieldError), transaction.atomic():
        create_lead(agency, email="bea@example.com", **{field: theirs})
    assert refused.value.field == field
    assert (Event.objects.count(), Lead.objects.count()) == (recorded_before, 1)
    ours = make_value(agency, field)
    assert getattr(update_lead(lead, **{field: ours}), field) == ours


def test_the_leads_of_a_removed_member_are_nobodys(agency: Agency, stranger: Agency) -> None:
    both, owner = person("ann@example.com", agency, stranger), person("owner", agency, stranger)
    here = create_lead(agency, email="ada@example.com", assigned_to=both)
    elsewhere = create_lead(stranger, email="ada@example.com", assigned_to=both)
    kept = create_lead(agency, email="bea@example.com", assigned_to=owner)
    remove_member(agency.members.get(user=both))
    for lead, user in ((here, None), (elsewhere, both), (kept, owner)):
        lead.refresh_from_db()
        assert lead.assigned_to == user
