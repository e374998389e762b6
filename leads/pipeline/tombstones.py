"""Keep tombstones of erased leads: keyed hashes that stop a late report or a back-fill from bringing a lead back.

Reports look a tombstone up with `leads.pipeline.matching.is_erased`.
"""

from collections.abc import Mapping
from datetime import datetime

from accounts.models import Agency
from leads.models import Tombstone
from leads.pipeline.matching import digest_of

#: Stands for the provider in the tombstone of a lead's own id, so that a lead without a provider has one too.
OWN_PROVIDER = "leadline"


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
