"""What staff do goes through the services: it notifies as webhooks do, and secrets are shown exactly once."""

import re

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client

from accounts.models import Account, Agency, ApiKey, Campaign, Event, Invitation, Source
from accounts.sources.service import create_source, valid_secrets
from accounts.tenancy.api_keys import find_api_key
from accounts.tenancy.verified_email import mark_email_verified
from leads.models import Lead
from leads.pipeline.changes import create_lead
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from notifications.models import Channel, Delivery
from tests.backoffice.forms import form_of
from tests.factories import make_everything
from webhooks.models import Receipt


def code_in(html: str, start: str) -> str:
    found = re.findall(rf"<code>({re.escape(start)}[^<]+)</code>", html)
    assert len(found) == 1
    return str(found[0])


def test_staff_who_make_an_agency_get_no_key_of_it(signed_in: Client, db: None) -> None:
    page = "/admin/accounts/agency/add/"
    made = signed_in.post(
        page, form_of(signed_in, page) | {"name": "New & Co", "owner_email": "olive@example.com"}, follow=True
    )
    agency = Agency.objects.get(name="New & Co")
    assert made.status_code == 200
    assert "ll_" not in made.content.decode()
    assert not agency.api_keys.exists()
    assert {entry.object_repr for entry in LogEntry.objects.all()} == {agency.pk, agency.invitations.get().pk}


def test_staff_cannot_leave_an_agency_without_an_owner(signed_in: Client, agency: Agency, stranger: Agency) -> None:
    last = agency.members.create(user=User.objects.create_user("last"), role="owner")
    gone = agency.members.create(user=User.objects.create_user("gone", is_active=False), role="owner")
    reader = agency.members.create(user=User.objects.create_user("reader"), role="read_only")
    stranger.members.create(user=last.user, role="owner")
    page = f"/admin/accounts/member/{last.pk}"
    answer = signed_in.post(f"{page}/change/", {"role": "read_only"})
    assert "An agency needs an owner" in str(answer.context["adminform"].form.errors)
    assert "An agency needs an owner" in signed_in.post(f"{page}/press/remove/", follow=True).content.decode()
    everybody = {"action": "remove", "_selected_action": [last.pk, gone.pk, reader.pk]}
    signed_in.post("/admin/accounts/member/", everybody)
    assert signed_in.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    signed_in.post("/admin/accounts/member/", everybody | {"action": "delete_selected"})
    assert list(agency.members.values_list("pk", "role")) == [(last.pk, "owner")]
    other = agency.members.create(user=User.objects.create_user("other"), role="read_only")
    signed_in.post(f"/admin/accounts/member/{other.pk}/change/", {"role": "owner"})
    signed_in.post(f"{page}/press/remove/")
    assert list(agency.members.values_list("pk", "role")) == [(other.pk, "owner")]


def test_staff_add_a_user_once(signed_in: Client, agency: Agency) -> None:
    user = User.objects.create_user("ann")
    data = {"agency": agency.pk, "user": user.pk, "role": "owner"}
    assert signed_in.post("/admin/accounts/member/add/", data).status_code == 302
    assert signed_in.post("/admin/accounts/member/add/", data).status_code == 200
    assert agency.members.get().user == user


def test_only_who_may_delete_members_removes_them(agency: Agency, onlooker: Client) -> None:
    member = agency.members.create(user=User.objects.create_user("ann"), role="read_only")
    assert onlooker.post(f"/admin/accounts/member/{member.pk}/press/remove/").status_code == 403
    assert agency.members.exists()


def test_staff_assign_a_lead_to_nobody_of_another_agency(signed_in: Client, agency: Agency, stranger: Agency) -> None:
    ours, theirs = User.objects.create_user("ann@example.com"), User.objects.create_user("zed@example.org")
    agency.members.create(user=ours, role="owner")
    stranger.members.create(user=theirs, role="owner")
    lead = create_lead(agency, name="Ada", email="ada@example.com")
    page = f"/admin/leads/lead/{lead.pk}/change/"
    data = form_of(signed_in, page)
    answer = signed_in.post(page, data | {"assigned_to": theirs.pk})
    assert "not an active member" in str(answer.context["adminform"].form.errors["assigned_to"])
    signed_in.post(page, data | {"assigned_to": ours.pk})
    lead.refresh_from_db()
    assert lead.assigned_to == ours
    assert not Event.objects.filter(payload__icontains="zed@example.org").exists()


def test_a_company_id_that_is_taken_is_said_so(signed_in: Client, agency: Agency) -> None:
    page = "/admin/accounts/agency/add/"
    answer = signed_in.post(page, form_of(signed_in, page) | {"name": "X", "ghl_company_id": agency.ghl_company_id})
    assert answer.status_code == 200
    assert "ghl_company_id" in answer.context["adminform"].form.errors
    assert Agency.objects.count() == 1


