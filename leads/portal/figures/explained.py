"""Say how each report counts, as its page does under “How this is counted”."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RECEIVED = _("A lead counts on the day when it came, as far as it has come by now.")
TESTS = _(
    "Test leads never count. Leads of accounts that are down count only if you include them; "
    "leads without an account always count."
)
CONVERSION = _(
    "A lead converts once: when it first reaches one of the statuses that your agency counts "
    "as a conversion, whatever becomes of it since."
)
EXPLAINED: Mapping[str, Sequence[Promise]] = {
    "leads": (
        _("A lead counts on the day when it came, a conversion on the day when the lead converted."),
        CONVERSION,
        TESTS,
    ),
    "response-times": (
        _("A lead counts on the day when it first had to wait: when it came by itself, or first replied."),
        _("An answer is a person's message, call, or note that they answered elsewhere. Automatic messages are none."),
        _("Medians and 90th percentiles are of answered leads. Working time leaves out when your calendar is closed."),
        _("“Not answered” has leads that still wait and leads that were closed without an answer."),
        TESTS,
    ),
    "funnel": (
        RECEIVED,
        _(
            "A lead counts for every step up to the furthest that it reached. One that converted counts for "
            "all of them."
        ),
        CONVERSION,
        TESTS,
    ),
    "losses": (
        _(
            "A lead is lost while its status is “Not interested”, and counts on the day when it got that "
            "status. A lead that is worked on again is not lost."
        ),
        _(
            "Each lead has one cause, the first that history proves: its account was down for 2 days in all "
            "while the lead was open; it had no owner; nobody answered it; it was answered 3 hours or more "
            "after the answer was due."
        ),
        _("“Other” is what none of these explains."),
        TESTS,
    ),
    "engagement": (
        RECEIVED,
        _(
            "Acceptance is the share of invited leads that accepted, the reply rate the share of accepted "
            "leads that replied."
        ),
        _("Over time, “First replies” counts a lead on the day of its first reply."),
        TESTS,
    ),
    "workload": (
        RECEIVED,
        _("A lead counts for the member who has it now."),
        _(
            "The median answer is in working time. “Owed by pools” is how many leads the pools still owe a "
            "member; a minus sign means that they had more than their turn."
        ),
        TESTS,
    ),
    "accounts": (
        _("Uptime is the share of the time since an account was first seen in which it was active."),
        _(
            "An outage begins when an account stops being active. One that was down before the period began "
            "counts as downtime, not as an outage."
        ),
        _("Accounts that are down now count only if you include them; deleted ones never count."),
    ),
}
