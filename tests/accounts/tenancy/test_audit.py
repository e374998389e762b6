"""The audit log names who changed what, and keeps neither secrets nor the names of leads."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.core.enums import Role
from accounts.models import Account, Agency, AuditEntry
from accounts.models.audit import ActorKind
from accounts.sources.service import create_source, rotate_secret
from accounts.tenancy.agencies import update_agency
from accounts.tenancy.api_keys import create_api_key
from accounts.tenancy.audit import LIFETIME, delete_old_entries, record_audit
from accounts.tenancy.second_factor import forget_second_factor
from accounts.tenancy.team import add_member


def entries(agency: Agency) -> list[tuple[str, ...]]:
    return list(
        agency.audit_entries.order_by("id").values_list("actor_kind", "action", "detail", "object_type", "object_label")
    )


def test_a_change_names_its_member_the_staff_or_the_key(agency: Agency, staff: User) -> None:
    person = User.objects.create_user("ann", "ann@example.com")
    add_member(agency, user=person, role=Role.OWNER, by=staff)
    update_agency(agency, by=person, name="Acme")
    key, _ = create_api_key(agency, name="CRM", by=person)
    create_source(agency=agency, provider="sendpilot", name="Ours", by=key)
    assert entries(agency) == [
        (ActorKind.STAFF, "Added", "owner", "member", "ann"),
        (ActorKind.MEMBER, "Changed", "name", "agency", "Acme"),
        (ActorKind.MEMBER, "Created", "", "apikey", str(key)),
        (ActorKind.KEY, "Created", "", "source", "Ours"),
    ]
    newest = agency.audit_entries.latest("id")
    assert (newest.user, newest.api_key) == (None, key)


def test_what_leadline_does_by_itself_is_in_no_audit_log(agency: Agency) -> None:
    source, _ = create_source(agency=agency, provider="sendpilot")
    rotate_secret(source)
    assert entries(agency) == []


def test_no_secret_and_no_name_of_a_person_outside_is_in_the_log(agency: Agency, staff: User) -> None:
    source, _ = create_source(agency=agency, provider="sendpilot", by=staff)
    secret = rotate_secret(source, by=staff)
    account = Account.objects.create(
        agency=agency, provider="welink", name="Ada Canary", status="active", status_since=timezone.now()
    )
    record_audit(agency, by=staff, action="Campaigns paused", obj=account)
    text = str(list(AuditEntry.objects.values()))
    assert account.pk in text
    assert "Canary" not in text
    assert secret
    assert secret not in text


def test_what_happens_to_a_person_stands_in_the_log_of_each_of_their_agencies(
    agency: Agency, stranger: Agency, staff: User
) -> None:
    person = User.objects.create_user("ann", "ann@example.com")
    for place in (agency, stranger):
        add_member(place, user=person, role=Role.OWNER)
    forget_second_factor(person, by=staff)
    expected = [(ActorKind.STAFF, "Two-factor authentication reset", "", "user", "ann")]
    assert (entries(agency), entries(stranger)) == (expected, expected)


@pytest.mark.parametrize(("age", "left"), [(LIFETIME - timedelta(hours=1), 1), (LIFETIME + timedelta(hours=1), 0)])
def test_an_entry_goes_after_two_years(agency: Agency, staff: User, age: timedelta, left: int) -> None:
    record_audit(agency, by=staff, action="Changed")
    AuditEntry.objects.update(at=timezone.now() - age)
    assert delete_old_entries() == 1 - left
    assert AuditEntry.objects.count() == left


def test_the_log_goes_with_its_agency(agency: Agency, staff: User) -> None:
    record_audit(agency, by=staff, action="Changed")
    agency.delete()
    assert not AuditEntry.objects.exists()
