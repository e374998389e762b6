"""Deal leads by turns: smooth weighted round robin, and least open. Pure: no Django, no clock.

`behind` is what a member expected minus what they received while they were eligible, in millionths of a lead. Each turn
adds one lead's worth of shares and takes one lead off, so the sum over all members never changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

LEAD = 1_000_000  # millionths
#: With equal weights the next lead goes to somebody else after so many in a row.
MAX_IN_A_ROW = 2
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Player:
    """An eligible member of a pool. `key` is the member's id, which breaks the last tie."""

    key: str
    weight: int
    behind: int = 0
    open_leads: int = 0
    last_at: datetime | None = None


@dataclass(slots=True)
class Streak:
    """Count the leads in a row that one member received while another was eligible."""

    key: str = ""
    length: int = 0

    def add(self, key: str, *, contested: bool) -> None:
        """Count a turn. One without another eligible member begins anew."""
        if not contested:
            self.key, self.length = "", 0
        elif key == self.key:
            self.length += 1
        else:
            self.key, self.length = key, 1


@dataclass(frozen=True, slots=True)
class Turn:
    """Who gets the lead, what each eligible member's `behind` grew by, and whom the limit in a row passed over."""

    winner: Player
    shares: Mapping[str, int] = field(default_factory=dict)
    limited: str = ""


def next_by_turns(players: Sequence[Player], streak: Streak) -> Turn:
    """Return the next turn of a round robin, without applying it. Raises ValueError without players."""
    shares = shares_of(players)
    limited = _limited(players, streak)
    winner = min(
        (player for player in players if player.key != limited),
        key=lambda player: (-(player.behind + shares[player.key]), *_tie(player)),
    )
    shares[winner.key] += LEAD - sum(shares.values())  # what the division left over
    return Turn(winner, shares, limited)


def next_by_open_leads(players: Sequence[Player]) -> Turn:
    """Return who has the fewest open leads for their weight. Raises ValueError without players."""
    return Turn(min(players, key=lambda player: (player.open_leads / player.weight, *_tie(player))))


def apply(turn: Turn, players: Sequence[Player], streak: Streak, at: datetime) -> None:
    """Give the lead: change the players' figures, and the streak."""
    for player in players:
        player.behind += turn.shares.get(player.key, 0)
    if turn.shares:
        turn.winner.behind -= LEAD
    turn.winner.open_leads += 1
    turn.winner.last_at = at
    streak.add(turn.winner.key, contested=len(players) > 1)


def shares_of(players: Sequence[Player]) -> dict[str, int]:
    """Return each player's share of one lead by weight, rounded down."""
    total = sum(player.weight for player in players)
    return {player.key: player.weight * LEAD // total for player in players}


def _limited(players: Sequence[Player], streak: Streak) -> str:
    """Return who received as many in a row as equal weights allow, or ""."""
    is_equal = len({player.weight for player in players}) == 1
    reached = streak.length >= MAX_IN_A_ROW and len(players) > 1
    return streak.key if is_equal and reached and any(player.key == streak.key for player in players) else ""


def _tie(player: Player) -> tuple[int, datetime, str]:
    """Return the order among those who are equally far behind."""
    return player.open_leads, player.last_at or _NEVER, player.key
