"""Retired words are refused in every kind of name, and nowhere else."""

from pathlib import Path

import pytest

from tests import vocabulary


def faults(folder: Path, source: str, name: str = "module.py") -> list[str]:
    path = folder / name
    path.write_text(source)
    return vocabulary.faults_of(path, folder)


@pytest.mark.parametrize(
    "source",
    [
        "class OpenTrouble: ...",
        "class HTTPParcel: ...",
        "def tell(): ...",
        "async def send_letter(): ...",
        "MAX_TRIES = 3",
        "def find():\n    drops = []",
        "self.farewell = None",
        "for drop in []: ...",
        "def send(*, courier): ...",
        "def wake(doorbells): ...",
        "class Told: ...",
    ],
)
def test_a_retired_word_in_a_name_is_refused(tmp_path: Path, source: str) -> None:
    [fault] = faults(tmp_path, source)
    assert "is retired, say" in fault


@pytest.mark.parametrize(
    "source",
    [
        '"""A trouble, a drop, a letter."""',
        "body = {'troubles': []}",
        "retries = dropped = untold = 0",
        "def test_a_drop_is_told_once(): ...",
        "print(connection.drop)",
    ],
)
def test_other_words_prose_and_names_of_others_are_free(tmp_path: Path, source: str) -> None:
    assert faults(tmp_path, source) == []


def test_words_without_another_meaning_are_refused_in_sentences_too(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("The letter.\nThe *Sightings* of an account, and a courier.\n")
    assert [fault.split(" ")[0] for fault in vocabulary.faults_of_prose(page, tmp_path)] == ["page.md:2:", "page.md:2:"]


def test_a_module_is_named_too(tmp_path: Path) -> None:
    assert faults(tmp_path, "", "troubles.py") != []


def test_every_exception_is_still_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = dict(vocabulary.ALLOWED)
    monkeypatch.setattr(vocabulary, "ALLOWED", {})
    for module, name in allowed:
        modules = [vocabulary.ROOT / module] if module else (vocabulary.ROOT / "config").glob("*.py")
        assert any(f": {name}: " in fault for path in modules for fault in vocabulary.faults_of(path)), name
