import logging
import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import CommandError

from config.bootstrap.supervisor import Child, Supervisor
from config.management.jsoncommand import ProcessCommand
from config.ops.purge import repeat_erasures
from config.processes import raise_file_limit, return_freed_memory
from webhooks.ingest.server_protocol import server_protocol

log = logging.getLogger("leadline")


class Command(ProcessCommand):
    help = "Run the web server: webhooks in, the REST API, the pages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument("--workers", type=int, default=1, help="processes that share the port (default 1)")
        parser.add_argument("--fd", type=int, help="serve this inherited socket")

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        fd = options["fd"]
        self.listener = bind(options["host"], options["port"]) if fd is None else socket.socket(fileno=fd)
        host, port, *_ = self.listener.getsockname()
        return {"process": "web", "pid": os.getpid(), "host": host, "port": port}

    def run_process(self, **options: Any) -> None:
        if options["fd"] is not None or options["workers"] == 1:
            return serve(self.listener)
        fd = self.listener.fileno()
        manage = [sys.executable, str(Path(settings.BASE_DIR, "manage.py")), "run_web", "--fd", str(fd)]
        names = [f"web {number}" for number in range(1, options["workers"] + 1)]
        sys.exit(Supervisor([Child(name, manage, pass_fds=(fd,)) for name in names]).run())


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        log.info("answering on %s", settings.PUBLIC_URL)


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises CommandError with advice if the port cannot be used."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno or 0).lower()
        raise CommandError(
            f"Port {port} of {host} cannot be used ({reason}). Stop what holds it, or choose another with --port."
        ) from None
    listener.listen(2048)
    return listener


def serve(listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM. Running requests then have 8 seconds to end."""
    config = uvicorn.Config(
        "config.asgi:application",
        loop="uvloop",
        http=server_protocol(),
        ws="none",
        lifespan="on",
        proxy_headers=False,  # the applications trust X-Forwarded-* only from TRUSTED_PROXIES
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=8,
        backlog=2048,
    )
    repeat_erasures()
    raise_file_limit()
    return_freed_memory()
    server = Server(config)
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)
