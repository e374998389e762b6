"""Make public ids: a prefix that names the kind, then 26 time-ordered characters, so that an index lists newest
first."""

import secrets
import threading
import time
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """Return an id such as `acc_01k…`: 48 bits of milliseconds and 80 random bits, strictly increasing in a process."""
    global _last
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    with _lock:
        if value >> 80 <= _last >> 80:
            value = _last + 1 + secrets.randbits(32)
        _last = value
    return f"{prefix}_{encode_base32(value, 26)}"


def first_id(prefix: str, when: datetime) -> str:
    """Return the smallest id that an object made at this time can have."""
    return f"{prefix}_{encode_base32(max(0, int(when.timestamp() * 1000)) << 80, 26)}"


def encode_base32(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        value, rest = divmod(value, 32)
        digits.append(ALPHABET[rest])
    return "".join(reversed(digits))


def new_token() -> str:
    """Return a random token of 160 bits for a URL."""
    return encode_base32(secrets.randbits(160), 32)
