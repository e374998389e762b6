"""Show what is wrong with a connection as one issue of its source."""

from accounts.core.enums import IssueKind
from accounts.core.wording import several
from accounts.sources import issues
from leads.lead_sync.problems import problems_of
from leads.models import LeadSync

#: Nothing is missing because of these: the connection was not set up yet, or somebody listens in.
NO_ISSUE = frozenset({"not_connected", "no_subscription", "foreign_subscription", "left_at_linkedin"})


def show_health(sync: LeadSync) -> None:
    """Begin, refresh or end the source's issue, after what is wrong may have changed."""
    rows = LeadSync.objects.select_related("source__agency", "source__sub_account", "account")
    found = rows.prefetch_related("subscriptions").filter(pk=sync.pk).first()
    if found is None:
        return
    wrong = [problem.message for problem in problems_of(found) if problem.code not in NO_ISSUE]
    if wrong and found.account_id and found.source.enabled and not found.source.removed_at:
        issues.open_issue(found.source, IssueKind.LEAD_SYNC, detail=several(*wrong))
    else:
        issues.close_issues(found.source, IssueKind.LEAD_SYNC)
