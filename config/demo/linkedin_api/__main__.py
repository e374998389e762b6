"""Serve the stand-in and print its address: `python -m config.demo.linkedin_api [--port N] [--client-id …] …`."""

import argparse
import os
import sys
import threading

from config.demo.linkedin_api.server import serving
from config.demo.linkedin_api.world import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.demo.linkedin_api")
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free one")
    parser.add_argument("--client-id", default="standin-client")
    parser.add_argument("--client-secret", default="li-client-secret-example")
    options = parser.parse_args()
    world = World(client_id=options.client_id, client_secret=options.client_secret)
    with serving(world, port=options.port) as stand_in:
        sys.stdout.write(f"{stand_in.base}\n")
        sys.stdout.flush()
        threading.Thread(target=end_with_parent, daemon=True).start()
        threading.Event().wait()


def end_with_parent() -> None:
    """Exit when standard input closes, because the process that started this one holds it. Ignore a terminal."""
    if not sys.stdin.isatty():
        sys.stdin.read()
        os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
