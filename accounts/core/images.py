"""Check images that people upload: PNG, JPEG and WebP, by their bytes alone. Pure: nothing is decoded."""

import struct
import zlib
from dataclasses import dataclass

MAX_BYTES = 256 * 1024
MIN_SIDE, MAX_SIDE = 16, 2000
PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
_PNG_START = b"\x89PNG\r\n\x1a\n"
#: The markers of JPEG that hold the size: start of frame, but not the tables that share their range.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


class NotAnImage(ValueError):
    """Bytes that are no image which is accepted. The message says why, for people."""


@dataclass(frozen=True, slots=True)
class Image:
    content_type: str
    width: int
    height: int


def read_image(content: bytes) -> Image:
    """Return what an image is, from its first to its last byte. Raises NotAnImage."""
    if len(content) > MAX_BYTES:
        raise NotAnImage(f"The file is larger than {MAX_BYTES // 1024} KB.")
    try:
        image = _read(content)
    except (struct.error, IndexError):
        raise NotAnImage("The image is damaged or incomplete.") from None
    if not (MIN_SIDE <= image.width <= MAX_SIDE and MIN_SIDE <= image.height <= MAX_SIDE):
        raise NotAnImage(f"Each side of the image has to have between {MIN_SIDE} and {MAX_SIDE} pixels.")
    return image


def _read(content: bytes) -> Image:
    if content.startswith(_PNG_START):
        return _read_png(content)
    if content.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _read_webp(content)
    raise NotAnImage("Only PNG, JPEG and WebP images are accepted.")


def _read_png(content: bytes) -> Image:
    """Read every chunk with its check sum, up to the end of the image, which is the end of the file."""
    place, size, data = len(_PNG_START), (0, 0), False
    while True:
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        body = content[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack(">I", content[place + 8 + length : place + 12 + length])
        if zlib.crc32(kind + body) != checksum:
            raise NotAnImage("The image is damaged or incomplete.")
        if place == len(_PNG_START):
            if kind != b"IHDR" or length != 13:
                raise NotAnImage("The image is damaged or incomplete.")
            size = struct.unpack(">II", body[:8])
        if kind == b"acTL":
            raise NotAnImage("Moving images are not accepted.")
        data = data or kind == b"IDAT"
        place += 12 + length
        if kind == b"IEND":
            break
    if place != len(content) or not data:
        raise NotAnImage("The image is damaged or incomplete.")
    return Image(PNG, *size)


def _read_jpeg(content: bytes) -> Image:
    """Read the segments up to the image's data, which ends with the file."""
    place, size = 2, (0, 0)
    while True:
        if content[place] != 0xFF:
            raise NotAnImage("The image is damaged or incomplete.")
        marker = content[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker in _JPEG_ALONE:
            place += 2
            continue
        (length,) = struct.unpack(">H", content[place + 2 : place + 4])
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            size = (width, height)
        place += 2 + length
        if marker == 0xDA:
            break
    if length < 2 or place >= len(content) or not content.endswith(b"\xff\xd9"):
        raise NotAnImage("The image is damaged or incomplete.")
    return Image(JPEG, *size)


def _read_webp(content: bytes) -> Image:
    """Read the first chunk, which has the size. The length in the header is that of the file."""
    (length,) = struct.unpack("<I", content[4:8])
    if length + 8 != len(content):
        raise NotAnImage("The image is damaged or incomplete.")
    kind, body = content[12:16], content[20:30]
    if kind == b"VP8X":
        if body[0] & 0x02:
            raise NotAnImage("Moving images are not accepted.")
        return Image(WEBP, int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
    if kind == b"VP8L" and body[0] == 0x2F:
        (bits,) = struct.unpack("<I", body[1:5])
        return Image(WEBP, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return Image(WEBP, width & 0x3FFF, height & 0x3FFF)
    raise NotAnImage("The image is damaged or incomplete.")
