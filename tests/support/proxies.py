"""nginx and Caddy with the files of docs/deploy: only names, addresses and certificates are changed. Real programs, on loopback."""

import datetime
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from quintet.testing.services import ports

__all__ = ["PROXIES", "Front", "front"]

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
SECONDS = 20.0
_NGINX = """
daemon off; {user} pid {folder}/nginx.pid; error_log {folder}/nginx.log info;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass
class Front:
    """Where people connect. `certificate` is what they trust."""

    port: int
    certificate: Path
    log: Path
    name: str = "the proxy"
    host: str = "localhost"

    @property
    def url(self) -> str:
        """The public address."""
        return f"https://{self.host}:{self.port}"


def _nginx(folder: Path, front: Front, gateways: Sequence[int]) -> list[str]:
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, user=user))
    (folder / "site.conf").write_text(
        _changed(
            "nginx.conf",
            {
                "chat.example.com;": f"{front.host};",
                "/etc/ssl/localhost/": f"{folder}/",
                "/etc/ssl/chat.example.com/": f"{folder}/",
                "listen 80;": f"listen 127.0.0.1:{ports.free()};",
                "listen 443 ssl;": f"listen 127.0.0.1:{front.port} ssl;",
                "127.0.0.1:8750": f"127.0.0.1:{gateways[0]}",
                "127.0.0.1:8751": f"127.0.0.1:{gateways[1]}",
            },
        )
    )
    return ["-e", str(folder / "nginx.log"), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, front: Front, gateways: Sequence[int]) -> list[str]:
    site = f"{front.url} {{\n\tbind 127.0.0.1\n\ttls {front.certificate} {folder / 'privkey.pem'}"
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    (folder / "Caddyfile").write_text(
        options
        + _changed(
            "Caddyfile",
            {
                "chat.example.com {": site,
                "127.0.0.1:8750": f"127.0.0.1:{gateways[0]}",
                "127.0.0.1:8751": f"127.0.0.1:{gateways[1]}",
            },
        )
    )
    return ["run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


PROXIES: dict[str, Callable[[Path, Front, Sequence[int]], list[str]]] = {"nginx": _nginx, "caddy": _caddy}


@contextmanager
def front(program: str, folder: Path, port: int, gateways: Sequence[int]) -> Iterator[Front]:
    """The proxy of this name at a port, before two gateways' ports.

    Raises:
        AssertionError: the machine has no such program, or it does not answer.
    """
    found = shutil.which(program)
    assert found, f"there is no {program} here. On Debian: apt-get install {program}"
    folder.mkdir(parents=True)
    made = Front(port, _certified(folder), folder / f"{program}.log")
    line = [found, *PROXIES[program](folder, made, gateways)]
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            line,
            cwd=folder,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )
    try:
        _answers(process, made, folder / "output.log")
        yield made
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _changed(name: str, changes: dict[str, str]) -> str:
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        text = text.replace(old, new)
    assert "chat.example.com" not in "".join(line.partition("#")[0] for line in text.splitlines())
    return text


def _answers(process: "subprocess.Popen[bytes]", made: Front, output: Path) -> None:
    import socket

    until = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", made.port), 1).close()
        except OSError:
            assert process.poll() is None, f"the proxy has ended:\n{output.read_text()}"
            assert time.monotonic() < until, f"the proxy does not answer:\n{output.read_text()}"
            time.sleep(0.05)
        else:
            return


def _certified(folder: Path) -> Path:
    """A certificate of our own for localhost, and its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(plain)
    (folder / "fullchain.pem").write_bytes(made.public_bytes(pem))
    return folder / "fullchain.pem"
