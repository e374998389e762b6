"""Limit the mails that a person can have sent to an address of their choice, by recipient and by agency.

The counts are rows, so that all processes share them and restarts keep them. A count is written in the transaction that
records the mail.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.email_addresses import email_key
from accounts.models import Agency, BouncedAddress, MailCount

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    per_hour: int
    per_day: int


PER_RECIPIENT = Limit(per_hour=5, per_day=15)
PER_AGENCY = Limit(per_hour=60, per_day=300)
AFTER_COMPLAINT = Limit(per_hour=1, per_day=1)


class TooManyMails(ValueError):
    """The limit of mails to this address, or from this agency, is reached. The message is for people."""

    field = "email"

    def __init__(self, message: str, wait: timedelta) -> None:
        super().__init__(message)
        self.wait = wait.total_seconds()


@transaction.atomic
def count_mail(recipient: str, *, agency: Agency | None = None, purpose: str = "") -> None:
    """Count a mail that is about to be recorded. Each `purpose` has a count of its own.

    Raises TooManyMails.
    """
    address = email_key(recipient)
    complained = not purpose and BouncedAddress.objects.filter(email=address, complained=True).exists()
    _count_within(
        f"to:{purpose}:{address}",
        AFTER_COMPLAINT if complained else PER_RECIPIENT,
        gettext(
            "%(recipient)s has got several such mails already. Look for the newest one, also among spam, or try later."
        )
        % {"recipient": recipient},
    )
    if agency is not None:
        _count_within(
            f"by:{agency.pk}",
            PER_AGENCY,
            gettext(
                "So many invitations, confirmations and links were mailed that more have to wait. Try again in an hour."
            ),
        )


def delete_old_counts() -> int:
    """Delete the counts that no limit reads any more. Return their number."""
    return MailCount.objects.filter(hour__lt=timezone.now() - 2 * DAY).delete()[0]


def _count_within(name: str, limit: Limit, message: str) -> None:
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    key = hmac.new(settings.SECRET_KEY.encode(), name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    row, _ = MailCount.objects.get_or_create(key=key, hour=hour)
    of_the_day = MailCount.objects.filter(key=key, hour__gt=now - DAY)
    if (of_the_day.aggregate(sum=Sum("count"))["sum"] or 0) >= limit.per_day:
        raise TooManyMails(message, _wait_for_day_limit(key, now))
    # A single conditional statement, so that of two concurrent mails at the limit only one passes.
    if not MailCount.objects.filter(pk=row.pk, count__lt=limit.per_hour).update(count=F("count") + 1):
        raise TooManyMails(message, hour + HOUR - now)


def _wait_for_day_limit(key: str, now: datetime) -> timedelta:
    counts = MailCount.objects.filter(key=key, hour__gt=now - DAY, count__gt=0).order_by("hour")
    return max(counts.values_list("hour", flat=True)[0] + DAY - now, timedelta(seconds=1))