def test_a_new_api_key_is_shown_once_and_can_be_revoked(signed_in: Client, agency: Agency) -> None:
    page = "/admin/accounts/apikey/add/"
    made = signed_in.post(page, {"agency": agency.pk, "name": "CRM", "scopes": ["read"]})
    key = code_in(made.content.decode(), "ll_")
    row = ApiKey.objects.get(name="CRM")
    assert row.scopes == ["read"]
    signed_in.post(f"/admin/accounts/apikey/{row.pk}/press/revoke/")
    assert find_api_key(key) is None
    assert "press/revoke" not in signed_in.get(f"/admin/accounts/apikey/{row.pk}/change/").content.decode()


def test_staff_invite_an_agencys_first_person(signed_in: Client, agency: Agency) -> None:
    page = "/admin/accounts/invitation/add/"
    made = signed_in.post(page, {"agency": agency.pk, "email": "Owner@example.com", "role": "owner"})
    assert made.status_code == 302
    invitation = Invitation.objects.get()
    assert (invitation.agency, invitation.role, invitation.is_open) == (agency, "owner", True)
    drain_deliveries()
    [message] = mail.outbox
    assert message.to == [invitation.email]
    assert "/invitation/" in message.body


def test_who_is_a_member_is_not_invited_again(signed_in: Client, agency: Agency) -> None:
    user = User.objects.create_user("ann", "ann@example.com")
    mark_email_verified(user, user.email)
    agency.members.create(user=user, role="owner")
    answer = signed_in.post(
        "/admin/accounts/invitation/add/", {"agency": agency.pk, "email": "ann@example.com", "role": "owner"}
    )
    assert "email" in answer.context["adminform"].form.errors
    assert not Invitation.objects.exists()


def test_a_new_source_shows_its_url_and_secret_once(signed_in: Client, agency: Agency) -> None:
    page = "/admin/accounts/source/add/"
    made = signed_in.post(page, form_of(signed_in, page) | {"agency": agency.pk, "provider": "sendpilot"})
    source = Source.objects.get()
    assert code_in(made.content.decode(), "whsec_") == valid_secrets(source)[0]
    assert source.webhook_url in made.content.decode()
    later = signed_in.get(f"/admin/accounts/source/{source.pk}/change/").content.decode()
    assert source.webhook_url in later
    assert "whsec_" not in later


def test_what_a_source_may_not_be_stands_beside_the_field(signed_in: Client, agency: Agency) -> None:
    page = "/admin/accounts/source/add/"
    answer = signed_in.post(page, form_of(signed_in, page) | {"agency": agency.pk, "provider": "linkedin"})
    assert "secret" in answer.context["adminform"].form.errors
    assert not Source.objects.exists()


def test_rotating_shows_the_new_secret_and_keeps_the_old_one_valid(signed_in: Client, agency: Agency) -> None:
    source, old = create_source(agency=agency, provider="welink")
    answer = signed_in.post(f"/admin/accounts/source/{source.pk}/press/rotate/")
    new = code_in(answer.content.decode(), "whsec_")
    assert valid_secrets(source) == [new, old]
    assert "no-store" in answer["Cache-Control"]


def test_a_get_presses_no_button(signed_in: Client, agency: Agency) -> None:
    source, old = create_source(agency=agency, provider="welink")
    assert signed_in.get(f"/admin/accounts/source/{source.pk}/press/rotate/").status_code == 404
    assert valid_secrets(source) == [old]


