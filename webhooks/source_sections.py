"""Show a source's refused requests and latency on its page in the back office."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Sum
from django.utils import timezone

from accounts.core.enums import WordKind
from accounts.core.markup import NOTHING, ago, code, table
from accounts.models import Source
from webhooks.labels import meaning_label
from webhooks.models import LatencyTally, RejectedRequest, WordMapping

MAX_ROWS = 10


@admin.display(description="refused requests")
def refused_requests(source: Source) -> str:
    """List the newest refused requests with the signature doctor's diagnosis."""
    rows = RejectedRequest.objects.filter(source=source).order_by("-last_seen")[:MAX_ROWS]
    return table(
        ("Why", "Times", "First", "Last", "Diagnosis"),
        (
            (row.reason.replace("_", " "), row.count, ago(row.first_seen), ago(row.last_seen), row.diagnosis)
            for row in rows
        ),
        empty="None: every request carried a good signature.",
    )


@admin.display(description="answers of the last hour")
def latency_of_last_hour(source: Source) -> str:
    recent = LatencyTally.objects.filter(source=source, began_at__gt=timezone.now() - timedelta(hours=1))
    found = recent.aggregate(answers=Sum("requests"), slow=Sum("slow"))
    if not found["answers"]:
        return NOTHING
    return f"{found['answers']:,} answers, {found['slow']:,} of them took more than a second"


@admin.display(description="words")
def mappings_of_source(source: Source) -> str:
    """List a source's mappings: theirs, ours."""
    return table(
        ("Theirs", "Ours", "Kind"),
        (
            (
                code(mapping.word),
                meaning_label(source.provider, WordKind(mapping.kind), mapping.meaning).badge(),
                mapping.kind,
            )
            for mapping in WordMapping.objects.filter(source=source).order_by("word")
        ),
        empty="None: it is read in the words that Leadline knows.",
    )
