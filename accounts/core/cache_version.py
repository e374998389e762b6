"""How a process knows at once that it changed a source itself. Others see the change when their cache ages."""

import itertools

from django.db import transaction

_counter = itertools.count(1)
_version = 0


def sources_version() -> int:
    """A number that grows with every committed change of a source or its secrets by this process."""
    return _version


def sources_changed() -> None:
    """To be called with every change of a source or its secrets; counts once the change is committed."""
    transaction.on_commit(_count, robust=True)


def _count() -> None:
    global _version
    _version = next(_counter)
