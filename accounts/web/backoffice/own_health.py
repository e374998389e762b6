"""Add what accounts, incidents and sources say about an agency's health."""

from django.db.models import QuerySet

from accounts.linkedin.attention import needing_attention
from accounts.models import Agency, Incident, Source, SourceIssue
from accounts.web.backoffice.agency_health import HealthRow, add_health_row


def add_own_health() -> None:
    """Add this app's rows to the health of every agency."""
    add_health_row(HealthRow("Accounts that need attention", needing_attention, "accounts_account", 10, {}))
    add_health_row(HealthRow("Open incidents", _open_incidents, "accounts_incident", 20, {"open": "yes"}))
    add_health_row(HealthRow("Sources with issues", _sources_with_issues, "accounts_source", 30, {"state": "issues"}))


def _open_incidents(agency: Agency) -> "QuerySet[Incident]":
    return Incident.objects.filter(agency=agency, closed_at__isnull=True)


def _sources_with_issues(agency: Agency) -> "QuerySet[Source]":
    open_issues = SourceIssue.objects.filter(closed_at__isnull=True)
    return agency.sources.filter(removed_at=None, pk__in=open_issues.values("source"))
