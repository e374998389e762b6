"""The index for parts of a text finds what the text holds, on every back end, however the row came to hold it."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.core import search
from accounts.core.derived_fields import fold, search_text
from accounts.core.search import matching
from accounts.core.text_index import candidates, keep_text_indexes, merge_text_indexes
from accounts.models import Agency
from leads.models import Lead
from leads.pipeline.changes import create_lead, update_lead
from leads.privacy.erasure import erase_lead
from tests.leads.reporting import NOON

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
NAMES = st.text(
    CHARACTERS | st.sampled_from("a\u00e4\u00c4\u00df\u0130\ufb01e\u0301\u738b%_\\\"' \u00a0\u200b"), max_size=12
)
GREEK = "\u03c8\u03c9\u03be"  # no other trigram begins as its does, so that it stands there whole


def found(word: str) -> set[str]:
    return set(Lead.objects.filter(matching(Lead, word)).values_list("pk", flat=True))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=5), data=st.data())
def test_a_search_finds_the_names_that_contain_the_word(agency: Agency, names: list[str], data: st.DataObject) -> None:
    """The words are parts of the names, of one character and more, and words of their own."""
    leads = Lead.objects.bulk_create(
        Lead(id=f"lead_{number}", agency=agency, name=name, status_since=NOON, received_at=NOON)
        for number, name in enumerate(names)
    )
    try:
        whole = data.draw(st.sampled_from(names))
        start = data.draw(st.integers(0, len(whole)))
        for word in (whole, whole[start:], whole[start : start + 2], whole[start : start + 4], data.draw(NAMES)):
            folded = fold(word)
            texts = {lead.pk: search_text([lead.name, lead.pk]) for lead in leads}
            assert found(word) == {pk for pk, text in texts.items() if folded and folded in text}, word
    finally:
        Lead.objects.all().delete()


def test_the_index_follows_every_way_in_which_a_row_changes(agency: Agency) -> None:
    lead, other = create_lead(agency, name="Anna Quibble"), create_lead(agency, name="Somebody Else")
    assert found("quibble") == {lead.pk}
    update_lead(lead, name="Anna Zimmer")
    assert (found("quibble"), found("zimmer")) == (set(), {lead.pk})
    Lead.objects.filter(pk=other.pk).update(search_text="else\nwherever")
    assert (found("somebody"), found("wherever")) == (set(), {other.pk})
    Lead.objects.filter(pk=lead.pk).delete()
    assert found("zimmer") == set()


def test_what_many_rows_may_hold_is_found_without_the_index(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    leads = {create_lead(agency, name=f"Anna {number}").pk for number in range(3)}
    monkeypatch.setattr(search, "MAX_CANDIDATES", 2)
    assert found("anna") == leads
    assert found("anna 1") < leads


def test_the_database_answers_with_the_index(agency: Agency) -> None:
    lead, _ = create_lead(agency, name='Anna "Q" Quibble'), create_lead(agency, name="Somebody Else")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "lead_by_text" in Lead.objects.filter(matching(Lead, "quibble")).explain()
    else:
        assert candidates(Lead, fold('"Q" quibble'), 10) == [lead.pk]
        assert candidates(Lead, "annaquibble", 10) == []
    assert candidates(Lead, "qu", 10) is None
    assert candidates(Agency, "northwind", 10) is None


def test_postgresql_knows_which_words_are_common(agency: Agency) -> None:
    if connection.vendor == "postgresql":
        query = "SELECT attstattarget FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s"
        with connection.cursor() as cursor:
            cursor.execute(query, ["leads_lead", "search_text"])
            assert cursor.fetchone() == (1000,)


@pytest.mark.parametrize("lost", ["TRIGGER leads_lead_text_changed", "TABLE leads_lead_text"])
def test_what_a_migration_took_from_the_index_is_made_again(agency: Agency, lost: str) -> None:
    """On SQLite, where a table that a migration changes is made anew."""
    before = create_lead(agency, name="Anna Quibble")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER leads_lead_text_added")
            cursor.execute(f"DROP {lost}")
    Lead.objects.bulk_create([Lead(agency=agency, name="Ben Quibble", status_since=NOON, received_at=NOON)])
    keep_text_indexes(apps.get_app_config("leads"))
    keep_text_indexes(apps.get_app_config("leads"))
    assert len(found("quibble")) == 2
    update_lead(before, name="Anna Zimmer")
    assert found("zimmer") == {before.pk}


def test_the_letters_of_who_was_erased_are_forgotten(agency: Agency) -> None:
    create_lead(agency, name="Somebody Else")
    lead = create_lead(agency, name=GREEK)
    assert GREEK.encode() in index_bytes()
    erase_lead(lead)
    merge_text_indexes()
    assert GREEK.encode() not in index_bytes()
    assert len(found("somebody")) == 1


def index_bytes() -> bytes:
    """Return what SQLite's index holds; on PostgreSQL, whose index is vacuumed as all are, the texts themselves."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT convert_to(search_text, 'UTF8') FROM leads_lead")
        else:
            cursor.execute("SELECT block FROM leads_lead_text_data")
        rows: list[Any] = cursor.fetchall()
    return b"".join(bytes(block) for (block,) in rows)
