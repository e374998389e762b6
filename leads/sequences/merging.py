"""Leave a person one open enrolment when two records are merged."""

from leads.enums import EndReason
from leads.models import Enrolment, Lead
from leads.models.sequences import OPEN_STATES
from leads.pipeline.merge import on_merge
from leads.sequences.enrolments import end_enrolment


@on_merge
def stop_second_enrolment(kept: Lead, other: Lead) -> None:
    """Stop the later of two open enrolments."""
    open_ = Enrolment.objects.filter(lead__in=[kept.pk, other.pk], state__in=OPEN_STATES)
    for enrolment in open_.select_related("sequence", "version").order_by("created_at", "pk")[1:]:
        end_enrolment(enrolment, kept if enrolment.lead_id == kept.pk else other, EndReason.MERGED)
