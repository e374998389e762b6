"""Generate load on machines without a C compiler: the same arguments and output as load.c, but slower."""

import asyncio
import json
import struct
import sys
import time
from pathlib import Path

from benchmarks.figures import percentile


class LoadGenerator:
    def __init__(self, port: int, seconds: float, requests: memoryview) -> None:
        self.port = port
        self.requests = requests
        self.stop = time.monotonic() + seconds
        self.latencies: list[float] = []
        self.accepted = self.refused = self.errors = 0
        self.ended = time.monotonic()

    def next_request(self) -> memoryview | None:
        if not self.requests or time.monotonic() >= self.stop:
            return None
        (length,) = struct.unpack_from("<I", self.requests)
        found, self.requests = self.requests[4 : 4 + length], self.requests[4 + length :]
        return found

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while request := self.next_request():
            began = time.monotonic()
            try:
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
            except (OSError, EOFError):
                self.errors += 1
                return
            self.ended = time.monotonic()
            self.latencies.append(self.ended - began)
            self.refused += not head.startswith(b"http/1.1 2")
            self.accepted += b'"accepted"' in body
            if b"\r\nconnection: close\r\n" in head:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()


async def main(port: int, connections: int, seconds: float, file: Path) -> None:
    began = time.monotonic()
    load = LoadGenerator(port, seconds, memoryview(file.read_bytes()))
    await asyncio.gather(*(load.run() for _ in range(connections)))
    found = {
        "answers": len(load.latencies),
        "accepted": load.accepted,
        "refused": load.refused,
        "errors": load.errors,
        "seconds": load.ended - began,
        "p50": percentile(load.latencies or [0.0], 0.5),
        "p99": percentile(load.latencies or [0.0], 0.99),
        "ran_out": not load.requests,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    import uvloop

    uvloop.install()
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])))
