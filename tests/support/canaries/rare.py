"""What must have occurred in a run, else it would prove nothing of it."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from support.canaries import following, reading, signing, writing
from support.canaries.owner import Owner
from support.routes import ADMIN, OWNED

__all__ = ["rare"]


def rare(one: Owner, two: Owner, three: Owner) -> dict[str, Callable[[], Coroutine[Any, Any, Any]]]:
    """Everything that must have occurred in a run, by the name under which it is counted, and how to bring it about."""
    routes = {route.name: partial(reading.use, one, two, route, 0) for route in (*OWNED, *ADMIN)}
    return {
        **routes,
        "foreign cursor": lambda: following.resume(one, two, 1),
        "own cursor": lambda: following.resume(one, one, 1),
        "foreign stream": lambda: following.stream(one, two, 1, header=True),
        "own stream": lambda: following.stream(one, one, 1, header=False),
        "reconnect": lambda: following.reconnect(one, polite=False),
        "refresh": lambda: signing.refresh(one),
        "foreign token": lambda: signing.renew_with_anothers_token(one, two),
        "sign out": lambda: signing.sign_out_and_in(two, itself=True),
        "revoked session": lambda: signing.use_a_revoked(two, 0),
        "sent again": lambda: writing.post(one, 0, "echo", http=False, wait=True),
        "deletion": lambda: writing.delete(three, 0),
        "download": lambda: writing.download(one, 0),
        "cancel": lambda: writing.cancel(one, two, 0),
        "foreign send": lambda: reading.send_to_another(one, two, 0, files=False),
        "page": lambda: reading.page(one, 0, 1),
    }
