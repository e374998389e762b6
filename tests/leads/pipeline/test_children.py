"""The rows of a lead move with its records."""

from django.apps import apps
from django.db.models import ForeignKey

from accounts.models import Agency
from leads.models import Lead, LeadChange
from leads.pipeline.children import registered_children, return_children
from leads.pipeline.merge import lock_root, merge_leads
from tests.leads.pipeline.test_merge import report


def test_every_table_with_an_origin_is_registered() -> None:
    tables = {
        model
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.name == "origin" and field.related_model is Lead
    }
    assert {child.model for child in registered_children()} == tables
    assert LeadChange in tables


def test_rows_of_merged_records_move_and_return_together(agency: Agency) -> None:
    first, second, third = (report(agency, f"l{number}", number) for number in range(3))
    merge_leads(second, third)
    merge_leads(lock_root(first.pk), lock_root(second.pk))  # type: ignore[arg-type]
    return_children(first.pk, [second.pk, third.pk], second.pk)
    assert set(LeadChange.objects.values_list("lead", "origin")) == {
        *((first.pk, None), (second.pk, second.pk), (second.pk, third.pk)),
    }
