"""What follows events, worked off as the worker does it."""

from dataclasses import replace

import pytest

from accounts.events import reactions
from accounts.models import Reaction


def react() -> None:
    """Carry out all that is due. Raises AssertionError if one of them failed."""
    while reactions.carry_out_due_reactions():
        pass
    failed = list(Reaction.objects.exclude(error="").values_list("subscriber", "subject", "error"))
    assert not failed, failed


def silence_subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody react to events, so that none waits for a reaction before it is fanned out."""
    silent = {name: replace(one, event_types=frozenset()) for name, one in reactions._subscriptions.items()}
    monkeypatch.setattr(reactions, "_subscriptions", silent)
