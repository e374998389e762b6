"""Show a lead's campaign memberships and its response clocks on its page in the back office."""

from django.contrib import admin
from django.utils import timezone

from accounts.core.enums import provider_name
from accounts.core.markup import NOTHING, ago, code, link, table
from leads.labels import CLOCK_KINDS, clock_state, duration_text, status_badge
from leads.models import Lead

MAX_HISTORY_ROWS = 20


class LeadTablesMixin:
    """Adds `references_table` and `clocks_table` to the lead's page."""

    @admin.display(description="campaign memberships")
    def references_table(self, lead: Lead) -> str:
        rows = lead.references.select_related("campaign").order_by("-pk")[:MAX_HISTORY_ROWS]
        return table(
            ("Provider", "Provider ID", "Campaign", "Provider status", "Status since"),
            (
                (
                    provider_name(row.provider),
                    code(row.external_id),
                    link(row.campaign),
                    status_badge(row.status),
                    ago(row.status_since),
                )
                for row in rows
            ),
            empty="No campaign memberships: the lead was created by hand or through the API.",
        )

    @admin.display(description="response clocks")
    def clocks_table(self, lead: Lead) -> str:
        rows = lead.clocks.select_related("owner").order_by("-pk")[:MAX_HISTORY_ROWS]
        now = timezone.now()
        return table(
            ("Measures", "State", "Since", "Due", "Stopped", "Owner", "Time"),
            (
                (
                    link(row, str(CLOCK_KINDS[row.kind])),
                    clock_state(row, now).badge(),
                    ago(row.started_at),
                    ago(row.due_at),
                    ago(row.stopped_at) if row.stopped_at else NOTHING,
                    (row.owner.get_full_name() or str(row.owner)) if row.owner else NOTHING,
                    duration_text(((row.stopped_at or now) - row.started_at).total_seconds()),
                )
                for row in rows
            ),
            empty="The lead has not waited for an answer.",
        )
