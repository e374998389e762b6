"""Work off what waits: points to be learned, and suggestions whose time has come."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.core.connections import is_outage
from accounts.core.errors import FieldError
from accounts.core.jobs import CRASHED, Backoff, claim_due, complete, fail, retry
from leads.models import ScoreLearning
from leads.scoring.learning.sample import read_cases
from leads.scoring.learning.service import STATES, apply_scheduled
from leads.scoring.learning.suggestions import suggest_points
from leads.scoring.service import rules_for

LEASE = timedelta(minutes=5)
BACKOFF = Backoff([timedelta(seconds=5), timedelta(minutes=1)])


def learn_due(limit: int = 1) -> int:
    """Work off due rows. Return how many."""
    with claim_due(ScoreLearning.objects.select_related("agency"), limit=limit, lease=LEASE) as rows:
        for row in rows:
            if not BACKOFF.allows(row.attempts):
                fail(row, CRASHED)
                continue
            try:
                _work_off(row)
            except FieldError as error:
                fail(row, str(error), state=STATES.LEARNED)
            except Exception as error:
                if is_outage(error):
                    raise
                retry(row, f"{type(error).__name__}: {error}", BACKOFF)
    return len(rows)


def _work_off(row: ScoreLearning) -> None:
    if row.state == STATES.SCHEDULED:
        apply_scheduled(row)
    else:
        complete(row, **_learn(row))


def _learn(row: ScoreLearning) -> dict[str, Any]:
    def progress(done: int, total: int) -> None:
        ScoreLearning.objects.filter(pk=row.pk).update(done=done, total=total)

    compiled = rules_for(row.agency)
    result = suggest_points(
        compiled.rules, read_cases(row.agency, compiled.rules, now=timezone.now(), progress=progress)
    )
    return {"state": STATES.LEARNED, "result": result, "rules_version": compiled.version}
