"""Find the leads that rows of a file are about, and the earlier rows about the same people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Lower

from accounts.core.derived_fields import fold, without_accents
from accounts.core.linkedin_identity import may_be_one_person
from leads.enums import RowOutcome
from leads.facts.derivations import name_key
from leads.imports.rows import ReadRow
from leads.models import ImportRow, Lead, LeadImport
from leads.pipeline.merge import root_ids

Numbered = tuple[int, ReadRow]


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """The leads and the earlier rows that some rows may be about."""

    by_profile: Mapping[str, Lead]
    by_email: Mapping[str, Sequence[Lead]]
    by_phone: Mapping[str, Sequence[Lead]]

    def lead_of(self, row: ReadRow) -> Lead | None:
        """Return the lead of a row's person: with the same profile, the same address, or the same telephone and name.

        A lead with another profile is another person.
        """
        if row.profile_key and (found := self.by_profile.get(row.profile_key)):
            return found
        for lead in self.by_email.get(row.email_key, ()) if row.email_key else ():
            if may_be_one_person(lead.linkedin_key, row.profile_key):
                return lead
        if row.profile_key or row.email_key or not row.phone_key:
            return None
        return next((lead for lead in self.by_phone.get(row.phone_key, ()) if _same_name(lead, row)), None)


def known_people(found: LeadImport, rows: Sequence[ReadRow]) -> KnownPeople:
    """Load the leads that rows may be about, each as it is shown. Every query reads an index."""
    records = Lead.all_records.filter(agency=found.agency_id).order_by("pk")
    profiles = {row.profile_key for row in rows if row.profile_key}
    emails = {row.email_key for row in rows if row.email_key}
    phones = {row.phone_key for row in rows if row.phone_key and not (row.profile_key or row.email_key)}
    lower = records.alias(lower_email=Lower("email")) if emails else records
    return KnownPeople(
        {lead.profile: lead.root for lead in _shown(records.filter(linkedin_key__in=profiles), profiles)},
        _by(_shown(lower.filter(lower_email__in=emails) if emails else records.none(), emails), "email"),
        _by(_shown(records.filter(phone_e164__in=phones), phones), "phone"),
    )


def repeated(found: LeadImport, rows: Sequence[Numbered]) -> set[int]:
    """Return the numbers of those rows whose person an earlier row of the file is about."""
    first = min((number for number, _ in rows), default=0)
    earlier = ImportRow.objects.filter(lead_import=found, number__lt=first).exclude(outcome=RowOutcome.REFUSED)
    by_phone = earlier.filter(profile_key="", email_key="")
    seen: set[tuple[str, str]] = set()
    for name in ("profile_key", "email_key", "phone_key"):
        wanted = {key for _, row in rows for kind, key in _keys(row) if kind == name}
        if wanted:
            known = (by_phone if name == "phone_key" else earlier).filter(**{f"{name}__in": wanted})
            seen |= {(name, key) for key in known.values_list(name, flat=True)}
    again: set[int] = set()
    for number, row in rows:
        keys = _keys(row)
        if keys & seen:
            again.add(number)
        seen |= keys
    return again


@dataclass(frozen=True, slots=True)
class _Found:
    profile: str
    email: str
    phone: str
    root: Lead


def _shown(records: QuerySet[Lead], wanted: Iterable[str]) -> list[_Found]:
    """Return each record's keys with the lead that it is shown as."""
    if not wanted:
        return []
    rows = list(records.values_list("pk", "linkedin_key", "email", "phone_e164"))
    roots = root_ids([pk for pk, *_ in rows]) if rows else {}
    leads = Lead.objects.in_bulk(set(roots.values()))
    return [
        _Found(profile, email.lower(), phone, leads[roots[pk]])
        for pk, profile, email, phone in rows
        if roots[pk] in leads
    ]


def _by(found: Iterable[_Found], name: str) -> dict[str, list[Lead]]:
    groups: dict[str, list[Lead]] = defaultdict(list)
    for one in found:
        groups[getattr(one, name)].append(one.root)
    return groups


def _keys(row: ReadRow) -> set[tuple[str, str]]:
    """Return the keys by which rows of one file are compared: a telephone only of who has nothing else."""
    if row.refused:
        return set()
    keys = {(name, key) for name in ("profile_key", "email_key") if (key := getattr(row, name))}
    return keys or {("phone_key", row.phone_key)}


def _same_name(lead: Lead, row: ReadRow) -> bool:
    """Return whether a lead and a row have the same name, or one of them none."""
    first_and_last = " ".join(filter(None, (row.values.get("first_name"), row.values.get("last_name"))))
    name = row.values.get("name") or first_and_last
    return not name or not lead.display_name or _plain(name) == _plain(lead.display_name)


def _plain(name: str) -> str:
    return name_key([name]) or without_accents(fold(name))
