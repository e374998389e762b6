"""Find the pages of what events are about."""

from collections.abc import Iterable

from django.urls import reverse

from accounts.core.enums import EventType
from accounts.models import Agency
from leads.models import Lead
from notifications.models import Delivery


def set_subject_urls(agency: Agency, deliveries: Iterable[Delivery]) -> None:
    """Give each delivery (with its event) its `subject_url`: the page of its event's subject, "" if there is none.

    Subjects of one kind are looked up together.
    """
    deliveries = list(deliveries)
    subjects = {delivery.event.subject for delivery in deliveries}
    urls = _pages(agency, subjects)
    for delivery in deliveries:
        is_test = delivery.event.event_type == EventType.TEST  # its example is about nobody
        delivery.subject_url = "" if is_test else urls.get(delivery.event.subject, "")  # type: ignore[attr-defined]


def _pages(agency: Agency, subjects: set[str]) -> dict[str, str]:
    """Return the pages of those subjects that still exist, by their ids."""
    found: dict[str, str] = {}
    for prefix, rows, page in (
        ("lead_", Lead.all_records.filter(agency=agency), "portal_lead"),
        ("acc_", agency.accounts.all(), "portal_account"),
        ("chn_", agency.channels.all(), "portal_channel"),
    ):
        ids = [subject for subject in subjects if subject.startswith(prefix)]
        if ids:
            found |= {pk: reverse(page, args=[pk]) for pk in rows.filter(pk__in=ids).values_list("pk", flat=True)}
    return found
