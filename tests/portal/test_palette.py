"""One palette for portal, back office and mails: every text on its ground can be read, by day and by night."""

import pytest

from notifications.content.palette import TOKENS, palette

TEXTS = ("ink", "ink_loud", "ink_medium", "soft", "link", "link_hover")
GROUNDS = ("ground", "surface", "raised", "selected", "quiet_ground")
PAIRS = [
    *((text, ground) for text in TEXTS for ground in GROUNDS),
    *((tone, f"{tone}_ground") for tone in ("good", "warn", "bad", "busy")),
    *((tone, ground) for tone in ("good", "warn", "bad", "busy") for ground in ("ground", "surface")),
    ("on_button", "button"),
    ("on_button", "button_hover"),
    ("on_button", "danger"),
    ("on_header", "header"),
]


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_on_its_ground_has_the_contrast_that_people_need(scheme: str) -> None:
    colours = palette()[scheme]
    poor = {pair: round(found, 2) for pair in PAIRS if (found := contrast(colours[pair[0]], colours[pair[1]])) < 4.5}
    assert poor == {}


def test_mails_know_every_colour_of_the_pages() -> None:
    declared = TOKENS.read_text().count("light-dark(#")
    assert len(palette()["light"]) == len(palette()["dark"]) == declared > 30
