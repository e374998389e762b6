"""Hold the invented people and things that the catalogue's examples share."""

from leads.enums import LeadStatus

LOCATION = {"ghl_location_id": "tdIePnL9kWCtdO7z6Md5"}
ACCOUNT = {**LOCATION, "linkedin_account_name": "John Doe"}
OUR_ACCOUNT = {
    **ACCOUNT,
    "linkedin_account_id": "acc_01kqz4m3d8w5v9x2c7b6n1t0rt",
    "linkedin_account_email": "john.doe@example.com",
    "provider": "salesflow",
}
CAMPAIGN = {"campaign_id": "cmp_01kqz4m3d8w5v9x2c7b6n1t0rv", "campaign_name": "Founders in Berlin"}
LEAD = {
    **LOCATION,
    "lead_id": "lead_01kqz4m3d8w5v9x2c7b6n1t0rw",
    "lead_external_id": "8f14e45f",
    "lead_name": "Ada Lovelace",
    "linkedin_url": "https://www.linkedin.com/in/ada-lovelace",
    **CAMPAIGN,
    "provider": "sendpilot",
}
MERGED = {"merged_lead_ids": ["lead_01kqz4m3d8w5v9x2c7b6n1t0ry"]}
ASSIGNEE = {"assigned_to": "mem_01kqz4m3d8w5v9x2c7b6n1t0rz", "assigned_to_name": "Grace Hopper"}
CLOCK = {"clock": "next_response", "due_at": "2026-03-21T00:37:16.000Z"}
TASK = {
    "task_id": "tsk_01kqz4m3d8w5v9x2c7b6n1t0s0",
    "task_kind": "call",
    "task_title": "Call her about the offer",
    "due_at": "2026-03-21T02:22:16.000Z",
}
SEQUENCE = {
    "sequence_id": "seq_01kqz4m3d8w5v9x2c7b6n1t0s1",
    "sequence_name": "After connecting",
    "enrolment_id": "enr_01kqz4m3d8w5v9x2c7b6n1t0s2",
    "end_reason": "completed",
}
MESSAGE = {
    "message_id": "msg_01kqz4m3d8w5v9x2c7b6n1t0s1",
    "thread_id": "thr_01kqz4m3d8w5v9x2c7b6n1t0s2",
    "text": "Tell me more.",
}
SOURCE = {
    "source_id": "src_01kqz4m3d8w5v9x2c7b6n1t0ry",
    "source_name": "LinkedIn lead forms",
    "provider": "linkedin",
}
RULE = {
    "rule_id": "rule_01kqz4m3d8w5v9x2c7b6n1t0rz",
    "rule_name": "Decision-makers in California",
    "rule_kind": "routing",
    "error_detail": "all.0.field: There is no field “revenue”.",
}
CHANNEL = {"channel_id": "chn_01kqz4m3d8w5v9x2c7b6n1t0rx", "channel_name": "CRM webhook"}


def lead_in(status: LeadStatus, previous: LeadStatus | None = None) -> dict[str, str]:
    """Return an example of a lead with this status, reached from `previous` if it is given."""
    example = {**LEAD, "status": status.value, "status_label": status.label}
    return {**example, "previous_status": previous.value, "changed_by": "provider"} if previous else example
