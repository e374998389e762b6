"""Ask for the scores of an agency to be computed anew."""

from django.db import transaction

from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import restart
from accounts.models import Agency
from leads.models import ScoringRun


def request_run(agency: Agency) -> None:
    """Have the scores of all leads computed anew. A run that is under way begins again."""
    run = ScoringRun.objects.filter(pk=agency.pk)
    if not restart(run, after="", of_all_leads=True):
        ScoringRun.objects.create(agency=agency)
    transaction.on_commit(lambda: wake_up_jobs("receipts"), robust=True)
