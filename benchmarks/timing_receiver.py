"""Receive webhooks for `benchmarks.pipeline`, in a process of its own: answer each POST with 200 and note when it came.

A GET returns the times, by the account's e-mail address. Times are those of the monotonic clock, which all processes
share. Print the port.
"""

import asyncio
import json
import re
import time

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Receiver(asyncio.Protocol):
    came: list[tuple[float, bytes]] = []

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
            body = b"ok"
            if self._got.startswith(b"GET"):
                body = json.dumps(self.times()).encode()
            else:
                self.came.append((time.monotonic(), self._got[end + 4 : whole]))
            self._got = self._got[whole:]
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def times(self) -> dict[str, float]:
        """Return when each account's first webhook came."""
        return {json.loads(body).get("linkedin_account_email", ""): at for at, body in reversed(self.came)}


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
