"""`python examples/contract`: both peers, in an environment of their own, held to the contract; with a tool that works and one that fails.

Needs `quintet` in the Python that runs it, and once the network for the peers' packages (`examples/contract/.venv`). Ends with 0 whatever
the peers passed: what they passed is what this shows.
"""

import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
PYTHON = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin") / "python"
BROKEN = ("--text", "Look up something broken: {canary}")
# The chat's users; the AG-UI agent knows none.
CHAT = ("--user", "alice-example", "--other", "bob-example")
PEERS = (("agui_agent.py", "ag-ui", ()), ("socketio_chat.py", "socketio-chat", CHAT))
SECONDS = 30


def install() -> None:
    """The peers' packages, pinned."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)  # noqa: S603
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True, timeout=600)  # noqa: S603


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return int(plug.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def main() -> None:
    """Start each peer, hold it to the contract twice, end it."""
    install()
    for program, mapping, users in PEERS:
        port = free_port()
        peer = subprocess.Popen([str(PYTHON), str(HERE / program), str(port)], stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            wait_for(port)
            command = [
                sys.executable,
                "-m",
                "quintet",
                "contract",
                f"http://127.0.0.1:{port}",
                "--map",
                mapping,
                *users,
            ]
            for message in ((), BROKEN):
                subprocess.run([*command, *message], check=False, timeout=300)  # noqa: S603
        finally:
            peer.terminate()
            peer.wait(10)


if __name__ == "__main__":
    main()
