"""The style and the icons that pages are made of: of files alone, small, and all that templates name is there."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

STATIC: Path = settings.BASE_DIR / "templates" / "static"
TABLER = STATIC / "vendor" / "tabler"
OURS = STATIC / "leadline"
APPS = ("accounts", "config", "leads", "notifications", "webhooks")
#: In the order of templates/base.html.
PAGE = (OURS / "tokens.css", TABLER / "tabler.css", OURS / "components.css", OURS / "portal.css")
MAX_BYTES = 40 * 1024
#: With the scripts of every page at most 60 KB.
MAX_CHART_BYTES = 37_500
TEMPLATE_TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
#: What scripts and tests find elements by.
HOOKS = {"only-kept", "channel-head", "json", "name", "kind", "notice", "source", "dash", "steps", "items", "home"}
AGAIN = "Run `make vendor`."


def templates() -> Iterator[tuple[Path, str]]:
    folder = settings.BASE_DIR / "templates"
    for part in ("portal", "account", "allauth", "leads", "."):
        for path in (folder / part).glob("*.html") if part == "." else (folder / part).rglob("*.html"):
            yield path, path.read_text()


def modules() -> Iterator[str]:
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            yield path.read_text()


def test_no_style_holds_an_image_and_every_file_that_it_names_is_there() -> None:
    for path in (*PAGE, OURS / "reauth.css", OURS / "backoffice.css", OURS / "api-docs.css"):
        style = path.read_text()
        assert "data:" not in style, path
        assert "@import" not in style, path
        named = re.findall(r"url\([\"']?([^)\"']+)[\"']?\)", style)
        assert [name for name in named if not (path.parent / name).is_file()] == [], path


def test_the_style_of_a_page_is_small() -> None:
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in PAGE)
    assert size <= MAX_BYTES


def test_the_scripts_of_a_chart_are_small() -> None:
    scripts = (STATIC / "vendor/chartjs/chart.js", OURS / "charts.js")
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in scripts) <= MAX_CHART_BYTES


def test_every_class_that_a_template_names_has_a_style() -> None:
    styled = set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", "".join(path.read_text() for path in PAGE)))
    unknown: dict[str, set[str]] = {}
    for path, text in templates():
        for value in re.findall(r'class="(.*?)"', TEMPLATE_TAGS.sub(" ", text), re.DOTALL):
            if missing := {word for word in value.split() if not word.endswith("-")} - styled - HOOKS:
                unknown.setdefault(str(path.relative_to(settings.BASE_DIR)), set()).update(missing)
    assert unknown == {}, AGAIN


def test_the_sprite_has_the_icons_that_pages_name_and_no_other() -> None:
    named = set()
    for text in (*(text for _, text in templates()), *modules()):
        named |= set(re.findall(r'\{% icon "([a-z0-9-]+)"', text))
        named |= set(re.findall(r'\bicon(?:: str)? ?= ?"([a-z0-9-]+)"', text))
        named |= set(re.findall("# icon: ([a-z0-9-]+)", text))
    there = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (TABLER / "icons.svg").read_text()))
    assert there == named, AGAIN
