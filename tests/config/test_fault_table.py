"""The table of faults in docs/reliability.md is that of the last run."""

from pathlib import Path

import pytest

from tests.e2e import figures
from tests.e2e.figures import BEGIN, END, PAGE, Figures, write_page, write_row


def test_a_run_replaces_the_table_of_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FOLDER", tmp_path / "faults")
    page = tmp_path / "page.md"
    page.write_text(f"# Reliability\n\n{BEGIN}\nold\n{END}\n\nMore.\n")
    write_row(Figures(fault="redis is full", backend="PostgreSQL, Redis", accepted=9, processed=9, seconds=1.25))
    for _ in range(2):
        write_page(page)
        text = page.read_text()
        assert "old" not in text
        assert "| redis is full | PostgreSQL, Redis | 9 | 9 | – | 0 | 0 | 1.2 |" in text
        assert text.startswith("# Reliability\n\n")
        assert text.endswith(f"{END}\n\nMore.\n")
        assert text.count("redis is full") == 1


def test_the_page_has_a_place_for_the_table() -> None:
    assert PAGE.read_text().index(BEGIN) < PAGE.read_text().index(END)
