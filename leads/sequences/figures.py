"""Count what became of each step of a sequence."""

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Count, Q

from leads.enums import EndReason, StepState
from leads.models import Enrolment, Sequence, StepRun

NAMES = ("sent", "replied", "stopped", "held", "skipped")


def figures_of(sequence: Sequence) -> dict[str, dict[str, int]]:
    """Return for each step id how often it was sent or done, held and skipped, and how many leads ended after it."""
    return figures_for([sequence.pk]).get(sequence.pk, {})


def figures_for(sequence_ids: Collection[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Return the figures of several sequences, by the sequence's id and the step's. Two queries."""
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: dict.fromkeys(NAMES, 0)))
    runs = StepRun.objects.filter(enrolment__sequence__in=sequence_ids)
    counted = runs.values("enrolment__sequence", "step").annotate(
        sent=Count("pk", filter=Q(state=StepState.DONE)),
        held=Count("pk", filter=Q(state=StepState.HELD)),
        skipped=Count("pk", filter=Q(state=StepState.SKIPPED)),
    )
    for row in counted:
        figures = found[row["enrolment__sequence"]][row["step"]]
        figures |= {"sent": row["sent"], "held": row["held"], "skipped": row["skipped"]}
    ended = Enrolment.objects.filter(sequence__in=sequence_ids, ended_at__isnull=False).exclude(last_step="")
    outcomes = ended.values("sequence", "last_step").annotate(
        replied=Count("pk", filter=Q(reason=EndReason.REPLY)),
        stopped=Count("pk", filter=~Q(reason__in=[EndReason.REPLY, EndReason.COMPLETED])),
    )
    for outcome in outcomes:
        figures = found[outcome["sequence"]][outcome["last_step"]]
        figures |= {"replied": outcome["replied"], "stopped": outcome["stopped"]}
    return {sequence: dict(steps) for sequence, steps in found.items()}
