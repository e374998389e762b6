"""Images for tests, made by hand."""

import struct
import zlib


def tiny_png(width: int = 64, height: int = 32, *more: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of one colour; `more` are chunks before its data."""
    rows = zlib.compress(b"".join(b"\0" + b"\x0b\x5f\x5a" * width for _ in range(height)))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), *more, (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def tiny_jpeg(width: int = 64, height: int = 32) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9) + frame + b"\xff\xda\x00\x02data\xff\xd9"


def tiny_webp(kind: bytes, body: bytes) -> bytes:
    content = b"WEBP" + kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(content)) + content
