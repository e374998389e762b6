"""Programs have messages sent, unless the account is not ready."""

from accounts.core.enums import AccountStatus
from accounts.models import Account
from leads.models import Message
from tests.api.client import Api
from tests.factories import World


def test_a_program_answers_in_a_conversation(api: Api, world: World) -> None:
    world.make_ready_for("/reply")
    answer = api.post(f"threads/{world.thread.id}/reply", {"text": "Tuesday at ten?"})
    assert answer.status_code == 202
    sent = answer.json()
    assert {name: sent[name] for name in ("thread", "direction", "author", "text", "state", "error")} == {
        "thread": world.thread.id, "direction": "out", "author": "member", "text": "Tuesday at ten?",
        "state": "queued", "error": None,
    }  # fmt: skip
    assert api.get(f"messages/{sent['id']}").json() == sent


def test_an_account_that_is_not_ready_is_a_conflict_with_its_reasons(api: Api, world: World) -> None:
    world.make_ready_for("/send")
    Account.objects.filter(pk=world.account.pk).update(status=AccountStatus.BLOCKED)
    before = Message.objects.count()
    for path in (f"threads/{world.thread.id}/reply", f"leads/{world.lead.id}/send"):
        answer = api.post(path, {"text": "Hello"})
        assert answer.status_code == 409
        assert [reason["code"] for reason in answer.json()["reasons"]] == ["status_blocked"]
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert Message.objects.count() == before


def test_a_placeholder_that_the_provider_would_fill_is_refused(api: Api, world: World) -> None:
    world.make_ready_for("/send")
    answer = api.post(f"leads/{world.lead.id}/send", {"channel": "linkedin", "text": "Hello {{firstName}}"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "text"


def test_a_program_sends_again_what_failed_and_nothing_else(api: Api, world: World) -> None:
    world.make_ready_for("/resend")
    answer = api.post(f"messages/{world.message.id}/resend")
    assert answer.status_code == 202, answer.json()
    assert answer.json()["state"] == "queued"
    assert api.post(f"messages/{world.message.id}/resend").status_code == 409
