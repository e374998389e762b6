"""Run one stand-in until its standard input ends."""

import sys
import threading
from http.server import ThreadingHTTPServer

from config.demo.crm_api.highlevel import HighLevelWorld
from config.demo.crm_api.hubspot import HubSpotWorld
from config.demo.crm_api.server import handler_for

WORLDS = {"highlevel": HighLevelWorld, "hubspot": HubSpotWorld}


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(WORLDS[sys.argv[1]]()))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
