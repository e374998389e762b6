from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionProblem:
    """What is wrong with a connection, and what a person does about it."""

    code: str
    message: str
