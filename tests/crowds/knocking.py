"""A process that signs in many times at once: `python tests/crowds/knocking.py`. One line of JSON in, `{"port", "count", "body"}`, one out: how often
each status came, how many refusals named no time to come back, and the seconds it took."""

import asyncio
import json
import sys
import time
from collections import Counter


async def _knock(port: int, request: bytes) -> tuple[int, bool]:
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        head = (await reader.read()).partition(b"\r\n\r\n")[0].lower()
        writer.close()
        await writer.wait_closed()
    status = int(head.split(b" ", 2)[1])
    return status, status == 503 and b"\r\nretry-after: " not in head


async def _all(port: int, count: int, body: str) -> dict[str, object]:
    head = f"POST /v1/auth/login HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
    begun = time.perf_counter()
    answers = await asyncio.gather(*(_knock(port, request) for _ in range(count)))
    return {
        "statuses": Counter(status for status, _ in answers),
        "without_a_time": sum(without for _, without in answers),
        "seconds": time.perf_counter() - begun,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_all(**json.loads(sys.stdin.readline())))) + "\n")
