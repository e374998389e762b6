"""Rules of any kind, tried on those of scoring: their order, their versions, and what becomes of a broken one."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.core.errors import FieldError
from accounts.models import Agency, AuditEntry, Event
from leads.models import Lead, RulePreview, ScoringRule
from leads.pipeline.changes import create_lead
from leads.rules import preview_jobs, service
from leads.rules.active import active_rules
from leads.rules.preview import preview
from leads.scoring.kind import KIND

pytestmark = pytest.mark.django_db

VP = {"field": "seniority", "op": "equals", "value": "vp"}
IN_OREGON = {"field": "state", "op": "equals", "value": "OR"}


def make(agency: Agency, name: str, **values: Any) -> ScoringRule:
    made = service.create_rule(KIND, agency, **{"name": name, "group": "fit", "points": 10, **values})
    assert isinstance(made, ScoringRule)
    return made


def names(agency: Agency) -> list[tuple[int, str]]:
    return [(rule.position, rule.name) for rule in service.rules_of(KIND, agency)]


def test_rules_keep_their_order_when_one_is_added_moved_or_deleted(agency: Agency) -> None:
    for name in ("A", "B", "C"):
        make(agency, name)
    first = make(agency, "First", position=1)
    assert names(agency) == [(1, "First"), (2, "A"), (3, "B"), (4, "C")]
    service.change_rule(KIND, first, position=3)
    assert names(agency) == [(1, "A"), (2, "B"), (3, "First"), (4, "C")]
    service.delete_rule(KIND, service.rules_of(KIND, agency)[0])
    assert names(agency) == [(1, "B"), (2, "First"), (3, "C")]
    with pytest.raises(FieldError, match="from 1 to 3"):
        service.change_rule(KIND, first, position=9)


def test_a_condition_that_cannot_be_is_refused_with_its_place_and_leaves_nothing(agency: Agency) -> None:
    with pytest.raises(FieldError, match=r"all\.1\.field: There is no field “revenue”"):
        make(agency, "A", conditions={"all": [VP, {"field": "revenue", "op": "exists"}]})
    assert names(agency) == []
    assert not agency.rule_sets.filter(version__gt=0).exists()


def test_every_change_is_a_version_and_one_can_go_back_to_any(agency: Agency, staff: Any) -> None:
    one = make(agency, "A", points=10)
    make(agency, "B", conditions=VP)
    service.change_rule(KIND, one, by=staff, points=25, name="A+")
    service.delete_rule(KIND, service.rules_of(KIND, agency)[1])
    rule_set = service.roll_back(KIND, agency, 2, by=staff)
    assert names(agency) == [(1, "A"), (2, "B")]
    assert [rule.points for rule in service.rules_of(KIND, agency)] == [10, 10]  # type: ignore[attr-defined]
    assert service.rules_of(KIND, agency)[1].conditions == VP
    changes = [(one.number, one.change, one.changed_by) for one in rule_set.versions.order_by("number")]
    assert changes == [
        (1, "Created “A”", ""),
        (2, "Created “B”", ""),
        (3, "Changed “A+”", str(staff)),
        (4, "Deleted “B”", ""),
        (5, "Went back to version 2", str(staff)),
    ]
    assert AuditEntry.objects.filter(agency=agency, action="Rules rolled back").count() == 1
    with pytest.raises(FieldError, match="no such version"):
        service.roll_back(KIND, agency, 99)


def test_compiled_rules_cost_one_query_until_a_rule_changes(agency: Agency, django_assert_num_queries: Any) -> None:
    rule = make(agency, "A", conditions=VP)
    before = active_rules(KIND, agency)
    with django_assert_num_queries(1):
        assert active_rules(KIND, agency) is before
    service.change_rule(KIND, rule, active=False)
    assert active_rules(KIND, agency).rules == []


def test_a_rule_that_no_longer_compiles_is_switched_off_loudly_and_never_skipped_in_silence(agency: Agency) -> None:
    broken = make(agency, "Broken", conditions=VP)
    make(agency, "Sound", conditions=VP)
    ScoringRule.objects.filter(pk=broken.pk).update(conditions={"field": "gone", "op": "exists"})
    agency.rule_sets.update(version=99)  # another release wrote it
    assert [compiled.rule.name for compiled in active_rules(KIND, agency).rules] == ["Sound"]
    broken.refresh_from_db()
    assert (broken.active, "no field “gone”" in broken.disabled_reason) == (False, True)
    event = Event.objects.get(event_type="rule_disabled")
    assert (event.payload["rule_name"], event.payload["rule_kind"]) == ("Broken", "scoring")
    active_rules(KIND, agency)
    assert Event.objects.filter(event_type="rule_disabled").count() == 1
    service.change_rule(KIND, broken, conditions=VP)
    broken.refresh_from_db()
    assert (broken.active, broken.disabled_reason) == (True, "")


def test_a_preview_counts_what_rules_match_and_what_a_missing_value_leaves_open(agency: Agency) -> None:
    create_lead(agency, title="VP Sales", state="Oregon", country="US", email="a@example.com")
    create_lead(agency, title="Sales Manager", email="b@example.com")
    old = create_lead(agency, title="VP Marketing", email="c@example.com")
    Lead.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=60))
    drafts = [
        {"name": "VPs", "group": "fit", "points": 40, "conditions": VP},
        {"name": "Oregon", "group": "fit", "points": 20, "conditions": IN_OREGON},
        {"name": "Off", "group": "fit", "points": 20, "active": False},
    ]
    rules = service.draft_rules(KIND, agency, drafts)
    seen: list[tuple[int, int]] = []
    result = preview(
        KIND, agency, rules, days=30, now=timezone.now(), progress=lambda done, total: seen.append((done, total))
    )
    assert [(row["name"], row["matched"], row["undecided"]) for row in result["rules"]] == [
        ("VPs", 1, 0),
        ("Oregon", 1, 1),
    ]
    assert (result["leads"], result["undecided"]) == (2, [{"field": "state", "label": "the state", "leads": 1}])
    assert result["outcome"]["grades"] == {"A3": 1, "C3": 1}
    assert seen[-1] == (2, 2)
    assert preview(KIND, agency, rules, days=90, now=timezone.now())["rules"][0]["matched"] == 2
    assert not ScoringRule.objects.exists()


def test_a_preview_that_a_page_asks_for_is_a_job_with_its_progress(agency: Agency) -> None:
    create_lead(agency, title="VP Sales", email="a@example.com")
    make(agency, "VPs", conditions=VP)
    row = preview_jobs.request_preview(KIND, agency, days=30)
    assert preview_jobs.preview_due() == 1
    row.refresh_from_db()
    assert (row.done, row.total, row.result["rules"][0]["matched"]) == (1, 1, 1)  # type: ignore[index]
    with pytest.raises(FieldError, match="30 or 90"):
        preview_jobs.request_preview(KIND, agency, days=7)
    with pytest.raises(FieldError, match="Rule 1, conditions"):
        preview_jobs.request_preview(KIND, agency, days=30, drafts=[{"conditions": {"field": "x", "op": "exists"}}])
    assert RulePreview.objects.count() == 1
