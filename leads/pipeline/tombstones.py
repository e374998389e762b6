"""Tombstones of erased leads: keyed hashes that keep a late report or a back-fill from bringing a lead back."""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings

from accounts.core.provider_key import ProviderKey, group_by_provider
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.models import Agency
from leads.models import Tombstone

#: The provider of a lead's own id: also a lead that no provider knows has a tombstone.
OURSELVES = "leadline"


def is_erased(agency: Agency, *, provider: str, external_id: str, at: datetime, work: UnitOfWork = AT_ONCE) -> bool:
    """Return whether a report of this time is about a lead that was erased since."""
    erased_at = work.look_up(ERASED_AT, ProviderKey(agency.pk, provider, external_id))
    return erased_at is not None and at <= erased_at


def erased_among(agency: Agency, *, provider: str, reported_at: Mapping[str, datetime]) -> set[str]:
    """Return the provider's ids of the leads that were erased since they were reported, of these ids and times."""
    ids = {digest_of(agency.pk, external_id): external_id for external_id in reported_at}
    stones = Tombstone.objects.filter(agency=agency, provider=provider, digest__in=list(ids))
    return {ids[digest] for digest, at in stones.values_list("digest", "erased_at") if reported_at[ids[digest]] <= at}


def wait_for_erasures(agency: Agency) -> None:
    """Lock the agency against erasures, until the transaction ends.

    A back-fill and an erasure that ran side by side would not see what the other has not committed yet, and the lead
    would come back.
    """
    Agency.objects.select_for_update(no_key=True).values_list("pk").get(pk=agency.pk)


def put_tombstone(agency: Agency, *, provider: str, digest: str, at: datetime) -> bool:
    """Keep reports of up to `at` about a lead without effect. Return False if a tombstone did so already."""
    stone, made = Tombstone.objects.get_or_create(
        agency=agency, provider=provider, digest=digest, defaults={"erased_at": at}
    )
    if made or stone.erased_at >= at:
        return made
    stone.erased_at = at
    stone.save(update_fields=["erased_at"])
    return True


def digest_of(agency_id: str, external_id: str) -> str:
    """Return the keyed hash under which a tombstone stands: it names nobody."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"{agency_id}/{external_id}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _load(keys: Collection[ProviderKey]) -> dict[ProviderKey, datetime | None]:
    found: dict[ProviderKey, datetime | None] = dict.fromkeys(keys)
    for (agency_id, provider), external_ids in group_by_provider(keys).items():
        ids = {digest_of(agency_id, external_id): external_id for external_id in external_ids}
        stones = Tombstone.objects.filter(agency=agency_id, provider=provider, digest__in=list(ids))
        for digest, erased_at in stones.values_list("digest", "erased_at"):
            found[ProviderKey(agency_id, provider, ids[digest])] = erased_at
    return found


#: By the provider's id of a lead until when reports of it are without effect.
ERASED_AT: Lookup[ProviderKey, datetime | None] = Lookup(_load, Tombstone)
