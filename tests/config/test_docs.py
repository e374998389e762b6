"""What the documents name is there."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
PLACE = re.compile(r"`(\w+/[\w./-]*)(?::[^`]*)?`")  # and what is in it; places with <> or * stand for several


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    named = {place for place in PLACE.findall(document.read_text()) if place.split("/")[0] in FOLDERS - {"var"}}

    assert {place for place in named if not (ROOT / place).exists()} == set()
