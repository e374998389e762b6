"""Multiply a seeded agency's rows in PostgreSQL itself: one `INSERT … SELECT` for each table, without indexes.

Copy `n` of a row has the row's id with `U` and the number in place of four of its last eight characters: no id that the
product makes has a `U`. What belongs to a lead is copied as often as leads are, what belongs to an account as often as
accounts are. A copy of a lead's row names a copy of its account, campaign and channel.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

#: Added to a number that is a key, for each copy.
STRIDE = 10_000_000


@dataclass(frozen=True, slots=True)
class Copies:
    """How many copies are made of each lead, account and channel, beside the row itself."""

    leads: int
    accounts: int
    channels: int

    def of_account(self, column: str) -> str:
        return copied(column, f"(n % {self.accounts + 1})")

    def of_channel(self, column: str) -> str:
        return copied(column, f"(n % {self.channels + 1})")


def copied(column: str, number: str = "n") -> str:
    """Return SQL for the copy of a text id. Copy 0 and an empty id stay as they are."""
    return (
        f"CASE WHEN {number} = 0 OR {column} = '' THEN {column}"
        f" ELSE left({column}, -8) || 'U' || lpad({number}::text, 3, '0') || right({column}, 4) END"
    )


def later(column: str) -> str:
    """Return SQL for the copy of a key that is a number."""
    return f"{column} + n * {STRIDE}::bigint"


def multiply(database: psycopg.Connection[Any], copies: Copies) -> dict[str, float]:
    """Copy every table's rows. Return the seconds that each step took."""
    database.execute("SET session_replication_role = replica")  # no foreign key is checked
    database.execute("SET synchronous_commit = off")
    database.execute("SET statement_timeout = 0")
    database.execute("SET maintenance_work_mem = '256MB'")
    seconds = {}
    tables = statements(copies)
    for table, (count, source, columns) in tables.items():
        began = time.monotonic()
        with without_indexes(database, table):
            database.execute(_insertion(database, table, count, source, columns))
        seconds[table] = time.monotonic() - began
    began = time.monotonic()
    database.execute("VACUUM ANALYZE")
    return seconds | {"VACUUM ANALYZE": time.monotonic() - began}


