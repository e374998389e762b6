"""Run every benchmark beside its yardstick, for `make bench`. Figures are written to var/bench/*.json."""

import subprocess
import sys

from benchmarks.figures import FIGURES_FOLDER
from tests import servers

#: Benchmark --> whether it needs PostgreSQL and Redis.
BENCHMARKS = {
    "ingest": True,
    "delivery": True,
    "pipeline": False,
    "readiness": False,
    "retention": True,
    "sequences": False,
    "search": False,
    "pages": True,
    "desk": True,
    "hostile": True,
}


def main(chosen: list[str]) -> int:
    FIGURES_FOLDER.mkdir(parents=True, exist_ok=True)
    reason = servers.missing()
    failed = []
    for name, needs_servers in BENCHMARKS.items():
        if chosen and name not in chosen:
            continue
        print(f"\n=== {name} ===", flush=True)
        if needs_servers and reason:
            print(f"Skipped: {reason}.")
        elif subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode:
            failed.append(name)
    print(f"\nThe figures are in {FIGURES_FOLDER}.")
    if failed:
        print(f"Below their bar, or broken: {', '.join(failed)}.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
