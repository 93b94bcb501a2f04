"""`quintet login` and `quintet logout`. A password is typed or piped in, never an argument: arguments are seen by every process."""

import asyncio
import getpass
import os
import platform
import sys
from typing import Any

from quintet.client import DEFAULT_URL, Http, RefusedError

from .reaching import TOKEN, Reach, reported
from .saying import say

__all__ = ["login", "logout"]

_TRIES = 3
_MOST = 4096


def login(url: str | None, email: str | None, *, register: bool) -> int:
    """Signs the terminal in and gives the exit code of the process."""
    return reported(url or DEFAULT_URL, lambda reach: _login(reach, email, register))


def logout(url: str | None) -> int:
    """Signs the terminal out and gives the exit code of the process."""
    return reported(url, _logout)


def _login(reach: Reach, email: str | None, register: bool) -> int:
    asks = sys.stdin.isatty()
    if asks:
        say(f"{'A new account' if register else 'Signing in'} at {reach.address.url}")
    if reach.address.url.startswith("http:") and not reach.address.direct:
        say("This connection is not encrypted: everybody on the way can read the password.")
    path = "/v1/auth/register" if register else "/v1/auth/login"
    for left in reversed(range(_TRIES if asks else 1)):
        form = _form(email, register, asks)
        if form is None:
            say("An e-mail address and a password are needed, a line each.")
            return 2
        try:
            told = _signed_in(reach, path, form, asks)
        except RefusedError as refusal:
            if not left or not _is_a_slip(refusal):
                raise
            say(refusal.message)
            continue
        _keep(reach, told)
        return 0
    raise AssertionError("the last try returns or raises")


def _signed_in(reach: Reach, path: str, form: dict[str, str], asks: bool) -> dict[str, Any]:
    """The answer to a sign-in, after its second step where the account asks for one."""
    try:
        return asyncio.run(_post(reach, path, form))
    except RefusedError as refusal:
        if refusal.code != "factor_required" or "pending_token" not in refusal.more:
            raise
        token = str(refusal.more["pending_token"])
    for left in reversed(range(_TRIES if asks else 1)):
        code = input("Code of your second factor: ") if asks else sys.stdin.readline(_MOST)
        step = {"pending_token": token, "code": code.strip(), "device": form["device"]}
        try:
            return asyncio.run(_post(reach, "/v1/auth/login/factor", step))
        except RefusedError as refusal:
            if not left or refusal.code != "code_wrong":
                raise
            say(refusal.message)
    raise AssertionError("the last try returns or raises")


def _is_a_slip(refusal: RefusedError) -> bool:
    return refusal.code in ("credentials_wrong", "email_invalid", "email_taken") or refusal.code.startswith("password_")


def _form(email: str | None, register: bool, asks: bool) -> dict[str, str] | None:
    if asks:
        address = email or input("E-mail: ")
        password = getpass.getpass("Password: ")
        if register and getpass.getpass("Password again: ") != password:
            say("The two are not the same.")
            return _form(email or address, register, asks)
    else:
        address = email or sys.stdin.readline(_MOST)
        password = sys.stdin.readline(_MOST).rstrip("\r\n")
    if not address.strip() or not password:
        return None
    device = f"terminal on {platform.node() or 'a computer'}"[:100]
    return {"email": address.strip(), "password": password, "device": device}


async def _post(reach: Reach, path: str, form: dict[str, Any]) -> dict[str, Any]:
    http = Http(reach.address)
    try:
        told: dict[str, Any] = await http.call("POST", path, body=form)
        earlier = reach.sign_in.read()
        if earlier is not None and "refresh_token" in told:
            await http.call("POST", "/v1/auth/logout", body={"refresh_token": earlier.refresh_token})
        return told
    finally:
        await http.close()


def _keep(reach: Reach, told: dict[str, Any] | None) -> None:
    if not told or "refresh_token" not in told:
        say("The account waits for its address to be confirmed. Follow the link in the e-mail, then sign in.")
        return
    email = told["user"]["email"]
    reach.sign_in.begin(email, told["refresh_token"])
    say(f"Signed in as {email} at {reach.address.url}. Now try: {reach.command('quintet chat')}")
    if os.environ.get(TOKEN, "").strip():
        say(f"{TOKEN} is set and wins over this sign-in.")


def _logout(reach: Reach) -> int:
    grant = reach.sign_in.read()
    if grant is None:
        say(f"Not signed in at {reach.address.url}.")
        return 0
    email = reach.sign_in.email
    asyncio.run(_end(reach))
    say(f"Signed out: {email} at {reach.address.url}.")
    return 0


async def _end(reach: Reach) -> None:
    """The server first: a file removed before would leave a session that nobody can end any more."""
    http = Http(reach.address)
    try:
        async with reach.sign_in.held():
            grant = reach.sign_in.read()
            if grant is not None:
                await http.call("POST", "/v1/auth/logout", body={"refresh_token": grant.refresh_token})
            reach.sign_in.forget()
    finally:
        await http.close()
