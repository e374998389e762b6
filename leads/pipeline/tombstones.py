"""Keep tombstones of erased leads: keyed hashes that stop a late report or a back-fill from bringing a lead back."""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings

from accounts.core.provider_key import ProviderKey, group_by_provider
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.models import Agency
from leads.models import Tombstone

#: Stands for the provider in the tombstone of a lead's own id, so that a lead without a provider has one too.
OWN_PROVIDER = "leadline"


def is_erased(agency: Agency, *, provider: str, external_id: str, at: datetime, work: UnitOfWork = AT_ONCE) -> bool:
    """Return whether a report at this time is about a lead that was erased since."""
    erased_at = work.look_up(ERASURE_TIMES, ProviderKey(agency.pk, provider, external_id))
    return erased_at is not None and at <= erased_at


def erased_among(agency: Agency, *, provider: str, reported_at: Mapping[str, datetime]) -> set[str]:
    """Return those provider's ids whose leads were erased after the report, of these ids and report times."""
    ids = {digest_of(agency.pk, external_id): external_id for external_id in reported_at}
    tombstones = Tombstone.objects.filter(agency=agency, provider=provider, digest__in=list(ids))
    return {
        ids[digest] for digest, at in tombstones.values_list("digest", "erased_at") if reported_at[ids[digest]] <= at
    }


def wait_for_erasures(agency: Agency) -> None:
    """Lock the agency against erasures until the transaction ends.

    Otherwise a back-fill and an erasure that run concurrently would not see each other's rows, and the lead would come
    back.
    """
    Agency.objects.select_for_update(no_key=True).values_list("pk").get(pk=agency.pk)


def add_tombstone(agency: Agency, *, provider: str, digest: str, at: datetime) -> bool:
    """Ignore reports up to `at` about a lead. Return False if a tombstone does so already."""
    tombstone, created = Tombstone.objects.get_or_create(
        agency=agency, provider=provider, digest=digest, defaults={"erased_at": at}
    )
    if created or tombstone.erased_at >= at:
        return created
    tombstone.erased_at = at
    tombstone.save(update_fields=["erased_at"])
    return True


def digest_of(agency_id: str, external_id: str) -> str:
    """Return the keyed hash that a tombstone stores. The hash reveals no id."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"{agency_id}/{external_id}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _load(keys: Collection[ProviderKey]) -> dict[ProviderKey, datetime | None]:
    found: dict[ProviderKey, datetime | None] = dict.fromkeys(keys)
    for (agency_id, provider), external_ids in group_by_provider(keys).items():
        ids = {digest_of(agency_id, external_id): external_id for external_id in external_ids}
        tombstones = Tombstone.objects.filter(agency=agency_id, provider=provider, digest__in=list(ids))
        for digest, erased_at in tombstones.values_list("digest", "erased_at"):
            found[ProviderKey(agency_id, provider, ids[digest])] = erased_at
    return found


#: Provider's id of a lead --> time up to which reports about it are ignored.
ERASURE_TIMES: Lookup[ProviderKey, datetime | None] = Lookup(_load, Tombstone)
