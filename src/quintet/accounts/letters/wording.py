"""The words of every letter.

1. Nothing that a stranger chose is repeated (a name could be an advertisement), but for a device's name, of which letters and digits stay.
2. What stands behind `#` of a link is never sent to a server: no log and no proxy has the token, and looking at the page uses nothing up.
3. Every letter says what to do for whoever did not ask for it.
"""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from quintet.accounts.letters.letter import Letter

__all__ = ["PRODUCT", "Wording"]

PRODUCT = "Quintet"
_IGNORE = "If this was not you, do nothing: without the link nothing happens."
_ODD = re.compile(r"[^\w ()+-]+")


class Wording:
    """Letters of the server that people reach at `site`, such as https://chat.example.com."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._host = urlsplit(site).netloc
        self._foot = f"{PRODUCT} at {self._host}. This letter was written by a program; nobody reads answers to it."

    def verify(self, to: str, token: str, hours: int) -> Letter:
        """Somebody has made an account with this address."""
        told = (
            f"An account at {self._host} was made with this address. Confirm that it is yours, and you can sign in.",
            f"The link is good for {_hours(hours)}, once. {_IGNORE}",
        )
        return self._letter(
            "verify", to, f"Confirm your address for {PRODUCT}", told, "Confirm", self._link("verify", token)
        )

    def reset(self, to: str, token: str, hours: int) -> Letter:
        """Somebody has forgotten the password."""
        told = (
            f"Somebody, perhaps you, asked for a new password for your account at {self._host}.",
            f"The link is good for {_hours(hours)}, once. A new password signs you out everywhere. {_IGNORE}",
        )
        return self._letter("reset", to, "Choose a new password", told, "Choose a password", self._link("reset", token))

    def again(self, to: str, token: str, hours: int) -> Letter:
        """Somebody has registered with an address that waits to be confirmed: only its owner can say with which password."""
        told = (
            f"An account at {self._host} was made with this address again, before the address was confirmed.",
            "To be sure that it is yours alone, choose its password here. That confirms the address too; no earlier link does any more.",
            f"The link is good for {_hours(hours)}, once. {_IGNORE}",
        )
        subject = f"Confirm your address for {PRODUCT}"
        return self._letter("again", to, subject, told, "Choose a password", self._link("reset", token))

    def known(self, to: str) -> Letter:
        """Somebody has registered with the address of an account."""
        told = (
            f"Somebody tried to make an account at {self._host} with this address, which has one already.",
            'If it was you, sign in, or choose a new password with "Forgot your password?". If it was not, there is nothing to do: '
            "whoever it was has learnt nothing.",
        )
        return self._letter("known", to, f"You have an account at {PRODUCT}", told, "Sign in", f"{self._site}/")

    def changed_password(self, to: str) -> Letter:
        """The password was reset."""
        told = (
            f"The password of your account at {self._host} was changed, and everybody was signed out.",
            "If it was not you, somebody can read your mail: secure that first, then choose a new password here.",
        )
        return self._letter(
            "password", to, "Your password was changed", told, "Forgot your password?", f"{self._site}/#/forgot"
        )

    def change(self, to: str, token: str, hours: int) -> Letter:
        """Somebody wants this to be the address of their account."""
        told = (
            f"Confirm that this is to be the address of your account at {self._host}. Until then nothing changes.",
            f"The link is good for {_hours(hours)}, once. {_IGNORE}",
        )
        return self._letter("change", to, "Confirm your new address", told, "Confirm", self._link("verify", token))

    def change_asked(self, to: str) -> Letter:
        """To the old address, before the change."""
        told = (
            f"Somebody who knows your password asked for another address for your account at {self._host}. It changes once the letter "
            "to that address is answered.",
            "If it was not you, choose a new password now: that ends every session, and the change with it.",
        )
        return self._letter(
            "change_asked",
            to,
            "Your address is about to change",
            told,
            "Choose a new password",
            f"{self._site}/#/forgot",
        )

    def changed(self, to: str) -> Letter:
        """To the old address, after the change."""
        told = (
            f"Your account at {self._host} has another address now, and letters go there.",
            "If it was not you, write to whoever runs this server.",
        )
        return self._letter("changed", to, "Your address was changed", told)

    def new_device(self, to: str, device: str | None, address: str | None, at_ms: int) -> Letter:
        """Somebody has signed in from where the account was not used before."""
        name = " ".join(_ODD.sub(" ", device or "").split()) or "a program without a name"
        when = f"{datetime.fromtimestamp(at_ms / 1000, UTC):%d %B %Y, %H:%M} UTC"
        told = (
            f"Your account at {self._host} was signed in to on {when}, from a device that we had not seen before.",
            f"Device: {name}. Network address: {address or 'unknown'}.",
            "If it was you, there is nothing to do. If not, choose a new password now: that ends every session.",
        )
        return self._letter(
            "device", to, "A new device signed in", told, "Choose a new password", f"{self._site}/#/forgot"
        )

    def invite(self, to: str, token: str, days: int) -> Letter:
        """Somebody is invited."""
        told = (
            f"You are invited to make an account at {self._host}.",
            f"The link is good for {days} day{'s' if days != 1 else ''}, once. If you do not want to, do nothing.",
        )
        return self._letter(
            "invite", to, f"An invitation to {PRODUCT}", told, "Accept the invitation", self.invitation(token)
        )

    def invitation(self, token: str) -> str:
        """The link of an invitation."""
        return self._link("invite", token)

    def _link(self, place: str, token: str) -> str:
        return f"{self._site}/#/{place}/{token}"

    def _letter(
        self, kind: str, to: str, subject: str, told: tuple[str, ...], word: str = "", link: str = ""
    ) -> Letter:
        return Letter(kind, to, subject, told, word, link, self._foot)


def _hours(hours: int) -> str:
    return "an hour" if hours == 1 else f"{hours} hours"
