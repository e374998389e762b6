"""Receive webhooks for `benchmarks.delivery`: answer every POST with 200, or (`hang`) none. Print the port."""

import asyncio
import re
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Receiver(asyncio.Protocol):
    hang = "hang" in sys.argv

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._got = b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._got, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._got) < whole:
                return
            self._got = self._got[whole:]
            if not self.hang:
                self._transport.write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
