"""Number the committed changes of sources, so that this process can drop its cached sources at once.

Other processes see a change when their cache entries expire.
"""

import itertools

from django.db import transaction

_counter = itertools.count(1)
_version = 0


def sources_version() -> int:
    """Return a number that grows with every change of a source or its secrets that this process commits."""
    return _version


def bump_sources_version() -> None:
    """Grow the version once the current transaction commits. Call this function with every change of a source or its
    secrets."""
    transaction.on_commit(_bump, robust=True)


def _bump() -> None:
    global _version
    _version = next(_counter)
