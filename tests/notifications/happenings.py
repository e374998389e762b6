"""What the fixtures of notifications' tests are."""

from collections.abc import Callable

from accounts.models import Event
from notifications.models import Channel

Happen = Callable[..., Event]


MakeChannel = Callable[..., Channel]


class Killed(BaseException):
    """The worker is gone between sending and settling."""
