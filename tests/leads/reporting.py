"""Reports about people, as SendPilot sends them."""

from datetime import UTC, datetime, timedelta

from accounts.models import Agency
from tests.receiving import receive, source_of

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def report(agency: Agency, number: int, url: str, **data: object) -> None:
    body = {
        "eventId": f"evt_{number}_{url}",
        "eventType": "lead.status.changed",
        "timestamp": (NOON + timedelta(seconds=number)).isoformat(),
        "workspaceId": "ws_1",
        "data": {"leadId": f"person_{number}", "linkedinUrl": url, "newStatus": "CONNECTION_ACCEPTED", **data},
    }
    receive(source_of(agency, "sendpilot"), body)
