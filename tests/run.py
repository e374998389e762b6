"""`make test`: the suite on SQLite with the embedded broker and, where both answer, on PostgreSQL with Redis, side by
side.

What touches neither a database nor a broker runs once, and so does what is marked `one_backend` or stands in
`one_backend.txt`; of what is marked `once`, whose many cases look alike to a database, PostgreSQL gets the first. Tests
of ingest, jobs, deliveries, locks and whole processes run on both, and so do the other tests of services and pages. On
a machine so slow that the migrations of SQLite take more than `SLOW_MIGRATIONS` those others run on one of the two,
which one by the commit, or CI would not end in time; with LEADLINE_BOTH (`make test-both`) they run on both all the
same. Each suite migrates one database, which its workers copy. With arguments for pytest the two run one after the
other: faults and browsers want the machine for themselves. With LEADLINE_COVERAGE (`make coverage`) the branches are
noted that the tests' own processes take.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import servers
from tests.e2e import figures

ROOT = Path(__file__).parents[1]
SUITE = ["-m", "not fault and not browser"]
SLOW_MIGRATIONS = 10.0  # seconds of processor time; a machine of the usual speed takes 5


@dataclass
class Suite:
    name: str
    environment: dict[str, str]
    output: Path

    def start(self, workers: int, options: list[str]) -> subprocess.Popen[bytes]:
        measured = ["-m", "coverage", "run"] if os.environ.get("LEADLINE_COVERAGE") else []
        command = [sys.executable, *measured, "-m", "pytest", "-q", "-n", str(workers)]
        command += ["-o", "cache_dir=var/cache/pytest", *options]
        settings = {**compiling(), **self.environment}
        with self.output.open("wb") as output:
            return subprocess.Popen(command, cwd=ROOT, env=settings, stdout=output, stderr=subprocess.STDOUT)

    def relay_output(self, process: subprocess.Popen[bytes]) -> tuple[int, str]:
        """Pass its output on until it ends; its exit code and its closing line."""
        say(f"\n--- {self.name} ---")
        with self.output.open("rb") as output:
            over = False
            while chunk := output.read() or not over:
                if isinstance(chunk, bytes):
                    sys.stdout.buffer.write(chunk)
                    sys.stdout.flush()
                else:
                    over = process.poll() is not None
                    time.sleep(0.1)
        return process.wait(), self.output.read_text(errors="replace").strip().rpartition("\n")[2]


def main(arguments: list[str]) -> int:
    absent = servers.missing()
    if "fault" in arguments:
        figures.remove_rows()
    with ExitStack() as stack:
        suites = [stack.enter_context(embedded())] + ([] if absent else [stack.enter_context(with_servers())])
        migrations = [migrate(suite) for suite in suites]
        if not any(Path(__file__).parent.glob("__pycache__/*-pytest-*.pyc")):
            rewrite_assertions(suites[0])
        results = [wait_with_usage(process) for process in migrations]
        if any(code for code, _ in results):
            return 1
        if arguments:
            closing = {suite.name: suite.relay_output(suite.start(3, arguments)) for suite in suites}
        else:
            is_slow = results[0][1] > SLOW_MIGRATIONS
            if len(suites) == 2 and is_slow and not os.environ.get("LEADLINE_BOTH"):
                os.environ["LEADLINE_TURN"] = turn()
            processes = [suite.start(2, SUITE) for suite in suites]
            closing = {
                suite.name: suite.relay_output(process) for suite, process in zip(suites, processes, strict=True)
            }
    if "fault" in arguments and (table := figures.table()):
        say(f"\n{table}")
        figures.write_page()
    return report(closing, absent)


@contextmanager
def embedded() -> Iterator[Suite]:
    with tempfile.TemporaryDirectory(prefix="leadline-test-") as scratch:
        environment = {
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "LEADLINE_TEST_SCRATCH": scratch,
            "LEADLINE_TEST_TEMPLATE": f"{scratch}/template.sqlite3",
        }
        yield Suite("SQLite and the embedded broker", environment, Path(scratch, "output"))


@contextmanager
def with_servers() -> Iterator[Suite]:
    prefix = f"leadline-test-{secrets.token_hex(4)}"
    database = prefix.replace("-", "_")
    with tempfile.TemporaryDirectory(prefix="leadline-test-") as scratch, servers.database(f"{database}_template"):
        environment = {
            "DATABASE_URL": servers.DATABASE_URL,
            "REDIS_URL": servers.REDIS_URL,
            "REDIS_KEY_PREFIX": prefix,
            "LEADLINE_TEST_SCRATCH": scratch,
            "LEADLINE_TEST_DATABASE": database,
            "LEADLINE_TEST_TEMPLATE": f"{database}_template",
            "LEADLINE_DATABASE_TESTS_ONLY": "1",
        }
        try:
            yield Suite("PostgreSQL and Redis", environment, Path(scratch, "output"))
        finally:
            servers.forget_keys(prefix)


def turn() -> str:
    """1 or 2, by the commit: which back end runs which of the tests that both take."""
    command = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return str(1 + int(commit[:1] or "0", 16) % 2)


def rewrite_assertions(suite: Suite) -> None:
    """In a fresh clone let one process do it while the databases are migrated, or each worker would for itself. What
    cannot be collected they report."""
    with suite.start(0, ["--collect-only"]):
        pass


def compiling() -> dict[str, str]:
    """Our environment, but modules are kept compiled: dozens of processes would compile the product each."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def migrate(suite: Suite) -> subprocess.Popen[bytes]:
    template = suite.environment["LEADLINE_TEST_TEMPLATE"]
    url = servers.url_of(template) if suite.environment["DATABASE_URL"] else f"sqlite:///{template}"
    settings = {**compiling(), **suite.environment, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=settings)


def wait_with_usage(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """The exit code of the process, and the seconds of processor time that it took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def report(closing: dict[str, tuple[int, str]], absent: str) -> int:
    say("\nThe suite ran on:")
    for name, (code, line) in closing.items():
        say(f"  {name}: {line}" + (f" (exit code {code})" if code else ""))
    failed = any(code for code, _ in closing.values())
    if os.environ.get("LEADLINE_TURN"):
        say("  each taking its turn of the tests of services and pages, because this machine is slow;")
        say("  `make test-both` runs all of them on both.")
    if absent:
        say(f"  not on PostgreSQL and Redis: {absent}.")
        failed = failed or os.environ.get("CI") == "true"
    return int(failed)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
