"""Make a sample that can be sent now, again and again, and that names nobody whom an agency knows. Pure."""

from datetime import datetime
from typing import Any

from webhooks.samples import load_sample

#: Every sample about a lead is about this one, whom no provider knows.
LEAD_ID = "leadline-sample-lead"
PROFILE = f"https://www.linkedin.com/in/{LEAD_ID}"
#: Left out of what is about a lead: a campaign would be made, and an unknown earlier status would count as a gap.
LEFT_OUT = ("campaignId", "campaignName", "previousStatus")


def fresh_sample(provider: str, name: str, *, company_id: str, key: str, at: datetime) -> dict[str, Any]:
    """Return a sample's body with its time and the key that makes it a new delivery. Raises KeyError."""
    time = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values: dict[str, Any] = {
        **dict.fromkeys(("eventId", "webhookId", "request_id"), f"sample-{key}"),
        **dict.fromkeys(("timestamp", "acceptedAt", "pausedAt", "resumedAt", "ConnectedAt"), time),
        **dict.fromkeys(("leadId", "LinkedInMemberId"), LEAD_ID),
        **dict.fromkeys(("linkedinUrl", "MemberUrl"), PROFILE),
        **dict.fromkeys(("ghl_company_id", "companyId"), company_id),
        "leadGenFormResponse": f"urn:li:leadGenFormResponse:{LEAD_ID}",
        "occurredAt": int(at.timestamp() * 1000),
    }
    return _replace(load_sample(provider, name), values)


def _replace(body: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    found = {
        name: _replace(value, values) if isinstance(value, dict) else values.get(name, value)
        for name, value in body.items()
    }
    return {name: value for name, value in found.items() if "leadId" not in found or name not in LEFT_OUT}
