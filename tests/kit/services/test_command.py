"""A server of the user's own: what ready means, and what is said when it is not."""

import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quintet.testing.config import Ready
from quintet.testing.services.command import CommandService
from quintet.testing.services.handle import ServiceError

pytestmark = pytest.mark.l3
SERVER = """
import http.server, os, socket, sys
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0
    def do_GET(self):
        Answer.asked += 1
        if self.headers.get("Upgrade"):
            self.send_response(101 if self.path == "/ws" else 404)
        else:
            self.send_response(503 if Answer.asked < 3 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, form, *words):
        print("asked", form % words, flush=True)
where = sys.argv[1]
if where.startswith("fd"):
    server = http.server.HTTPServer(("127.0.0.1", 0), Answer, bind_and_activate=False)
    server.socket = socket.socket(fileno=int(where[2:]))
else:
    server = http.server.HTTPServer(("127.0.0.1", int(where)), Answer)
print("startup complete", os.environ.get("COLOUR"), flush=True)
server.serve_forever()
"""
Make = Callable[..., CommandService]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes services of a text as a Python program; all are ended with the test."""
    made: list[CommandService] = []

    def one(text: str, *words: str, **ready: str | float) -> CommandService:
        service = CommandService(
            "api",
            tmp_path / "api",
            ["{python}", "-c", text, *words],
            ready=Ready(**ready),  # type: ignore[arg-type]
            cwd=tmp_path,
            env=lambda own: {"COLOUR": "blue", "PORT": str(own.port)},
        )
        made.append(service)
        return service

    yield one
    for service in made:
        service.end()


@pytest.mark.parametrize("where", ["{port}", "fd{fd}"])
def test_all_evidence(make: Make, where: str) -> None:
    """Ready means the log line, then a good answer (503 is none), then a socket; a restart keeps the address; the log is readable."""
    api = make(SERVER, where, http="/health", socket="/ws", log="startup complete blue", within=20)
    api.start()
    with urllib.request.urlopen(f"{api.url}/later", timeout=5) as answer:
        assert answer.status == 200
    assert api.logged().count("asked") >= 5, api.logged()
    before, size, pid = api.url, api.log_size(), api.pid
    api.restart()
    assert api.url == before
    assert api.pid not in {None, pid}
    assert "startup complete" in api.logged(size)
    assert "startup complete" in api.tail(1000)


@pytest.mark.parametrize("where", ["{port}", "fd{fd}"])
def test_kill(make: Make, where: str) -> None:
    """A killed service refuses connections, and is there again at its address after a restart."""
    api = make(SERVER, where)
    api.start()
    api.kill()
    assert api.pid is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((api.host, api.port), 5)
    api.restart()
    socket.create_connection((api.host, api.port), 5).close()


@pytest.mark.parametrize(
    ("ready", "words"),
    [
        ({"http": "/health"}, r"GET http://127.0.0.1:\d+/health to answer 2xx or 3xx; last seen: status 503"),
        ({"socket": "/other"}, r"ws://127.0.0.1:\d+/other to accept a socket; last seen: status 404"),
        ({"log": "never said"}, r"'never said' in its log; last seen: not there"),
    ],
)
def test_not_ready(make: Make, ready: dict[str, str], words: str) -> None:
    """When the deadline passes, the error says who waited for what, what was seen, and what the service said last."""
    api = make(SERVER.replace("asked < 3", "asked < 300"), "{port}", **ready, within=1.0)
    with pytest.raises(
        ServiceError, match=rf"starting api: waited 1 s for {words}\n--- api's log, .*(\n.*)*startup complete"
    ):
        api.start()


def test_slow_answers(make: Make) -> None:
    """A server that answers wrongly, and slowly, is told by its answer, not by the last look that found too little time."""
    slow = SERVER.replace("Answer.asked += 1", "__import__('time').sleep(0.2)").replace("asked < 3", "asked < 300")
    api = make(slow, "{port}", http="/health", within=1.5)
    with pytest.raises(ServiceError, match=r"waited 1.5 s for GET .* last seen: status 503"):
        api.start()


def test_silent_port(make: Make) -> None:
    """A server that accepts and never answers does not outlast the deadline."""
    api = make(
        "import socket, time; s = socket.socket(fileno=int(__import__('sys').argv[1])); time.sleep(300)",
        "{fd}",
        http="/",
        within=0.5,
    )
    with pytest.raises(ServiceError, match=r"waited 0.5 s for GET .* last seen: timed out"):
        api.start()


def test_it_died(make: Make) -> None:
    """A service that ends while it starts is told at once, with its exit code and its traceback."""
    api = make("import no_such_module", within=60)
    with pytest.raises(
        ServiceError,
        match=r"it ended with exit code 1 while the test run waited for .*\n(.*\n)*.*No module named 'no_such_module'",
    ):
        api.start()


def test_port_taken(make: Make, tmp_path: Path) -> None:
    """A port that somebody else took first is given up for another one, which the address then names."""
    count = tmp_path / "tries"
    first = f"""
with open({str(count)!r}, "a+") as file:
    file.write(sys.argv[1] + " ")
    file.seek(0)
    if len(file.read().split()) < 3:
        sys.exit("OSError: [Errno 98] Address already in use")
"""
    api = make(SERVER.replace("class Answer", f"{first}class Answer"), "{port}", log="startup complete")
    api.start()
    tried = count.read_text().split()
    assert len(set(tried)) == 3
    assert api.port == int(tried[-1])


def test_port_taken_for_good(make: Make) -> None:
    """Five ports, then the error."""
    api = make("import sys; print('trying', flush=True); sys.exit('Address already in use')")
    with pytest.raises(ServiceError, match="exit code 1"):
        api.start()
    assert api.logged().count("trying") == 5
