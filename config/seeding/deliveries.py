"""What became of each event: a delivery to every channel that hears it, with its attempts."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings

from accounts.core.enums import PERSONAL_EVENTS, EventType
from accounts.events.outbox import record_event
from accounts.models import Event
from config.seeding.place import Place
from config.seeding.rows import save
from notifications.delivery.channel_health import FAILURES_BEFORE_EVENT, HEALTH_FIELDS, set_last_error
from notifications.delivery.fan_out import is_interested
from notifications.models import Attempt, Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus, error_fields
from notifications.policy.alert_policy import superseded_reasons
from notifications.policy.backoff import BACKOFF
from notifications.sentences import ANSWERED

#: Of a thousand deliveries to a receiver that works: how many are tried twice, and how many never arrive.
TRIED_TWICE, LOST = 25, 4
#: Since when the channel that fails does, and the words of what goes wrong.
FAILING_FOR = timedelta(hours=30)
REFUSED, UNAVAILABLE = 500, 503
#: What receivers answer with each status.
ANSWERS = {200: "ok", REFUSED: "zap is turned off", UNAVAILABLE: "upstream error"}
RESPONSE_HEADERS = [["Content-Type", "text/plain; charset=utf-8"], ["Server", "nginx"]]


def deliver(place: Place) -> None:
    """Save the deliveries of the agency's events, and say of the channel that fails that it does."""
    failing = place.channels[3]
    attempts = _deliver(place, place.rows.events())
    failures = _failures_in_a_row(failing, attempts)
    failing.consecutive_failures, failing.failing_since = len(failures), min(failures, default=None)
    if failures:
        set_last_error(failing, ANSWERED(status=REFUSED), REFUSED)
        failing.last_excerpt = ANSWERS[REFUSED]
    Channel.objects.bulk_update([failing], HEALTH_FIELDS)
    if len(failures) >= FAILURES_BEFORE_EVENT:
        with place.rows.play():
            event = record_event(
                place.agency, EventType.CHANNEL_FAILING, subject=failing.pk, work=place.rows,
                occurred_at=failures[FAILURES_BEFORE_EVENT - 1], channel_id=failing.pk, channel_name=failing.name,
            )  # fmt: skip
        save([event])
        _deliver(place, [event])


def _deliver(place: Place, events: Sequence[Event]) -> list[Attempt]:
    """Save the deliveries of these events. Return their attempts, the oldest first."""
    listening = [channel for channel in place.channels if channel.status == ChannelStatus.ENABLED]
    made = [delivery for event in events for delivery in _deliveries_of(place, event, listening)]
    people = {channel.pk: channel for channel in listening if channel.kind != ChannelKind.WEBHOOK}
    superseded = superseded_reasons(
        [each for each in made if each.event.event_type != EventType.ACCOUNTS_INCIDENT], people
    )
    attempts = []
    for delivery in made:
        if reason := superseded.get(delivery.pk):
            delivery.status = DeliveryStatus.CANCELLED
            delivery.error, delivery.error_sentence = error_fields(reason).values()
        else:
            attempts += _try(place, delivery)
    save(made)
    attempts.sort(key=lambda attempt: attempt.at)
    save(attempts)
    return attempts


def _deliveries_of(place: Place, event: Event, channels: Sequence[Channel]) -> Iterator[Delivery]:
    to: list[tuple[Channel | None, str]] = [(channel, "") for channel in channels if is_interested(channel, event)]
    if event.recipient and event.event_type not in PERSONAL_EVENTS:
        to = [(None, event.recipient)]
    for channel, recipient in to:
        at = event.created_at + timedelta(seconds=1)
        yield Delivery(
            id=place.rows.new_id("dlv", at), agency=place.agency, event=event, channel=channel, recipient=recipient,
            created_at=at, next_attempt_at=None,
        )  # fmt: skip


def _try(place: Place, delivery: Delivery) -> list[Attempt]:
    """Try a delivery until it arrives, is given up, or the present is reached."""
    drawn = place.random.randrange(1000)
    begin = min(delivery.created_at + timedelta(milliseconds=200), place.now)
    if delivery.channel == place.channels[3] and begin > place.now - FAILING_FOR:
        return _fail(place, delivery, begin, REFUSED)
    is_webhook = delivery.channel is not None and delivery.channel.kind == ChannelKind.WEBHOOK
    if is_webhook and drawn < LOST:
        return _fail(place, delivery, begin, REFUSED)
    log = []
    if is_webhook and drawn < LOST + TRIED_TWICE:
        log.append(_attempt(place, delivery, begin, UNAVAILABLE))
        begin = _next(place, 1, begin) or begin
    log.append(_attempt(place, delivery, begin, None if _is_mail(delivery) else 200))
    delivery.status, delivery.attempts = DeliveryStatus.DELIVERED, len(log)
    delivery.delivered_at = begin + timedelta(milliseconds=log[-1].duration_ms)
    return log


def _fail(place: Place, delivery: Delivery, begin: datetime, code: int) -> list[Attempt]:
    """Add failed attempts with the waits of the back-off, until one would be later than now or none is left."""
    log: list[Attempt] = []
    at: datetime | None = begin
    while at is not None and at <= place.now:
        log.append(_attempt(place, delivery, at, code))
        at = _next(place, len(log), at)
    delivery.attempts, delivery.next_attempt_at = len(log), at
    delivery.error, delivery.error_sentence = log[-1].error, log[-1].error_sentence
    delivery.status = DeliveryStatus.FAILED if at is None else DeliveryStatus.PENDING
    return log


def _attempt(place: Place, delivery: Delivery, at: datetime, code: int | None) -> Attempt:
    is_well = code is None or code < 300
    return Attempt(
        delivery=delivery, at=at, duration_ms=int(place.random.lognormvariate(5, 0.6)), status_code=code,
        response_excerpt=ANSWERS.get(code or 0, ""), **error_fields("" if is_well else ANSWERED(status=code)),
        request_headers=code and _request_headers(delivery, at), response_headers=code and RESPONSE_HEADERS,
    )  # fmt: skip


def _request_headers(delivery: Delivery, at: datetime) -> list[list[str]]:
    """Return what a webhook is sent with. Its signature is as long as a true one."""
    signed = f"v1,{b64encode(sha256(delivery.pk.encode()).digest()).decode()}"
    return [
        ["webhook-id", delivery.event_id],
        ["webhook-timestamp", str(int(at.timestamp()))],
        ["webhook-signature", signed],
        ["User-Agent", f"Leadline/{settings.VERSION}"],
        ["Content-Type", "application/json"],
    ]


def _next(place: Place, attempts: int, at: datetime) -> datetime | None:
    """Return when the next attempt follows; up to a tenth later, as for every delivery."""
    if not BACKOFF.allows(attempts + 1):
        return None
    return at + BACKOFF.steps[attempts - 1] * place.random.uniform(1, 1.1)


def _is_mail(delivery: Delivery) -> bool:
    return delivery.channel is None or delivery.channel.kind == ChannelKind.EMAIL


def _failures_in_a_row(channel: Channel, attempts: Sequence[Attempt]) -> list[datetime]:
    """Return when a channel's attempts failed since the last that worked, the oldest first."""
    found: list[datetime] = []
    for attempt in attempts:
        if attempt.delivery.channel == channel:
            found = [*found, attempt.at] if attempt.error else []
    return found
