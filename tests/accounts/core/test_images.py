"""What people upload as a logo is an image from its first to its last byte, or is refused."""

import struct

import pytest

from accounts.core.colours import BLACK, TEXT_CONTRAST, WHITE, contrast, edge_between, readable_on
from accounts.core.images import MAX_BYTES, Image, NotAnImage, read_image
from tests.images import tiny_jpeg, tiny_png, tiny_webp

LOSSY = tiny_webp(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 64, 32))
LOSSLESS = tiny_webp(b"VP8L", b"\x2f" + struct.pack("<I", 63 | 31 << 14) + bytes(5))
EXTENDED = tiny_webp(b"VP8X", bytes(4) + (63).to_bytes(3, "little") + (31).to_bytes(3, "little"))
MOVING = tiny_webp(b"VP8X", b"\x02" + bytes(3) + (63).to_bytes(3, "little") + (31).to_bytes(3, "little"))


def test_a_png_a_jpeg_and_every_kind_of_webp_are_read() -> None:
    assert [read_image(content) for content in (tiny_png(), tiny_jpeg(), LOSSY, LOSSLESS, EXTENDED)] == [
        Image("image/png", 64, 32),
        Image("image/jpeg", 64, 32),
        *[Image("image/webp", 64, 32)] * 3,
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Only PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "Only PNG"),
        (b"GIF89a" + bytes(100), "Only PNG"),
        (tiny_png()[:-6], "damaged"),
        (tiny_png() + b"<script>alert(1)</script>", "damaged"),
        (tiny_png().replace(b"IDAT", b"IDAX"), "damaged"),
        (tiny_png(64, 32, (b"acTL", bytes(8))), "Moving"),
        (tiny_jpeg()[:-2], "damaged"),
        (tiny_jpeg()[:10], "damaged"),
        (LOSSY + b"x", "damaged"),
        (MOVING, "Moving"),
        (tiny_webp(b"ALPH", bytes(10)), "damaged"),
        (tiny_png(8, 32), "Each side"),
        (tiny_jpeg(5000, 32), "Each side"),
        (bytes(MAX_BYTES + 1), "larger than 256 KB"),
    ],
)
def test_what_is_no_such_image_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(NotAnImage, match=why):
        read_image(content)


def test_every_text_on_every_colour_can_be_read() -> None:
    shades = range(0, 256, 15)
    colours = [f"#{red:02x}{green:02x}{blue:02x}" for red in shades for green in shades for blue in shades]
    assert min(contrast(colour, readable_on(colour)) for colour in colours) >= TEXT_CONTRAST
    assert min(contrast(edge_between(colour, ground), ground) for colour in colours for ground in (WHITE, BLACK)) >= 3
    assert (readable_on("#0b5f5a"), readable_on("#ffdd00")) == (WHITE, BLACK)
