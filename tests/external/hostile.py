"""An issuer that says whatever a test wants: on loopback, with real keys, over real HTTP."""

import base64
import hmac
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

__all__ = ["Hostile"]

ES = ECKey.generate_key("P-256", {"kid": "es"})
RS = RSAKey.generate_key(2048, {"kid": "rs"})
OTHER = ECKey.generate_key("P-256", {"kid": "es"})


class Hostile:
    """Discovery, keys and a token endpoint. `asked` are the paths that were asked, `forms` what was sent to the token endpoint."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.keys: list[ECKey | RSAKey] = [ES, RS]
        self.answers: dict[str, Callable[[], tuple[int, bytes]]] = {}
        self.id_token = ""
        self.metadata: dict[str, Any] = {}
        hostile = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hostile._answer(self, b"")

            def do_POST(self) -> None:
                hostile._answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def published(self) -> dict[str, Any]:
        """The public keys."""
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def signed(self, claims: dict[str, Any], algorithm: str = "ES256", key: Any = None, **header: Any) -> str:
        """A token of these claims; of no algorithm and with a shared key too."""
        key = key or (RS if algorithm.startswith(("RS", "PS")) else ES)
        named = {"kid": key.kid} if isinstance(key, ECKey | RSAKey) else {}
        head = {"alg": algorithm, **named, **header}
        if algorithm == "HS256":  # keyed with what everybody can read; the library would refuse to
            text = b".".join(
                base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, claims)
            )
            signature = hmac.digest(RS.as_pem(private=False), text, "sha256")
            return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()
        return jwt.encode({name: value for name, value in head.items() if value is not None}, claims, key, [algorithm])

    def _answer(self, page: BaseHTTPRequestHandler, body: bytes) -> None:
        path = page.path.partition("?")[0]
        self.asked.append(path)
        if path == "/token":
            self.forms.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        status, content = self.answers.get(path, lambda: self._usual(path))()
        try:
            page.send_response(status)
            if status == 302:
                page.send_header("Location", f"{self.url}/elsewhere")
            page.send_header("Content-Type", "application/json")
            page.send_header("Content-Length", str(len(content)))
            page.end_headers()
            page.wfile.write(content)
        except OSError:  # whoever asked has had enough
            pass

    def _usual(self, path: str) -> tuple[int, bytes]:
        told: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/auth",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                **self.metadata,
            },
            "/jwks": self.published(),
            "/token": {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token},
        }
        return (200, json.dumps(told[path]).encode()) if path in told else (404, b"{}")
