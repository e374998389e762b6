"""Recover blocked sources. Each provider's app registers its recovery, as `leads` does for LinkedIn.

The back office offers "Recover now" for a source that has a recovery.
"""

from collections.abc import Callable

from accounts.models import Source

#: Makes the provider deliver again, fetches what was missed, and returns a sentence that says what was done. Raises
#: ValueError with a sentence for people. It may use the network, because it is called outside a transaction.
Recovery = Callable[[Source], str]

_recoveries: dict[str, Recovery] = {}


def register_recovery(provider: str, recovery: Recovery) -> None:
    _recoveries[provider] = recovery


def recovery_for(source: Source) -> Recovery | None:
    """Return the recovery for a source, or None if its provider has none or the source is off."""
    usable = source.enabled and source.removed_at is None
    return _recoveries.get(source.provider) if usable else None
