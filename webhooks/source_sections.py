"""What the back office shows of a source's requests on its page."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Sum
from django.utils import timezone

from accounts.core.markup import NOTHING, ago, table
from accounts.models import Source
from webhooks.models import LatencyTally, RejectedRequest

LATEST = 10


@admin.display(description="refused requests")
def refused_requests(source: Source) -> str:
    """With the signature doctor's words."""
    rows = RejectedRequest.objects.filter(source=source).order_by("-last_seen")[:LATEST]
    return table(
        ("Why", "Times", "First", "Last", "Diagnosis"),
        (
            (row.reason.replace("_", " "), row.count, ago(row.first_seen), ago(row.last_seen), row.diagnosis)
            for row in rows
        ),
        empty="None: every request carried a good signature.",
    )


@admin.display(description="answers of the last hour")
def answers_of_last_hour(source: Source) -> str:
    lately = LatencyTally.objects.filter(source=source, began_at__gt=timezone.now() - timedelta(hours=1))
    found = lately.aggregate(answers=Sum("requests"), slow=Sum("slow"))
    if not found["answers"]:
        return NOTHING
    return f"{found['answers']:,} answers, {found['slow']:,} of them took more than a second"