def statements(copies: Copies) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Return by table how many copies a row has, what its rows are joined with, and what differs in a copy."""
    account, channel = copies.of_account, copies.of_channel
    leads, accounts, channels = str(copies.leads), str(copies.accounts), str(copies.channels)
    subject = "starts_with(t.subject, 'lead_')"
    by_event = f"CASE WHEN starts_with(e.subject, 'lead_') THEN {leads} ELSE {accounts} END"
    of_event = "JOIN accounts_event e ON e.id = t.event_id"
    account_text = f"replace(replace(t.search_text, '@', '-' || n || '@'), lower(t.id), lower({copied('t.id')}))"
    lead_text = f"replace({account_text}, t.linkedin_key, t.linkedin_key || '-' || n)"
    return {
        "accounts_subaccount": (accounts, "", {"id": copied("t.id"), "location_id": copied("t.location_id")}),
        "accounts_account": (
            accounts,
            "",
            {
                "id": copied("t.id"),
                "external_id": "t.external_id || '-' || n",
                "linkedin_key": "CASE WHEN t.linkedin_key = '' THEN '' ELSE t.linkedin_key || '-' || n END",
                "email": "replace(t.email, '@', '-' || n || '@')",
                "search_text": account_text,
                "sub_account_id": copied("t.sub_account_id"),
            },
        ),
        "accounts_accountreport": (accounts, "", {"id": later("t.id"), "account_id": copied("t.account_id")}),
        "accounts_incident": (accounts, "", {"id": copied("t.id")}),
        "accounts_incidentstep": (accounts, "", {"id": later("t.id"), "incident_id": copied("t.incident_id")}),
        "accounts_outage": (
            accounts,
            "",
            {"id": later("t.id"), "account_id": copied("t.account_id"), "incident_id": copied("t.incident_id")},
        ),
        "accounts_reauthprompt": (
            accounts,
            "",
            {"id": copied("t.id"), "account_id": copied("t.account_id"), "digest": "md5(t.digest || n)"},
        ),
        "accounts_reauthstep": (
            accounts,
            "",
            {"id": later("t.id"), "prompt_id": copied("t.prompt_id"), "event_id": copied("t.event_id")},
        ),
        "accounts_campaign": (
            accounts,
            "",
            {
                "id": copied("t.id"),
                "external_id": copied("t.external_id"),
                "name": "t.name || ' ' || n",
                "search_text": "t.search_text || ' ' || n",
                "sender_id": copied("t.sender_id"),
                "account_id": copied("t.account_id"),
            },
        ),
        "accounts_sender": (
            accounts,
            "",
            {
                "id": later("t.id"),
                "external_id": copied("t.external_id"),
                "account_id": copied("t.account_id"),
            },
        ),
        "notifications_channel": (
            channels,
            "",
            {
                "id": copied("t.id"),
                "name": "t.name || ' ' || n",
                "verification_token": "md5(t.verification_token || n)",
                "unsubscribe_token": "md5(t.unsubscribe_token || n)",
            },
        ),
        "notifications_channelsecret": (channels, "", {"id": later("t.id"), "channel_id": copied("t.channel_id")}),
        "leads_lead": (
            leads,
            "",
            {
                "id": copied("t.id"),
                "email": "replace(t.email, '@', '-' || n || '@')",
                "linkedin_url": "t.linkedin_url || '-' || n",
                "linkedin_key": "t.linkedin_key || '-' || n",
                "search_text": lead_text,
                "account_id": account("t.account_id"),
                "campaign_id": account("t.campaign_id"),
            },
        ),
        "leads_leadreference": (
            leads,
            "",
            {
                "id": later("t.id"),
                "lead_id": copied("t.lead_id"),
                "external_id": "t.external_id || '-' || n",
                "campaign_id": account("t.campaign_id"),
            },
        ),
        "leads_leadchange": (
            leads,
            "",
            {
                "id": later("t.id"),
                "lead_id": copied("t.lead_id"),
                "reference_id": later("t.reference_id"),
                "receipt_id": "''",
            },
        ),
        "webhooks_receipt": (
            f"CASE WHEN t.lead_id = '' THEN {accounts} ELSE {leads} END",
            "",
            {
                "sequence": later("t.sequence"),
                "dedupe_key": "sha256(t.dedupe_key || int4send(n))",
                "correlation": "CASE WHEN t.status = 'processed' THEN t.correlation || '-' || n ELSE t.correlation END",
                "account_id": account("t.account_id"),
                "lead_id": copied("t.lead_id"),
            },
        ),
        "webhooks_providerrequest": (
            accounts,
            "",
            {
                "id": later("t.id"),
                "request_id": "t.request_id || '-' || n",
                "account_id": account("t.account_id"),
                "lead_id": copied("t.lead_id"),
            },
        ),
        "notifications_attempt": (
            by_event,
            "JOIN notifications_delivery d ON d.id = t.delivery_id JOIN accounts_event e ON e.id = d.event_id",
            {"id": later("t.id"), "delivery_id": copied("t.delivery_id")},
        ),
        "notifications_delivery": (
            by_event,
            of_event,
            {
                "id": copied("t.id"),
                "event_id": copied("t.event_id"),
                "channel_id": channel("t.channel_id"),
                "carrier_id": copied("t.carrier_id"),
            },
        ),
        "accounts_event": (
            f"CASE WHEN {subject} THEN {leads} ELSE {accounts} END",
            "",
            {"id": copied("t.id"), "subject": copied("t.subject"), "receipt_id": "''"},
        ),
    }


def _insertion(database: psycopg.Connection[Any], table: str, count: str, source: str, columns: dict[str, str]) -> str:
    """Return the statement that inserts the copies. Raises KeyError for a column that the table does not have."""
    names = [
        name
        for (name,) in database.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' ORDER BY attnum",
            [table],
        )
    ]
    if unknown := columns.keys() - set(names):
        raise KeyError(f"{table} has no {', '.join(sorted(unknown))}.")
    values = ", ".join(columns.get(name, f't."{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table} t {source}"
        f" CROSS JOIN LATERAL generate_series(1, {count}) AS n"
    )


@contextmanager
def without_indexes(database: psycopg.Connection[Any], table: str) -> Iterator[None]:
    """Drop a table's indexes except those of its constraints, and make them again: faster than row by row."""
    found = database.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        [table],
    ).fetchall()
    for name, _ in found:
        database.execute(f"DROP INDEX {name}")
    yield
    for _, definition in found:
        database.execute(definition)
