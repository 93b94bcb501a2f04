"""Access tokens that have really expired: issued for one second by a twin of the server, which has the same users and the same keys.

The server itself refuses them for their time and for nothing else. It is not restarted, and other tests go on using it.
"""

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from quintet.testing.accounts.account import Account, AccountError, register
from quintet.testing.targets import Target

__all__ = ["expired"]

COPY_SECONDS = 60.0
EXPIRY_SECONDS = 45.0  # one second of life, the half minute by which a server may let clocks differ, and a busy machine
LOOK_SECONDS = 0.05
SHORT = {"QUINTET_ACCESS_TOKEN_SECONDS": "1", "QUINTET_TOKEN_LEEWAY_SECONDS": "0"}
SECRET = "development-secret"  # noqa: S105 - the name of a file


def expired(server: Any, home: Path) -> Account:
    """A new user of this Quintet server, whose access token has expired. `home` is a folder for the twin.

    Raises:
        AccountError: the server takes the token for longer than 45 seconds, or refuses it for another reason.
    """
    from quintet.testing.services.quintet import QuintetServer

    account = register(server)
    data = Path(getattr(server, "data", Path(server.folder) / "data"))
    settings = dict(getattr(server, "environment", {}))
    _copy(data, home / "data", settings)
    twin = QuintetServer(home, name="a twin that issues short tokens", environment={**settings, **SHORT}, remove=True)
    try:
        twin.start()
        issued = replace(account, target=Target.of(twin)).renewed()
    finally:
        twin.end()
    old = replace(account, access_token=issued.access_token, expires_in=issued.expires_in)
    _await_refusal(old)
    return old


def _copy(data: Path, to: Path, settings: dict[str, str]) -> None:
    to.mkdir(parents=True)
    line = [sys.executable, "-m", "quintet", "backup", str(to / "quintet.db"), "--data", str(data), "--dev"]
    done = subprocess.run(  # noqa: S603 - our own program
        line, env=settings, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COPY_SECONDS, check=False
    )
    if done.returncode:
        raise AccountError(f"the server's data cannot be copied for a twin: {done.stderr or done.stdout}")
    if (data / SECRET).exists():
        shutil.copy2(data / SECRET, to / SECRET)


def _await_refusal(account: Account) -> None:
    deadline, pause = time.monotonic() + EXPIRY_SECONDS, Event()
    with account.http_now as http:
        while (answer := http.get("/v1/auth/me")).status_code == 200:
            if time.monotonic() > deadline:
                raise AccountError(f"a token of one second is good after {EXPIRY_SECONDS:g}\n{account.target.said()}")
            pause.wait(LOOK_SECONDS)
    code = answer.json().get("code")
    if code != "token_expired":
        raise AccountError(f"the token was refused, but not for its time: {answer.text}\n{account.target.said()}")
