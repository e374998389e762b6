"""Define the key that makes a provider's id unique: agency, provider and id."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple


class ProviderKey(NamedTuple):
    agency_id: str
    provider: str
    external_id: str


def group_by_provider(keys: Iterable[ProviderKey]) -> dict[tuple[str, str], list[str]]:
    """Group the providers' ids by agency and provider."""
    grouped = defaultdict(list)
    for key in keys:
        grouped[key.agency_id, key.provider].append(key.external_id)
    return grouped
