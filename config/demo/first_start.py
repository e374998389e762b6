"""Define what the first start of `make run` made. Standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MadeSource:
    provider: str
    webhook_url: str
    note: str


@dataclass(frozen=True)
class FirstStart:
    """What the first start made. Its secrets are stored nowhere in plain text."""

    username: str
    password: str
    owner: str
    owner_password: str
    agency: str
    company_id: str
    api_key: str
    sources: list[MadeSource]
