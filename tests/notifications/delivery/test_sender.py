"""The sender of deliveries gives results back as soon as there is nothing more to wait for."""

import threading

import pytest

from accounts.models import Agency, Event
from notifications.delivery import sender as module
from notifications.delivery.sender import DeliverySender
from notifications.message import PreparedDelivery
from notifications.models import ChannelKind, Delivery


@pytest.mark.parametrize("count", [1, 3])
def test_nobody_waits_for_results_that_will_not_come(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(module, "MAX_BATCH_WAIT", 3600)
    agency = Agency(name="Northwind")
    prepared = [
        PreparedDelivery(
            delivery=Delivery(),
            event=Event(),
            agency=agency,
            kind=ChannelKind.WEBHOOK,
            problem="There is no address.",
        )
        for _ in range(count)
    ]
    found: list[int] = []

    def send() -> None:
        with DeliverySender() as sender:
            sender.send(prepared)
            found.append(len(sender.results(3600)))

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(60)
    assert found == [count]
