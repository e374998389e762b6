"""Stored sentences are read in the reader's language, also those that another release stored."""

import json
import re

import pytest
from django.utils import translation

from accounts import sentences
from accounts.core.enums import IncidentCause
from accounts.core.sentences import _kinds, define, in_readers_language, own_words, stored
from accounts.core.wording import WORDINGS, read_sentence, several
from leads.lead_sync.sentences import LEADS_WAIT
from notifications.delivery.channel_health import FAILED_TOO_LONG
from notifications.sentences import ANSWERED, NOT_CONNECTED
from webhooks.diagnostics.signature_doctor import REWRITTEN


def in_german(text: str) -> str:
    """The sentence as it comes back from its row."""
    with translation.override("de"):
        return in_readers_language(json.loads(json.dumps(stored(text))), str(text))


def test_a_sentence_is_stored_in_english_and_read_in_any_language() -> None:
    with translation.override("de"):
        said = sentences.SOURCE_SILENT(seconds=3 * 3600)
    assert said == "Nothing has come for 3 hours."
    assert in_german(said) == "Es ist schon 3 Stunden lang nichts gekommen."
    with translation.override("en"):
        assert in_readers_language(stored(said), said) == said


def test_numbers_choose_the_form_and_codes_are_put_into_words() -> None:
    assert sentences.INCIDENT_GREW(count=1) == "1 more account dropped."
    assert in_german(sentences.INCIDENT_GREW(count=1)) == "1 weiteres Konto ist ausgefallen."
    assert in_german(sentences.INCIDENT_GREW(count=6)) == "6 weitere Konten sind ausgefallen."
    changed = sentences.INCIDENT_CAUSE_CHANGED(cause=str(IncidentCause.PROXY))
    assert changed == "The assessment changed. Probably the proxy that the accounts go through."
    assert in_german(changed).startswith("Die Einschätzung hat sich geändert. ")


def test_what_a_value_leaves_empty_ends_without_a_blank() -> None:
    assert sentences.SOURCE_REJECTING(count=3, diagnosis="") == "3 requests were refused."


@pytest.mark.parametrize(
    "kept",
    [None, {"code": "of_another_release"}, {"code": "incident_grew"}, {"code": "incident_cause_changed", "cause": "x"}],
)
def test_what_is_not_known_is_read_as_it_was_stored(kept: dict[str, str] | None) -> None:
    assert in_readers_language(kept, "6 accounts more dropped.") == "6 accounts more dropped."


def test_texts_of_others_have_no_code() -> None:
    assert stored("LinkedIn says no.") is None


def test_a_code_has_one_sentence() -> None:
    with pytest.raises(ValueError, match="incident_closed"):
        define("incident_closed", sentences.INCIDENT_CLOSED.text)


class Values(dict[str, object]):
    """A value for every name."""

    def __missing__(self, name: str) -> str:
        return "VALUE"


@pytest.mark.parametrize("code", sorted(_kinds))
def test_every_sentence_has_the_same_values_in_german(code: str) -> None:
    texts = []
    for language in ("en", "de"):
        with translation.override(language):
            texts.append(str(_kinds[code].text % Values(count=2)))
    assert texts[0] != texts[1]
    assert texts[0].count("VALUE") == texts[1].count("VALUE")


def test_whole_sentences_of_ours_are_translated_and_texts_of_others_stay() -> None:
    with translation.override("de"):
        assert own_words(FAILED_TOO_LONG) == "Fünf Tage lang ist jeder Versuch fehlgeschlagen."
        assert own_words("550 mailbox unavailable") == "550 mailbox unavailable"
        assert own_words("") == ""


@pytest.mark.parametrize("code", sorted(WORDINGS))
def test_every_wording_of_pure_modules_has_the_same_values_in_german(code: str) -> None:
    text = WORDINGS[code].text
    with translation.override("de"):
        german = own_words(text)
    assert german != text
    assert sorted(re.findall(r"%\(\w+\)s", german)) == sorted(re.findall(r"%\(\w+\)s", text))


def test_sentences_within_sentences_are_read_in_the_readers_language() -> None:
    diagnosis = several("The body has no hash.", REWRITTEN(how=several("without blanks")), "", "550 by the provider")
    assert diagnosis == (
        "The body has no hash. The sender signs the JSON written anew (without blanks), not the bytes that it sends. "
        "550 by the provider"
    )
    assert in_german(diagnosis) == (
        "Der Inhalt hat kein Feld hash. Der Absender signiert das neu geschriebene JSON (ohne Leerzeichen), nicht die "
        "gesendeten Bytes. 550 by the provider"
    )
    kept = read_sentence(json.loads(json.dumps(stored(diagnosis))), str(diagnosis))
    refused = sentences.SOURCE_REJECTING(count=2, diagnosis=kept)
    assert refused == f"2 requests were refused. {diagnosis}"
    assert in_german(refused).endswith("550 by the provider")
    assert "hat kein Feld hash" in in_german(refused)


def test_numbers_and_reasons_of_attempts_are_read_in_german() -> None:
    assert in_german(ANSWERED(status=503)) == "Der Empfänger hat mit 503 geantwortet."
    assert in_german(NOT_CONNECTED(reason=several("refused"))) == "Keine Verbindung: abgelehnt."
    waits = LEADS_WAIT(count=3, why=several("LinkedIn cannot be reached at the moment."))
    assert in_german(waits).startswith("3 Leads warten auf Antworten: LinkedIn ist zurzeit nicht erreichbar.")


def test_a_row_without_a_text_says_nothing_whatever_sentence_is_left_in_it() -> None:
    assert in_readers_language(stored(ANSWERED(status=500)), "") == ""
