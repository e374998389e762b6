"""A hundred hostile connections to a web process on this machine, for a time: `python -m tests.e2e.hostile_clients`.

A program of its own, so that its work does not slow who measures. Each connection does one thing over and over, at most
twenty times a second, with a large body at most once, and connects again when it is thrown out. They come from a few
loopback addresses. At the end, or at SIGTERM, it prints as JSON how often each kind began and which answers it got.
"""

import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

PAUSE = 0.05  # seconds between two requests of a connection
LARGE_PAUSE = 1.0  # … where they are large
ADDRESSES = 5
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Attack:
    """Where to, and what came of it. `source`: the path of a We-Link source whose secret nobody here knows."""

    port: int
    source: str
    outcomes: Counter[str] = field(default_factory=Counter)

    async def slow_head(self, client: Client) -> None:
        """Send a head a few bytes at a time."""
        await self._send(client, f"POST {self.source} HTTP/1.1\r\nHost: x\r\n".encode())
        for number in range(600):
            await self._send(client, b"X-%d: a\r\n" % number)
            await asyncio.sleep(0.1)

    async def long_path(self, client: Client) -> None:
        """Ask for a path of 60 kB."""
        await self._send(client, b"GET /" + b"a=('" * 15_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await self._answer("long_path", client)

    async def forged_brackets(self, client: Client) -> None:
        """Post 1 MiB of empty arrays with a forged signature."""
        body = b'{"a":[' + b"[]," * 349_000 + b'[]],"hash":"' + b"a" * 64 + b'"}'
        head = f"POST {self.source} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        while True:
            await self._send(client, head + body)
            await self._answer("forged_brackets", client)
            await asyncio.sleep(LARGE_PAUSE)

    async def forged_flood(self, client: Client) -> None:
        """Post small bodies with a forged signature."""
        body = b'{"status":"SUCCESS","request_id":"r-1","hash":"' + b"a" * 64 + b'"}'
        head = f"POST {self.source} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        while True:
            await self._send(client, head + body)
            await self._answer("forged_flood", client)
            await asyncio.sleep(PAUSE)

    async def idle(self, client: Client) -> None:
        """Say nothing until the other side hangs up."""
        await client[0].read(1)

    async def half_form(self, client: Client) -> None:
        """Send most of a form."""
        head = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3100000\r\n\r\n"
        await self._send(client, head + b"x" * 2_900_000)
        await self._answer("half_form", client)
        await asyncio.sleep(LARGE_PAUSE)

    async def half_webhook(self, client: Client) -> None:
        """Send most of a webhook's body."""
        head = f"POST {self.source} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n".encode()
        await self._send(client, head + b" " * 900_000)
        await self._answer("half_webhook", client)
        await asyncio.sleep(LARGE_PAUSE)

    async def _send(self, client: Client, data: bytes) -> None:
        client[1].write(data)
        await client[1].drain()

    async def _answer(self, kind: str, client: Client) -> None:
        head = await client[0].readuntil(b"\r\n\r\n")
        self.outcomes[f"{kind} {head.split()[1].decode()}"] += 1
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        await client[0].readexactly(length)


async def repeat(attack: Attack, what: Callable[[Client], Awaitable[None]], address: str) -> None:
    while True:
        attack.outcomes[f"{what.__name__} began"] += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            client = await asyncio.open_connection("127.0.0.1", attack.port, local_addr=(address, 0))
            try:
                await what(client)
            finally:
                client[1].transport.abort()
        await asyncio.sleep(PAUSE)


async def run(port: int, source: str, seconds: float, connections: int) -> Counter[str]:
    attack = Attack(port, source)
    kinds = (
        *(attack.slow_head, attack.long_path, attack.forged_brackets, attack.forged_flood),
        *(attack.idle, attack.half_form, attack.half_webhook),
    )
    tasks = [
        asyncio.create_task(repeat(attack, kinds[number % len(kinds)], f"127.0.0.{2 + number % ADDRESSES}"))
        for number in range(connections)
    ]
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return attack.outcomes


if __name__ == "__main__":
    port, source, seconds, connections = sys.argv[1:]
    outcomes = asyncio.run(run(int(port), source, float(seconds), int(connections)))
    sys.stdout.write(json.dumps(dict(sorted(outcomes.items()))) + "\n")
