"""How a blocked source is got going again: each provider's part registers itself, as the leads' part does for LinkedIn.

The back office offers "Recover now" where there is one.
"""

from collections.abc import Callable

from accounts.models import Source

#: Makes the provider deliver again and fetches what was missed; answers what it did, in a sentence. Raises ValueError
#: with a sentence for people. May use the network: it is called outside a transaction.
Recovery = Callable[[Source], str]

_recoveries: dict[str, Recovery] = {}


def register(provider: str, recovery: Recovery) -> None:
    _recoveries[provider] = recovery


def recovery_for(source: Source) -> Recovery | None:
    """None: there is none for this provider, or the source is off."""
    usable = source.enabled and source.removed_at is None
    return _recoveries.get(source.provider) if usable else None
