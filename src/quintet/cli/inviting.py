"""`quintet user invite`: who may make an account where strangers may not. The link goes to standard output, everything said to standard error."""

import asyncio
from typing import TYPE_CHECKING

from .saying import say
from .serving import Wish
from .user import administered, settings_of

if TYPE_CHECKING:
    from quintet.server.administration import InvitingOffice

__all__ = ["invite"]

_PATIENCE = 40.0  # seconds for the mail server


def invite(wish: Wish, email: str | None, *, role: str, days: int) -> int:
    """Makes an invitation and gives the exit code of the process."""

    def work(office: "InvitingOffice", loop: asyncio.Runner) -> int:
        made = loop.run(office.inviting.invite(email, role=role, days=days))
        whom = made.email or "whoever has the link"
        say(f"Invited {whom}, as {role}, for {days} day{'s' if days != 1 else ''}. The link, shown this once:")
        print(made.link, flush=True)  # noqa: T201 - the command's result
        if made.email is None or office.courier is None:
            return 0
        loop.run(office.courier.close(_PATIENCE))
        if office.courier.told["sent"]:
            say(f"A letter with it is on its way to {made.email}.")
            return 0
        say("The mail server did not take the letter. The link is good all the same: hand it over yourself.")
        return 1

    def run(_: Wish) -> int:
        from quintet.server.administration import inviting

        from .beside import with_opened

        return with_opened(inviting(settings_of(wish)), work)

    return administered(wish, run)
