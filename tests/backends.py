"""Which tests of pages PostgreSQL and Redis need not run: those whose every statement others put to them.

    .venv/bin/python -m tests.backends

runs on SQLite what the two back ends share, notes each test's statements, and writes `one_backend.txt` anew. A test
that is not in the file, because it is new or was renamed, runs on both.
"""

import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.db.backends.utils import CursorWrapper

FILE = Path(__file__).with_name("one_backend.txt")
#: Tests of pages, words and protocols. What services do with a statement is their own, and so are locks.
ABOUT_PAGES = ("tests/api/", "tests/backoffice/", "tests/notifications/transports/", "tests/portal/")
#: What promises that nothing is lost or done twice: processes, ingest, jobs, deliveries.
ALWAYS_BOTH = (
    *("tests/accounts/core/", "tests/accounts/events/", "tests/e2e/", "tests/notifications/delivery/"),
    *("tests/webhooks/ingest/", "tests/webhooks/processing/", "tests/test_"),
)
_DATA = re.compile(r"\d+|\((?:%s(?:, )?)+\)(?:, \((?:%s(?:, )?)+\))*")

Statements = set[str]


@cache
def left_out() -> frozenset[str]:
    """The test functions of the file, by their node ids."""
    return frozenset(FILE.read_text().split()) if FILE.is_file() else frozenset()


def is_turn_of(item: pytest.Item, back_end: int) -> bool:
    """Whether a test that both back ends take is run on this one. Tests of `ALWAYS_BOTH` and of locks always are."""
    if item.nodeid.startswith(ALWAYS_BOTH) or "transactional_db" in getattr(item, "fixturenames", ()):
        return True
    return (crc32(item.nodeid.partition("[")[0].encode()) + back_end) % 2 == 0


class Recorder:
    """A plugin of pytest that notes the statements and the time of each test function."""

    def __init__(self) -> None:
        self.made: dict[str, Statements] = defaultdict(set)
        self.seconds: Counter[str] = Counter()
        self.fixed: set[str] = set()
        self._test = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test = item.nodeid.partition("[")[0]
        began = time.process_time()
        if not item.nodeid.startswith(ABOUT_PAGES) or "transactional_db" in getattr(item, "fixturenames", ()):
            self.fixed.add(self._test)
        result = yield
        self.seconds[self._test] += time.process_time() - began  # type: ignore[assignment]
        self._test = ""
        return result

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note what is asked of databases, and which kinds of use are made of the cache."""
        with pytest.MonkeyPatch.context() as patch:
            execute = self._noting(CursorWrapper.execute, lambda _, sql, given=(): shape(sql, given))
            patch.setattr(CursorWrapper, "execute", execute)
            for name in ("get", "set", "add", "touch", "delete", "incr", "get_many", "set_many", "delete_many"):
                used = self._noting(getattr(LocMemCache, name), lambda *_, of=name, **__: f"cache {of}")
                patch.setattr(LocMemCache, name, used)
            yield

    def _noting(self, method: Any, words: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if self._test:
                self.made[self._test].add(words(*args, **options))
            return method(*args, **options)

        return call


def shape(sql: Any, given: Any) -> str:
    """A statement without its data, but with what of its data databases take differently."""
    values = given.values() if isinstance(given, Mapping) else given or ()
    return _DATA.sub("?", str(sql)) + " ".join(sorted(set(filter(None, map(_oddity, values)))))


def _oddity(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= 2**31:
        return "large"
    if isinstance(value, str) and len(value) > 200:
        return "long"
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        return "unusual"
    return ""


def choose(made: Mapping[str, Statements], seconds: Mapping[str, float], fixed: Collection[str]) -> set[str]:
    """The fixed tests and the quickest others by which every statement is made."""
    chosen = set(fixed)
    needed = set().union(*made.values()).difference(*(made.get(test, ()) for test in chosen))

    def worth(test: str) -> float:
        return len(made[test] & needed) / (seconds[test] + 0.02)

    # A test's worth only falls as others are chosen: the heap's first is the best if it is worth as much now.
    heap = [(-worth(test), test) for test in made if test not in chosen]
    heapify(heap)
    while heap:
        before, test = heappop(heap)
        now = -worth(test)
        if now > before:
            heappush(heap, (now, test))
        elif now:
            needed -= made[test]
            chosen.add(test)
    return chosen


def main() -> int:
    FILE.unlink(missing_ok=True)
    os.environ |= {"DATABASE_URL": "", "REDIS_URL": "", "LEADLINE_DATABASE_TESTS_ONLY": "1"}
    recorder = Recorder()
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not fault and not browser"]
    with recorder.listening():
        code = pytest.main([*options, *sys.argv[1:]], [recorder])
    if not code:
        chosen = choose(recorder.made, recorder.seconds, recorder.fixed)
        tests = sorted(set(recorder.seconds) - chosen)
        FILE.write_text("".join(f"{test}\n" for test in tests))
        spared = sum(recorder.seconds[test] for test in tests)
        sys.stdout.write(
            f"{len(tests)} of {len(recorder.seconds)} test functions are left out,"
            f" {spared:.0f} of {recorder.seconds.total():.0f} s.\n"
        )
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
