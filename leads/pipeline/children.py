"""Keep the tables whose rows belong to a lead, and move those rows when records are merged or parted again.

A row shows on the lead in its `lead` column. Its `origin` is the record that it was created for, where a merge has
moved it; without one it was created for the lead that it shows on.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from django.db.models import F, Model
from django.db.models.functions import Coalesce


class Child(NamedTuple):
    """Name a table whose rows belong to a lead, and the two columns that refer to it."""

    model: type[Model]
    lead_field: str
    origin_field: str


_children: dict[type[Model], Child] = {}


def register_child(model: type[Model], *, lead_field: str = "lead", origin_field: str = "origin") -> None:
    """Register a table whose rows move with a lead. `ready` of an app calls it."""
    _children[model] = Child(model, lead_field, origin_field)


def registered_children() -> Iterator[Child]:
    """Yield every registered table, in the order in which they were registered."""
    yield from _children.values()


def move_children(record_id: str, root_id: str) -> None:
    """Move every row of a record to the lead that it is merged into."""
    for model, lead, origin in registered_children():
        rows = model._base_manager.filter(**{lead: record_id})
        rows.update(**{origin: Coalesce(origin, F(lead)), lead: root_id})


def return_children(root_id: str, record_ids: Collection[str], home_id: str) -> None:
    """Move the rows that were created for these records from a lead to `home_id`, one of the records."""
    for model, lead, origin in registered_children():
        model._base_manager.filter(**{lead: root_id, f"{origin}__in": record_ids}).update(**{lead: home_id})