def test_a_status_set_by_staff_is_told_as_one_that_a_provider_reported(signed_in: Client, agency: Agency) -> None:
    lead = make_everything(agency, User.objects.get(), text="Ann")[Lead]
    page = f"/admin/leads/lead/{lead.pk}/change/"
    values = form_of(signed_in, page) | {"linkedin_url": "https://linkedin.com/in/ann"}
    answer = signed_in.post(page, values | {"status": "OPPORTUNITY", "note": "Called us.", "_save": "Save"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    change = lead.changes.order_by("-pk")[0]
    assert (change.new_status, change.changed_by, change.note) == ("OPPORTUNITY", "user", "Called us.")
    recorded = Event.objects.filter(subject=lead.pk).order_by("pk").values_list("event_type", flat=True)
    assert list(recorded) == ["lead_status_changed", "lead_opportunity"]


def test_saving_a_lead_unchanged_tells_nobody(signed_in: Client, agency: Agency) -> None:
    lead = make_everything(agency, User.objects.get(), text="Ann")[Lead]
    page = f"/admin/leads/lead/{lead.pk}/change/"
    before = Event.objects.count()
    signed_in.post(page, form_of(signed_in, page) | {"_save": "Save"})
    assert Event.objects.count() == before
    assert lead.changes.count() == 1


def test_a_lead_cannot_be_given_another_agencys_campaign(signed_in: Client, agency: Agency, stranger: Agency) -> None:
    lead = make_everything(agency, User.objects.get(), text="Ann")[Lead]
    theirs = make_everything(stranger, User.objects.get(), text="Bob", number=1)[Campaign]
    page = f"/admin/leads/lead/{lead.pk}/change/"
    answer = signed_in.post(page, form_of(signed_in, page) | {"campaign": theirs.pk})
    assert "campaign" in answer.context["adminform"].form.errors
    lead.refresh_from_db()
    assert lead.campaign_id != theirs.pk


def test_the_name_of_an_account_can_be_changed_and_its_status_cannot(signed_in: Client, agency: Agency) -> None:
    account = make_everything(agency, User.objects.get(), text="Ann")[Account]
    page = f"/admin/accounts/account/{account.pk}/change/"
    signed_in.post(page, form_of(signed_in, page) | {"name": "Ann Lee", "status": "active", "_save": "Save"})
    account.refresh_from_db()
    assert (account.name, account.status) == ("Ann Lee", "auth_error")


def test_a_campaign_that_staff_resume_is_told(signed_in: Client, agency: Agency) -> None:
    campaign = make_everything(agency, User.objects.get(), text="Ann")[Campaign]
    page = f"/admin/accounts/campaign/{campaign.pk}/change/"
    signed_in.post(page, form_of(signed_in, page) | {"status": "active", "_save": "Save"})
    campaign.refresh_from_db()
    assert campaign.status == "active"
    assert Event.objects.filter(event_type="campaign_resumed", subject=campaign.pk).count() == 1


def test_a_quarantined_receipt_can_be_processed_again(signed_in: Client, agency: Agency) -> None:
    receipt = make_everything(agency, User.objects.get(), text="Ann")[Receipt]
    signed_in.post(f"/admin/webhooks/receipt/{receipt.pk}/press/process_again/")
    receipt.refresh_from_db()
    assert (receipt.status, receipt.reason, receipt.attempts) == ("received", "", 0)


def test_several_receipts_can_be_processed_again_from_the_list(signed_in: Client, agency: Agency) -> None:
    user = User.objects.get()
    receipts = [make_everything(agency, user, text="Ann", number=number)[Receipt] for number in range(2)]
    chosen = {"action": "process_again", "_selected_action": [receipt.pk for receipt in receipts]}
    signed_in.post("/admin/webhooks/receipt/", chosen)
    assert set(Receipt.objects.values_list("status", flat=True)) == {"received"}


def test_a_failed_delivery_can_be_sent_again(signed_in: Client, agency: Agency) -> None:
    delivery = make_everything(agency, User.objects.get(), text="Ann")[Delivery]
    signed_in.post(f"/admin/notifications/delivery/{delivery.pk}/press/send_again/")
    delivery.refresh_from_db()
    assert delivery.status == "pending"
    assert delivery.next_attempt_at is not None


def test_a_channel_can_be_tested_disabled_and_enabled(signed_in: Client, agency: Agency) -> None:
    channel, _ = create_channel(agency, kind="webhook", name="CRM", url="https://hooks.example.com/x")
    press = f"/admin/notifications/channel/{channel.pk}/press/"
    signed_in.post(press + "send_test/")
    assert Event.objects.filter(event_type="test", channel_id=channel.pk).count() == 1
    signed_in.post(press + "disable/")
    assert Channel.objects.get().status == "disabled"
    signed_in.post(press + "enable/")
    assert Channel.objects.get().status == "enabled"


def test_who_may_only_look_presses_no_button(onlooker: Client, staff: User, agency: Agency) -> None:
    everything = make_everything(agency, staff, text="Ann")
    receipt, source = everything[Receipt], everything[Source]
    assert "press/" not in onlooker.get(f"/admin/webhooks/receipt/{receipt.pk}/change/").content.decode()
    assert onlooker.post(f"/admin/webhooks/receipt/{receipt.pk}/press/process_again/").status_code == 403
    assert onlooker.post(f"/admin/accounts/source/{source.pk}/press/rotate/").status_code == 403
    receipt.refresh_from_db()
    assert receipt.status == "quarantined"


def test_staff_who_may_edit_people_cannot_make_themselves_superusers(db: None) -> None:
    user = User.objects.create_user("editor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client = Client()
    client.force_login(user)
    page = f"/admin/auth/user/{user.pk}/change/"
    client.post(page, form_of(client, page) | {"is_superuser": "on", "user_permissions": ["1"]})
    user.refresh_from_db()
    assert not user.is_superuser
    assert user.user_permissions.count() == 2


def test_nobody_who_is_no_superuser_takes_over_a_superuser(staff: User) -> None:
    user = User.objects.create_user("editor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client = Client()
    client.force_login(user)
    taken = {"password1": "mine now 123!", "password2": "mine now 123!", "usable_password": "true"}
    client.post(f"/admin/auth/user/{staff.pk}/password/", taken)
    client.post(f"/admin/auth/user/{staff.pk}/change/", {"username": "staff", "email": "evil@example.com"})
    staff.refresh_from_db()
    assert staff.check_password("correct horse battery")
    assert staff.email == "staff@example.com"


def test_the_log_of_changes_holds_no_names(signed_in: Client, agency: Agency) -> None:
    lead = make_everything(agency, User.objects.get(), text="Ann Canary")[Lead]
    page = f"/admin/leads/lead/{lead.pk}/change/"
    url = {"linkedin_url": "https://linkedin.com/in/ann", "name": "Ann Canary Lee"}
    assert signed_in.post(page, form_of(signed_in, page) | url | {"_save": "Save"}).status_code == 302
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.object_id) == (lead.pk, lead.pk)
    assert "Canary" not in entry.change_message
