"""Who says nothing, or says it slowly? Connections that hold a server's places, until this is ended.

python benchmarks/silent.py PORT    prints "ready" once all of them are open
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

SILENT, SLOW_HEADS, SLOW_BODIES, ENDLESS_HEADS = 1_100, 50, 50, 10
PAUSE_SECONDS = 0.5
HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
BODY = (
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
)


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def slow_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"X-A: ")
    await _drip(reader, writer)


async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(BODY)
    await _drip(reader, writer)


async def endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Header after header, as fast as they are taken; begun anew every half second."""
    writer.write(HEAD)
    answer = asyncio.create_task(_read(reader))
    while not answer.done():
        writer.write(b"X-A: b\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0)
    await asyncio.sleep(PAUSE_SECONDS)


async def _read(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        await reader.read()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answer = asyncio.create_task(_read(reader))
    while not answer.done():
        writer.write(b"x")
        await asyncio.wait([answer], timeout=PAUSE_SECONDS)


async def again_and_again(kind, port: int, opened: asyncio.Semaphore) -> None:  # type: ignore[no-untyped-def]
    is_first = True
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            if is_first:
                opened.release()
                is_first = False
            try:
                await kind(reader, writer)
            finally:
                writer.close()
        await asyncio.sleep(0.01)


async def main(port: int) -> None:
    kinds = [silent] * SILENT + [slow_head] * SLOW_HEADS + [slow_body] * SLOW_BODIES
    kinds += [endless_head] * ENDLESS_HEADS
    opened = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(again_and_again(kind, port, opened)) for kind in kinds]
    for _ in tasks:
        await opened.acquire()
    print("ready", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
