"""Collect what apps above `accounts` show of a source, on its card in the portal and on its page in the back office.

Each app adds its sections in `AppConfig.ready`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from accounts.models import Source

RenderSection = Callable[[Source], SafeString | str]


@dataclass(frozen=True, slots=True)
class PageSection:
    """A row of the source's page in the back office, within the fieldset of this title."""

    fieldset: str
    render: RenderSection


_cards: list[RenderSection] = []
_pages: list[PageSection] = []


def add_card_section(render: RenderSection) -> None:
    """Add a section to the card of each source in the portal. `render` returns "" for sources without the section."""
    _cards.append(render)


def card_sections(source: Source) -> list[SafeString | str]:
    return [section for render in _cards if (section := render(source))]


def add_page_section(fieldset: str, render: RenderSection) -> None:
    """Add a row to the page of each source in the back office. `render` carries an `admin.display` description."""
    _pages.append(PageSection(fieldset, render))


def page_sections(fieldset: str) -> list[RenderSection]:
    return [section.render for section in _pages if section.fieldset == fieldset]
