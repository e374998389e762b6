"""Create, change and delete target lists. What rules say about leads follows."""

from dataclasses import asdict
from typing import BinaryIO

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.core.errors import FieldError
from accounts.core.text import MAX_NAME_LENGTH, plain
from accounts.models import Agency
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from leads.conditions.target_lists import holders_asking_about, lists_in
from leads.models import TargetList, TargetListEntry
from leads.rules.kinds import RuleKind, rule_kinds
from leads.rules.service import lock_rule_set, rules_of
from leads.target_lists.parsing import MAX_REFUSED, Companies, read_companies

MAX_LISTS = 50
BATCH = 5_000


def create_list(agency: Agency, *, name: str, file: BinaryIO, by: Actor | None = None) -> TargetList:
    """Create a list of the companies in a CSV file. Raises FieldError."""
    found = read_companies(file)
    with transaction.atomic():
        Agency.objects.select_for_update().get(pk=agency.pk)
        if agency.target_lists.count() >= MAX_LISTS:
            raise FieldError("", f"An agency has at most {MAX_LISTS} target lists.")
        target_list = TargetList(agency=agency)
        _rename(target_list, name)
        target_list.save()
        _fill(target_list, found)
        audit.log_creation(by, target_list, gettext_noop("Target list created"), f"{len(found.entries)} entries")
    return target_list


def update_list(
    target_list: TargetList, *, name: str | None = None, file: BinaryIO | None = None, by: Actor | None = None
) -> TargetList:
    """Rename a list, or replace its entries by those of a CSV file. Raises FieldError."""
    found = read_companies(file) if file is not None else None
    with transaction.atomic():
        target_list = TargetList.objects.select_for_update().select_related("agency").get(pk=target_list.pk)
        if name is not None:
            _rename(target_list, name)
            target_list.save(update_fields=["name", "updated_at"])
        if found is not None:
            target_list.entries.all().delete()
            _fill(target_list, found)
            for kind, _ in rules_with(target_list):
                kind.on_change(target_list.agency)
        changed = [part for part, given in (("name", name), ("entries", file)) if given is not None]
        audit.log_change(by, target_list, gettext_noop("Target list changed"), ", ".join(changed))
    return target_list


@transaction.atomic
def delete_list(target_list: TargetList, *, by: Actor | None = None) -> None:
    """Delete a list. Raises FieldError while a rule or a channel asks about it."""
    for kind in rule_kinds():
        lock_rule_set(kind, target_list.agency)
    used = [name for _, names in rules_with(target_list) for name in names]
    if used:
        raise FieldError("", f"The rule “{used[0]}” asks about this list. Change or delete the rule first.")
    if others := holders_asking_about(target_list):
        raise FieldError("", f"The {others[0]} asks about this list. Change its conditions first.")
    audit.log_deletion(by, target_list, gettext_noop("Target list deleted"))
    target_list.delete()


def rules_with(target_list: TargetList) -> list[tuple[RuleKind, list[str]]]:
    """Return the kinds with rules that ask about a list, and the names of these rules."""
    found = []
    for kind in rule_kinds():
        rules = rules_of(kind, target_list.agency)
        names = [rule.name for rule in rules if target_list.pk in lists_in(rule.conditions)]
        if names:
            found.append((kind, names))
    return found


def _rename(target_list: TargetList, name: str) -> None:
    target_list.name = " ".join(plain(name).split())
    if not target_list.name or len(target_list.name) > MAX_NAME_LENGTH:
        raise FieldError("name", f"Enter a name of at most {MAX_NAME_LENGTH} characters.")
    others = TargetList.objects.filter(agency=target_list.agency, name=target_list.name).exclude(pk=target_list.pk)
    if others.exists():
        raise FieldError("name", "There is a list of this name already.")


def _fill(target_list: TargetList, found: Companies) -> None:
    TargetListEntry.objects.bulk_create(
        [TargetListEntry(target_list=target_list, key=key, text=text) for key, text in found.entries.items()],
        batch_size=BATCH,
    )
    target_list.domains = sum("." in key for key in found.entries)
    target_list.companies = len(found.entries) - target_list.domains
    target_list.duplicates, target_list.refused_count = found.duplicates, len(found.refused)
    target_list.refused = [asdict(row) for row in found.refused[:MAX_REFUSED]]
    target_list.save()
