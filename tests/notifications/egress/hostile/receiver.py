"""A receiver that does everything wrong: `python -m tests.notifications.egress.hostile.receiver FOLDER` says where,
as JSON.

Each path is a way to misbehave, each TLS port a bad handshake, and a name server gives another address every time it is
asked. `GET /report` counts the whole requests that each path got; `inside` is where redirects and names try to lead.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.notifications.egress.hostile.certificates import servers

Writer = asyncio.StreamWriter
MEBIBYTE = b"x" * 1_048_576
requests: Counter[str] = Counter()
inside = 0


async def hang(writer: Writer) -> None:
    await asyncio.sleep(3600)


async def drip_head(writer: Writer) -> None:
    await _drip(writer, b"HTTP/1.1 200 OK\r\nX-Drip: " + b"d" * 4000)


async def drip_body(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 500 Slow\r\nContent-Length: 4000\r\n\r\n")
    await _drip(writer, b"d" * 4000)


async def gibibyte(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 500 Flood\r\nContent-Length: 1073741824\r\n\r\n")
    for _ in range(1024):
        writer.write(MEBIBYTE)
        await writer.drain()


async def five_megabytes_of_headers(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(5):
        writer.write(b"X-Much: " + b"y" * 1_000_000 + b"\r\n")
        await writer.drain()
    writer.write(b"Content-Length: 0\r\n\r\n")


async def redirect_inside(writer: Writer) -> None:
    turn = requests["redirect_inside"] % 3
    where = ("http://169.254.169.254/latest/meta-data/", f"http://127.0.0.1:{inside}/", f"http://[::1]:{inside}/")[turn]
    _answer(writer, (301, 302, 307)[turn], f"Location: {where}\r\n")


async def reset(writer: Writer) -> None:
    writer.transport.abort()


async def recover(writer: Writer) -> None:
    _answer(writer, 500 if requests["recover"] <= 3 else 200)


async def too_many(writer: Writer) -> None:
    _answer(writer, 429, "Retry-After: 120\r\n")


async def gone(writer: Writer) -> None:
    _answer(writer, 410)


async def close_in_the_head(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")


async def close_in_the_body(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf")


async def no_http(writer: Writer) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")


async def rebind(writer: Writer) -> None:
    _answer(writer, 500)


ATTACKS: dict[str, Callable[[Writer], Awaitable[None]]] = {
    attack.__name__: attack  # type: ignore[attr-defined]
    for attack in (
        hang,
        drip_head,
        drip_body,
        gibibyte,
        five_megabytes_of_headers,
        redirect_inside,
        reset,
        recover,
        too_many,
        gone,
        close_in_the_head,
        close_in_the_body,
        no_http,
        rebind,
    )
}


async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
    """One request a connection."""
    with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next((int(line[15:]) for line in head.splitlines() if line.startswith("content-length:")), 0)
        await reader.readexactly(length)
        path = head.split(" ")[1].strip("/")
        if path == "report":
            _answer(writer, 200, "", json.dumps(requests))
        else:
            requests[path] += 1
            await ATTACKS[path](writer)
        await writer.drain()
    writer.close()


async def count_inside(reader: asyncio.StreamReader, writer: Writer) -> None:
    requests["inside"] += 1
    writer.close()


class NameServer(asyncio.DatagramProtocol):
    """For `rebind.…` 127.0.0.1 and 127.0.0.2 in turn, valid for no time at all; for `silent.…` nothing."""

    def __init__(self) -> None:
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if b"\x06silent" in data:
            return
        question = data[12 : data.index(b"\0", 12) + 5]
        self.asked += 1
        last = bytes([1 if self.asked % 2 else 2])
        head = data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0" + last
        self.transport.sendto(head + question + answer, address)


def _answer(writer: Writer, status: int, headers: str = "", body: str = "no") -> None:
    writer.write(
        f"HTTP/1.1 {status} Answer\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()
    )


async def _drip(writer: Writer, data: bytes) -> None:
    """A byte a second."""
    for byte in data:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def main(folder: Path) -> None:
    global inside
    contexts = {"http": None, **servers(folder)}
    listening = {
        name: await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=512)
        for name, context in contexts.items()
    }
    ports = {name: server.sockets[0].getsockname()[1] for name, server in listening.items()}
    within = await asyncio.start_server(count_inside, "127.0.0.1", 0)
    inside = ports["inside"] = within.sockets[0].getsockname()[1]
    # Where the name server leads the second time: the same port, an address that must not be reached.
    beside = await asyncio.start_server(count_inside, "127.0.0.2", ports["http"])
    names, _ = await asyncio.get_running_loop().create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    ports["dns"] = names.get_extra_info("sockname")[1]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    async with within, beside:
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(Path(sys.argv[1])))
