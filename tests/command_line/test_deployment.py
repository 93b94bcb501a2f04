"""What lies in docs/deploy to begin from: it is understood by what reads it, and what it starts really serves."""

import json
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from command_line.commands import clean
from quintet.settings import Options, load
from support.postgres import PostgresDatabase

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OURS = "/opt/quintet/bin/quintet"
SECONDS = 60.0


def lines(text: str) -> dict[str, str]:
    """NAME=value, without comments."""
    found = (line.partition("=") for line in text.splitlines() if line and not line.startswith(("#", "[")))
    return {name: value for name, _, value in found}


def settings_in(environment: Mapping[str, str], *words: str) -> None:
    """That a production start takes them. Raises `SettingsError`."""
    role: Any = words[words.index("--role") + 1] if "--role" in words else "all"
    load(environment, None, Options(role=role))


@pytest.mark.l2
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, where there is one; every unit is hardened and has the same user and settings."""
    told = lines(unit.read_text())
    assert (told["User"], told["EnvironmentFile"]) == ("quintet", "/etc/quintet/quintet.env")
    assert (told["NoNewPrivileges"], told["ProtectSystem"], told["CapabilityBoundingSet"]) == ("yes", "strict", "")
    assert set(told["RestartPreventExitStatus"].split()) == {"2", "78"}
    drain = int(lines((DEPLOY / "quintet.env").read_text())["QUINTET_DRAIN_SECONDS"])
    assert int(told["TimeoutStopSec"]) > drain + 30
    # A database that comes later than this machine: no unit may be given up, nor fail because another did.
    assert (told["Restart"], told["StartLimitIntervalSec"], told.get("Requires")) == ("always", "0", None)
    if shutil.which("systemd-analyze") is None:
        return
    for other in UNITS:
        (tmp_path / other.name).write_text(other.read_text().replace(OURS, "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", f"./{unit.name.replace('@', '@8750')}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False, env=clean({"SYSTEMD_LOG_LEVEL": "notice"}),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.l3
def test_what_the_units_start_serves(tmp_path: Path) -> None:
    """With the words of the units and the settings of quintet.env: what goes before ends with 0, a gateway and a worker become ready at the port
    that is their instance, and SIGTERM ends them with 0."""
    environment = lines((DEPLOY / "quintet.env").read_text()) | {
        "QUINTET_SECRET_KEY": secrets.token_urlsafe(48),
        "QUINTET_DATABASE_URL": PostgresDatabase().url,
        "QUINTET_DATA": str(tmp_path / "data"),
    }
    before = _run("quintet-gateway@", tmp_path, environment, line="ExecStartPre")
    assert before.wait(SECONDS) == 0
    ports = [_free(), _free()]
    started = [
        _run(f"quintet-{role}@", tmp_path, environment, port)
        for role, port in zip(("gateway", "worker"), ports, strict=True)
    ]
    try:
        for port in ports:
            _ready(port)
        for process in started:
            process.terminate()
        assert [process.wait(SECONDS) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
            process.wait()


def _run(
    unit: str, folder: Path, environment: Mapping[str, str], port: int = 0, line: str = "ExecStart"
) -> subprocess.Popen[bytes]:
    words = lines((DEPLOY / "systemd" / f"{unit}.service").read_text())[line].replace("%i", str(port)).split()
    assert words[0] == OURS
    with (folder / f"{unit}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "quintet", *words[1:]], cwd=folder, env=clean(environment), stdout=log, stderr=log
        )


def _free() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as plug:
        return int(plug.getsockname()[1])


def _ready(port: int) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with direct.open(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                assert json.load(answer)["status"] == "ready"
                return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.l1
def test_the_compose_file_starts_what_there_is() -> None:
    """It is YAML; every service of ours has a command and settings that a production start takes, drains longer than its runs may, waits for
    the tables and shows no port; nothing is of a version that nobody named."""
    text = (DEPLOY / "compose.yaml").read_text()
    services = yaml.safe_load(text)["services"]
    given = {
        "QUINTET_SECRET_KEY": secrets.token_urlsafe(48),
        "QUINTET_PUBLIC_URL": "https://x.example",
        "POSTGRES_PASSWORD": "p",
    }
    ours = {name: service for name, service in services.items() if service["image"] == "quintet"}
    assert set(ours) == {"migrate", "gateway", "worker"}
    for service in ours.values():
        told = {
            name: re.sub(r"\$\{(\w+):\?[^}]*\}", lambda m: given[m[1]], v) for name, v in service["environment"].items()
        }
        settings_in(told, *service["command"])
        assert "ports" not in service
        assert "data:/data" in service["volumes"]
        assert service["cap_drop"] == ["ALL"]
        assert int(service["stop_grace_period"].removesuffix("s")) > 90
    assert services["gateway"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert all(":" in service["image"] for service in services.values() if service["image"] != "quintet")
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    docker = (DEPLOY / "Dockerfile").read_text()
    assert docker.index("USER quintet") < docker.index("ENTRYPOINT")


@pytest.mark.l1
def test_the_settings_are_taken_with_a_secret_and_not_without() -> None:
    """quintet.env holds no secret that somebody could leave in place; with one it is whole."""
    told = lines((DEPLOY / "quintet.env").read_text())
    assert told["QUINTET_SECRET_KEY"] == ""
    settings_in({**told, "QUINTET_SECRET_KEY": secrets.token_urlsafe(48)}, "--role", "gateway")


@pytest.mark.l1
def test_the_proxies_do_what_the_doctor_asks_for() -> None:
    """WebSockets pass, streams are not buffered, uploads fit, the Host header stays, the figures stay inside."""
    nginx, caddy = (DEPLOY / "nginx.conf").read_text(), (DEPLOY / "Caddyfile").read_text()
    assert nginx.count("{") == nginx.count("}")
    stream = nginx[nginx.index("location = /v1/events") :].partition("}")[0]
    for line in ("proxy_buffering off;", "proxy_cache off;", "gzip off;"):
        assert line in stream
    for line in (
        "proxy_http_version 1.1;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $connection_upgrade;",
        "proxy_set_header Host $host;",
        "client_max_body_size 6m;",
        "location = /metrics { return 404; }",
    ):
        assert line in nginx
    assert int(re.findall(r"proxy_read_timeout (\d+)s", nginx)[0]) > 60, (
        "longer than the silence after which a socket is closed"
    )
    for line in ("flush_interval -1", "max_size 6MB", "/metrics", "respond @inside 404"):
        assert line in caddy


@pytest.mark.l1
def test_nothing_names_a_host_of_a_registry() -> None:
    """Images and packages come from wherever the machine gets its own."""
    for file in DEPLOY.rglob("*"):
        if file.is_file():
            assert not re.search(r"docker\.io|ghcr\.io|quay\.io|pypi|index-url", file.read_text()), file
