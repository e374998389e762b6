"""Define the scoring rules that an agency starts with. Their names are translated when they are made."""

from typing import Any

from django.utils.translation import gettext_noop as _

from leads.enums import LeadStatus, ScoreGroup

FIT, ENGAGEMENT = ScoreGroup.FIT, ScoreGroup.ENGAGEMENT

_ANSWERED = [LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY, LeadStatus.MEETING_BOOKED]


def _is(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


STARTING_SET: tuple[dict[str, Any], ...] = (
    {
        "name": _("Decision-maker"),
        "group": FIT,
        "points": 25,
        "conditions": _is("seniority", "in", ["owner", "c_level", "vp", "head"]),
    },
    {
        "name": _("Director or manager"),
        "group": FIT,
        "points": 12,
        "conditions": _is("seniority", "in", ["director", "manager"]),
    },
    {"name": _("Intern or entry level"), "group": FIT, "points": -10, "conditions": _is("seniority", "in", ["entry"])},
    {
        "name": _("11 to 1,000 employees"),
        "group": FIT,
        "points": 15,
        "conditions": _is("company_size", "overlaps", [11, 1000]),
    },
    {"name": _("Business e-mail address"), "group": FIT, "points": 10, "conditions": _is("is_free_mail", "is", False)},
    {
        "name": _("Complete contact"),
        "group": FIT,
        "points": 10,
        "conditions": {"all": [{"field": name, "op": "exists"} for name in ("email", "phone", "company", "title")]},
    },
    {
        "name": _("Answered the form's questions"),
        "group": ENGAGEMENT,
        "points": 10,
        "conditions": {"field": "answers", "op": "exists"},
    },
    {
        "name": _("Accepted the invitation"),
        "group": ENGAGEMENT,
        "points": 10,
        "conditions": _is("status", "equals", LeadStatus.CONNECTION_ACCEPTED.value),
    },
    {
        "name": _("Replied"),
        "group": ENGAGEMENT,
        "points": 30,
        "conditions": _is("status", "in", [status.value for status in _ANSWERED]),
    },
)
