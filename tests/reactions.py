"""What follows events, worked off as the worker does it."""

from accounts.events import reactions
from accounts.models import Reaction


def react() -> None:
    """Carry out all that is due. Raises AssertionError if one of them failed."""
    while reactions.carry_out_due_reactions():
        pass
    failed = list(Reaction.objects.exclude(error="").values_list("subscriber", "subject", "error"))
    assert not failed, failed
