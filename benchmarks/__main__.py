"""`make bench`: every benchmark beside its yardstick, in turn; figures go to var/bench/*.json."""

import subprocess
import sys

from benchmarks.figures import BENCH
from tests import servers

#: Each, and whether it needs PostgreSQL and Redis.
BENCHMARKS = {
    "ingest": True,
    "delivery": True,
    "pipeline": False,
    "readiness": False,
    "retention": True,
    "search": False,
    "hostile": True,
}


def main(chosen: list[str]) -> int:
    BENCH.mkdir(parents=True, exist_ok=True)
    absent = servers.missing()
    failed = []
    for name, needs_servers in BENCHMARKS.items():
        if chosen and name not in chosen:
            continue
        print(f"\n=== {name} ===", flush=True)
        if needs_servers and absent:
            print(f"Skipped: {absent}.")
        elif subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode:
            failed.append(name)
    print(f"\nThe figures are in {BENCH}.")
    if failed:
        print(f"Below their bar, or broken: {', '.join(failed)}.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
