"""The pages of the work on leads, filled: both widths, both themes, both languages, no accessibility fault."""

import pytest
from django.contrib.auth.models import User

from accounts.models import Preference
from leads.models import RoutingRule
from leads.rules.kinds import rule_kinds
from leads.rules.preview_jobs import preview_due, request_preview
from tests.browser.conftest import in_a_thread
from tests.browser.tasks import Clicks, Seeded
from tests.browser.test_frame import OPEN_DETAILS, assert_none, faults_by_day_and_by_night
from tests.browser.worked_leads import WorkedLeads

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def paths(worked_leads: WorkedLeads) -> dict[str, str]:
    """Made before there is a browser."""
    kinds = {"routing": "/routing", "scoring": "/scoring", "target": "/targets"}
    previews = {kind.name: request_preview(kind, worked_leads.agency, days=90).pk for kind in rule_kinds()}
    while preview_due():
        pass
    rule = RoutingRule.objects.get(name="Enterprise")
    return {
        **{name: f"{path}?preview={previews[name]}" for name, path in kinds.items()},
        **{f"{name}-new": f"/rules/{name}/new" for name in kinds},
        **{f"{name}-history": f"/rules/{name}/history" for name in kinds},
        "routing-rule": f"/rules/routing/{rule.pk}",
        "pools": "/pools",
        "pool": f"/pools/{worked_leads.pool.pk}",
        "pool-new": "/pools/new",
        "unrouted": "/leads/unrouted",
        "tasks": "/tasks",
        "tasks-of-all": "/tasks?whose=all",
        "target-lists": "/target-lists",
        "target-list": f"/target-lists/{worked_leads.target_list.pk}",
        "sequences": "/sequences",
        "sequence": f"/sequences/{worked_leads.agency.sequences.order_by('pk')[0].pk}",
        "sequence-edit": f"/sequences/{worked_leads.agency.sequences.order_by('pk')[0].pk}/edit",
        "sequence-new": "/sequences/new",
        "mailing": "/mailing",
        "templates": "/templates",
        "template": f"/templates/{worked_leads.agency.message_templates.order_by('pk')[0].pk}",
        "template-new": "/templates/new",
        "team": "/team",
        "hours": "/hours",
        "calendar": f"/hours/{worked_leads.calendar.pk}",
        "lead": f"/leads/{worked_leads.lead.pk}",
        "leads": "/leads",
        "leads-due": "/leads?clock=open&sort=due",
        "board": "/leads/board",
        "overview": "/",
    }


def read_in(language: str, user: User) -> None:
    in_a_thread(lambda: Preference.objects.update_or_create(user=user, defaults={"language": language}))


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_page_of_the_work_on_leads_is_accessible(
    worked_leads: WorkedLeads, paths: dict[str, str], seeded: Seeded, clicks: Clicks, language: str
) -> None:
    page, faults = clicks.page, []
    read_in(language, seeded.owner)
    for name, path in paths.items():
        clicks.open(path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            clicks.look(f"leads-{name}-{language}-{scheme}")
        page.evaluate(OPEN_DETAILS)
        clicks.look(f"leads-{name}-{language}-open")
        faults += faults_by_day_and_by_night(page)
    assert_none(faults)
