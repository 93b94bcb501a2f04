"""Run the mail server as a process: `python -m quintet.testing.mail --folder DIR [--port N | --fd N]`."""

import argparse
import asyncio
import socket
from pathlib import Path

from quintet.testing.mail.server import listen


async def _serve(folder: Path, port: int, fd: int | None) -> None:
    server = await listen(folder, port, None if fd is None else socket.socket(fileno=fd))
    print(f"listening on port {server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201 - who started it waits for this
    await server.serve_forever()


def main() -> None:
    """Until it is ended."""
    parser = argparse.ArgumentParser(prog="quintet.testing.mail")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fd", type=int)
    told = parser.parse_args()
    asyncio.run(_serve(told.folder, told.port, told.fd))


if __name__ == "__main__":
    main()
