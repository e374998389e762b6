"""Define the sentences about accounts, incidents and sources that are stored, and said in the reader's language."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.core.enums import IncidentCause
from accounts.core.markup import duration
from accounts.core.sentences import define
from accounts.labels import INCIDENT_CAUSES


def _cause(cause: str) -> str:
    return str(INCIDENT_CAUSES[IncidentCause(cause)])


def _duration(seconds: float) -> str:
    return duration(timedelta(seconds=seconds))


INCIDENT_OPENED = define(
    "incident_opened",
    ngettext_lazy(
        "Opened: %(count)s account dropped within %(minutes)s minutes.",
        "Opened: %(count)s accounts dropped within %(minutes)s minutes.",
        "count",
    ),
)
INCIDENT_OPENED_AT_AGENCIES = define(
    "incident_opened_at_agencies",
    ngettext_lazy(
        "Opened: %(count)s account dropped at %(agencies)s agencies within %(minutes)s minutes.",
        "Opened: %(count)s accounts dropped at %(agencies)s agencies within %(minutes)s minutes.",
        "count",
    ),
)
INCIDENT_GREW = define(
    "incident_grew",
    ngettext_lazy("%(count)s more account dropped.", "%(count)s more accounts dropped.", "count"),
)
INCIDENT_CAUSE_CHANGED = define("incident_cause_changed", _("The assessment changed. %(cause)s"), cause=_cause)
INCIDENT_JOINED = define("incident_joined", _("It is part of an outage of the provider at several agencies."))
INCIDENT_STAFF_ALERTED = define("incident_staff_alerted", _("Leadline's staff was alerted."))
INCIDENT_CLOSED = define("incident_closed", _("Closed: all of its accounts are back."))

SOURCE_SILENT = define("source_silent", _("Nothing has come for %(seconds)s."), seconds=_duration)
SOURCE_REJECTING = define(
    "source_rejecting",
    ngettext_lazy(
        "%(count)s request was refused. %(diagnosis)s", "%(count)s requests were refused. %(diagnosis)s", "count"
    ),
)
SOURCE_CHECKS_MISSED = define(
    "source_checks_missed",
    ngettext_lazy("%(count)s of %(of)s checks was missed.", "%(count)s of %(of)s checks were missed.", "count"),
)
SOURCE_SLOW = define(
    "source_slow",
    ngettext_lazy(
        "%(count)s of %(of)s answers of the last hour took more than a second.",
        "%(count)s of %(of)s answers of the last hour took more than a second.",
        "count",
    ),
)
