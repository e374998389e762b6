"""Decide what becomes of rows of a file. The check before an import and the import itself decide with this module."""

from collections.abc import Sequence
from dataclasses import dataclass

from leads.enums import RowOutcome, RowReason
from leads.imports.people import known_people, repeated
from leads.imports.rows import ReadRow, read_row
from leads.models import ImportRow, Lead, LeadImport


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a row, why if it changes nothing, and the lead that it is about if there is one already."""

    row: ImportRow
    read: ReadRow
    outcome: RowOutcome
    reason: RowReason | None = None
    lead: Lead | None = None


def decide(found: LeadImport, rows: Sequence[ImportRow]) -> list[Decision]:
    """Return what becomes of consecutive rows, whose earlier ones were decided before."""
    read = [read_row(row.cells, found.mapping) for row in rows]
    again = repeated(found, [(row.number, one) for row, one in zip(rows, read, strict=True)])
    people = known_people(found, [one for one in read if not one.refused])
    decisions = []
    for row, one in zip(rows, read, strict=True):
        if one.refused:
            decisions.append(Decision(row, one, RowOutcome.REFUSED, one.refused))
        elif row.number in again:
            decisions.append(Decision(row, one, RowOutcome.DUPLICATE, RowReason.IN_FILE))
        elif (lead := people.lead_of(one)) is None:
            decisions.append(Decision(row, one, RowOutcome.NEW))
        elif missing_values(lead, one):
            decisions.append(Decision(row, one, RowOutcome.UPDATED, lead=lead))
        else:
            decisions.append(Decision(row, one, RowOutcome.DUPLICATE, RowReason.NOTHING_NEW, lead))
    return decisions


def missing_values(lead: Lead, row: ReadRow) -> dict[str, str]:
    """Return what a row says that its lead does not have yet. A row never replaces what is known."""
    missing = {name: value for name, value in row.values.items() if not getattr(lead, name)}
    if lead.display_name:  # a name in one form is not completed by another form
        missing = {name: value for name, value in missing.items() if name not in ("name", "first_name", "last_name")}
    if not set(row.tags) <= set(lead.tags):
        missing["tags"] = ", ".join(tag for tag in row.tags if tag not in lead.tags)
    return missing
