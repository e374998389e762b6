"""Find the leads that look like the same person as others: by e-mail address, telephone, or name and company."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Lower

from leads.enums import LikenessReason
from leads.models import Lead
from leads.pipeline.merge import root_ids

#: A value that more leads have is a switchboard's or an office's, and says nothing about a person.
MAX_SHARED = 10
Value = tuple[str, ...]
#: A lead, and those that look like it, each with what the two have in common.
Likeness = dict[str, dict[str, list[LikenessReason]]]


@dataclass(frozen=True, slots=True)
class _Feature:
    """Something that one person's leads have in common: the columns, each with an index, and a record's value."""

    reason: LikenessReason
    columns: tuple[str, ...]
    value_of: Callable[[Lead], Value]


FEATURES = (
    _Feature(
        LikenessReason.EMAIL, ("lower_email",), lambda lead: (lead.email.lower(),) if lead.email.isascii() else ()
    ),
    _Feature(LikenessReason.PHONE, ("phone_e164",), lambda lead: (lead.phone_e164,)),
    _Feature(
        LikenessReason.NAME_AND_COMPANY,
        ("company_key", "name_key"),
        lambda lead: (lead.company_key, lead.name_key),
    ),
)


def similar_leads(agency_id: str, groups: Mapping[str, Sequence[Lead]]) -> Likeness:
    """Return the leads that look like these, which are given by id with their records. Test leads are left out.

    The number of queries does not depend on that of the leads, and each reads an index.
    """
    pairs: dict[tuple[str, str], set[LikenessReason]] = defaultdict(set)
    for feature in FEATURES:
        holders = _holders(agency_id, feature, groups)
        for pk, records in groups.items():
            for other in {other for record in records for other in holders.get(feature.value_of(record), ())}:
                pairs[pk, other].add(feature.reason)
    roots = root_ids({other for _, other in pairs}) if pairs else {}
    shown = set(Lead.objects.without_tests().filter(pk__in=set(roots.values())).values_list("pk", flat=True))
    found: dict[str, dict[str, set[LikenessReason]]] = {pk: defaultdict(set) for pk in groups}
    for (pk, other), reasons in pairs.items():
        if roots[other] in shown - {pk}:
            found[pk][roots[other]] |= reasons
    return {
        pk: {other: [reason for reason in LikenessReason if reason in reasons] for other, reasons in others.items()}
        for pk, others in found.items()
    }


def _holders(agency_id: str, feature: _Feature, groups: Mapping[str, Sequence[Lead]]) -> Mapping[Value, Sequence[str]]:
    """Return the ids of the records that have one of the groups' values, by value, unless too many have it."""
    wanted = {feature.value_of(record) for records in groups.values() for record in records}
    wanted = {value for value in wanted if value and all(value)}
    if not wanted:
        return {}
    rows: Any = (
        Lead.all_records.filter(agency=agency_id)
        .annotate(lower_email=Lower("email"))
        .filter(
            *(
                Q(**{f"{column}__in": {value[place] for value in wanted}})
                for place, column in enumerate(feature.columns)
            )
        )
    )
    counted = rows.order_by().values_list(*feature.columns).annotate(Count("pk"))
    shared = {tuple(value) for *value, count in counted if 1 < count <= MAX_SHARED + 1} & wanted
    holders: dict[Value, list[str]] = defaultdict(list)
    if shared:
        for pk, *value in rows.values_list("pk", *feature.columns):
            if tuple(value) in shared:
                holders[tuple(value)].append(pk)
    return holders
