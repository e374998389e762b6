"""Show the progress of a test event that was sent from the page."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.markup import Tone
from accounts.models import Agency, Event
from notifications.models import Delivery, DeliveryStatus

TEST_TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True)
class Trial:
    event: Event
    delivery: Delivery | None

    @property
    def channel_id(self) -> str:
        return self.event.channel_id

    @property
    def arrived(self) -> bool:
        return self.delivery is not None and self.delivery.status == DeliveryStatus.DELIVERED

    @property
    def failed(self) -> bool:
        if self.delivery is None or self.arrived:
            return False
        return self.delivery.status != DeliveryStatus.PENDING or bool(self.delivery.error)

    @property
    def moving(self) -> bool:
        """Return whether the status may still change soon."""
        return not (self.arrived or self.failed) and timezone.now() - self.event.created_at < TEST_TIMEOUT

    @property
    def tone(self) -> Tone:
        return "good" if self.arrived else "bad" if self.failed else "busy"

    @property
    def sentence(self) -> str:
        if self.delivery is None:
            return (
                "The test is on its way."
                if self.moving
                else "The test has not been sent yet. The delivery log shows when it is."
            )
        if self.arrived:
            return f"The test was delivered{self._answer()}."
        if not self.failed:
            return f"The test is on its way. {self.delivery.reason}".strip()
        again = " It will be retried." if self.delivery.status == DeliveryStatus.PENDING else ""
        return f"The test was not delivered. {self.delivery.error}{again}"

    def _answer(self) -> str:
        assert self.delivery is not None  # noqa: S101 (the caller checks that it arrived)
        last = self.delivery.attempt_log.order_by("-pk").first()
        if last is None:
            return ""
        answer = f": HTTP {last.status_code}" if last.status_code else ": accepted by the mail server"
        return f"{answer}, {last.duration_ms} ms"


def trial_of(request: HttpRequest, agency: Agency) -> Trial | None:
    """Return the test event that the page's address names (`?test=`)."""
    event = agency.events.filter(
        pk=request.GET.get("test", "")[:40].replace("\x00", ""), event_type=EventType.TEST
    ).first()
    return Trial(event, event.deliveries.first()) if event else None
