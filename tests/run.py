"""`make test`: the suite on SQLite with the embedded broker, then on PostgreSQL with Redis where both answer.

What touches neither a database nor a broker runs once.
"""

import os
import secrets
import subprocess
import sys
import tempfile

from tests import servers

EMBEDDED, SERVERS = "SQLite and the embedded broker", "PostgreSQL and Redis"


def main(arguments: list[str]) -> int:
    options = arguments or ["-m", "not fault and not browser"]
    closing = {EMBEDDED: suite(EMBEDDED, {"DATABASE_URL": "", "REDIS_URL": ""}, options)}
    absent = servers.missing()
    if not absent:
        prefix = f"leadline-test-{secrets.token_hex(4)}"
        environment = {
            "DATABASE_URL": servers.DATABASE_URL,
            "REDIS_URL": servers.REDIS_URL,
            "REDIS_KEY_PREFIX": prefix,
            "LEADLINE_TEST_DATABASE": prefix.replace("-", "_"),
            "LEADLINE_DATABASE_TESTS_ONLY": "1",
        }
        try:
            closing[SERVERS] = suite(SERVERS, environment, options)
        finally:
            servers.forget_keys(prefix)
    return report(closing, absent)


def suite(name: str, environment: dict[str, str], options: list[str]) -> tuple[int, str]:
    """Run pytest and pass its output on; the exit code and its closing line."""
    say(f"\n--- {name} ---")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "3",  # on two cores: some tests wait for processes and sockets
        "--dist",
        "loadgroup",
        "-o",
        "cache_dir=var/cache/pytest",
    ]
    output = b""
    with tempfile.TemporaryDirectory(prefix="leadline-test-") as scratch:
        settings = {**os.environ, **environment, "LEADLINE_TEST_SCRATCH": scratch}
        settings.pop("PYTHONDONTWRITEBYTECODE", None)  # dozens of processes would compile the product each
        with subprocess.Popen([*command, *options], env=settings, stdout=subprocess.PIPE) as process:
            while process.stdout and (chunk := os.read(process.stdout.fileno(), 65536)):
                sys.stdout.buffer.write(chunk)
                sys.stdout.flush()
                output = (output + chunk)[-4096:]
    return process.returncode, output.decode(errors="replace").strip().rpartition("\n")[2]


def report(closing: dict[str, tuple[int, str]], absent: str) -> int:
    say("\nThe suite ran on:")
    for name, (code, line) in closing.items():
        say(f"  {name}: {line}" + (f" (exit code {code})" if code else ""))
    failed = any(code for code, _ in closing.values())
    if absent:
        say(f"  not on {SERVERS}: {absent}.")
        failed = failed or os.environ.get("CI") == "true"
    return int(failed)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
