"""A mail server on a real socket that takes every mail and keeps its envelope and its text."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Taken:
    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    text: str = ""


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        mail = Taken()
        self.say("220 ready")
        while line := self.rfile.readline().decode("ascii", "replace").rstrip("\r\n"):
            match line.partition(":")[0].split()[0].upper():
                case "MAIL":
                    mail = Taken(sender=between(line))
                case "RCPT":
                    mail.recipients.append(between(line))
                case "DATA":
                    self.say("354 go on")
                    lines = iter(lambda: self.rfile.readline().decode("utf-8", "replace"), ".\r\n")
                    mail.text = "".join(lines)
                    self.server.taken.append(mail)  # type: ignore[attr-defined]
                case "QUIT":
                    self.say("221 bye")
                    return
            self.say("250 ok")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def between(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


@contextmanager
def smtp_server() -> Iterator[tuple[int, list[Taken]]]:
    """Yield its port, and what it has taken so far."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Conversation) as server:
        server.daemon_threads = True
        taken: Any = []
        server.taken = taken  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], taken
        server.shutdown()
