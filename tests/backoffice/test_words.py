"""Staff see what waits for a word, grouped, and say what the word means."""

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.models import Agency, Source
from tests.receiving import drain, receive, source_of
from webhooks.models import Receipt, WordMapping
from webhooks.samples import load_sample


def ghosted(source: Source, number: int, word: str = "GHOSTED") -> Receipt:
    body = load_sample("sendpilot", "lead_updated")
    return receive(source, {**body, "eventId": f"evt_{number}", "data": {**body["data"], "newStatus": word}})


def test_staff_treat_a_word_as_another_from_the_grouped_list(
    admin_client: Client, agency: Agency, stranger: Agency
) -> None:
    source = source_of(agency, "sendpilot")
    receipts = [ghosted(source, number) for number in range(3)]
    ghosted(source_of(stranger, "sendpilot"), 4, "VANISHED")
    drain()
    page = admin_client.get(reverse("admin:webhooks_unrecognised")).content.decode()
    assert page.index("GHOSTED") < page.index("VANISHED")
    query = {"source": source.pk, "kind": "status", "word": "GHOSTED"}
    link = reverse("admin:webhooks_wordmapping_add", query=query)
    assert link.replace("&", "&amp;") in page
    form = admin_client.get(link).content.decode()
    assert 'value="GHOSTED"' in form
    assert "Not interested (NOT_INTERESTED)" in form
    answer = admin_client.post(link, {**query, "meaning": "NOT_INTERESTED"})
    assert answer.status_code == 302
    drain()
    assert set(Receipt.objects.filter(pk__in=[row.pk for row in receipts]).values_list("status", flat=True)) == {
        "processed"
    }
    assert "<code>GHOSTED</code>" not in admin_client.get(reverse("admin:webhooks_unrecognised")).content.decode()
    assert "GHOSTED" in admin_client.get(reverse("admin:accounts_source_change", args=[source.pk])).content.decode()


def test_staff_remove_a_mapping_and_the_log_says_who(admin_client: Client, agency: Agency) -> None:
    mapping = WordMapping.objects.create(
        source=source_of(agency, "sendpilot"), kind="status", word="GHOSTED", meaning="DONE"
    )
    answer = admin_client.post(reverse("admin:webhooks_wordmapping_press", args=[mapping.pk, "remove"]))
    assert (answer.status_code, WordMapping.objects.count()) == (302, 0)
    assert LogEntry.objects.get().change_message == "Mapping removed: “GHOSTED” → DONE."


def test_who_may_see_nothing_of_receipts_does_not_see_the_groups(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("onlooker", is_staff=True))
    assert client.get(reverse("admin:webhooks_unrecognised")).status_code == 403
