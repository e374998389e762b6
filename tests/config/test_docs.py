"""What the documents name is there."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.core.enums import PROVIDERS, ProviderSlug
from config.demo import scenario

ROOT = Path(settings.BASE_DIR)
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
PLACE = re.compile(r"`(\w+/[\w./-]*)(?::[^`]*)?`")  # and what is in it; places with <> or * stand for several


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    named = {place for place in PLACE.findall(document.read_text()) if place.split("/")[0] in FOLDERS - {"var"}}

    assert {place for place in named if not (ROOT / place).exists()} == set()


@pytest.mark.parametrize("slug", ProviderSlug)
def test_every_provider_is_described_and_has_a_day_in_the_demonstration(slug: ProviderSlug) -> None:
    described = (ROOT / "docs" / "providers.md").read_text()
    assert re.search(rf"^\| {PROVIDERS[slug]}\b", described, re.MULTILINE)
    assert re.search(rf"^## {PROVIDERS[slug]}\b", described, re.MULTILINE)
    assert slug in {step.provider for step in scenario.day("1", timezone.now())}
