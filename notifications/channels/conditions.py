"""Say which conditions about leads an agency's channels have."""

from collections.abc import Iterator
from typing import Any

from accounts.models import Agency


def conditions_of_channels(agency: Agency) -> Iterator[tuple[str, Any]]:
    """Yield each channel with conditions, as people call it, and its tree."""
    for channel in agency.channels.exclude(conditions={}).defer("url", "headers"):
        yield f"channel “{channel}”", channel.conditions
