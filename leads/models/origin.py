"""Define the column with which a row of a lead goes home when a merge is undone."""

from django.db import models

from leads.models.lead import Lead


def origin_field() -> "models.ForeignKey[Lead | None, Lead | None]":
    """Return a key to the record that a row was created for. It is set when a merge moves the row."""
    return models.ForeignKey(
        Lead,
        models.DO_NOTHING,
        null=True,
        editable=False,
        db_index=False,
        db_constraint=False,
        related_name="+",
        help_text="The record that the row was created for, where a merge has moved it.",
    )
