"""Who is woken on the way of an event: the delivery worker once there is something to deliver, nobody in vain."""

import pytest

from accounts.core.wakeups import WakeUp
from accounts.events.reactions import carry_out_due_reactions
from accounts.models import Agency, Event, Reaction
from notifications.delivery import fan_out_due_events
from tests.receiving import receive, source_of
from webhooks.tasks import FEW_RECEIPTS, process_receipts

REACT, DELIVER = "accounts.tasks.react", "notifications.tasks.deliver_due"


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(WakeUp, "wake_up", lambda self: names.append(self._task))
    return names


def receive_reports(agency: Agency, count: int) -> None:
    """Receive that `count` accounts were blocked."""
    source = source_of(agency, "salesflow")
    for number in range(count):
        body = {
            "EventType": "ACCOUNT_STATUS_CHANGED",
            "Payload": {"Data": {"Status": "ACCOUNT_BLOCKED"}},
            "LinkedInAccountId": 1000 + number,
            "LinkedInEmail": f"a{number}@example.com",
        }
        receive(source, body)


@pytest.mark.django_db(transaction=True)
def test_the_reactions_of_a_few_receipts_are_carried_out_at_once(agency: Agency, woken: list[str]) -> None:
    receive_reports(agency, 2)
    woken.clear()
    process_receipts()
    assert Event.objects.filter(event_type="linkedin_disconnected").count() == 2
    assert not Reaction.objects.filter(subscriber__startswith="account").exists()
    assert fan_out_due_events() >= 2, "nothing is left to wait for"
    assert DELIVER in woken


@pytest.mark.django_db(transaction=True)
def test_the_reactions_of_many_receipts_are_left_to_any_worker(agency: Agency, woken: list[str]) -> None:
    receive_reports(agency, FEW_RECEIPTS + 1)
    woken.clear()
    process_receipts()
    assert Reaction.objects.count() >= FEW_RECEIPTS + 1
    assert set(woken) == {REACT}, "the delivery worker cannot deliver yet"
    while carry_out_due_reactions():
        pass
    assert DELIVER in woken
