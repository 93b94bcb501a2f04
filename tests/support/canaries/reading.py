"""What users ask for over HTTP and on the socket, with anybody's ids."""

import re
from typing import Any

from support.canaries.completeness import pages
from support.canaries.owner import Owner
from support.routes import Route

__all__ = ["ids_in", "page", "send_to_another", "use"]


def ids_in(route: Route) -> list[str]:
    """What kinds of ids an operation names; a provider's name is nobody's."""
    return [kind for kind in re.findall(r"{(\w+)}", route.path) if kind != "provider"]


async def use(owner: Owner, other: Owner, route: Route, place: int) -> None:
    """An operation on what is `other`'s: 200 if that is oneself and it is still there (ask nothing but GET then), else 404.
    What administrators do is 403, whoever is named."""
    if route.whom == "self":
        await owner.got(route.filled({}))
        return
    named = {kind: known[place % len(known)] for kind in ids_in(route) if (known := other.ids(kind))}
    body = route.body and {**route.body, **({"title": owner.word()} if "title" in route.body else {})}
    answer = await owner.ask(route.verb, route.filled(named), json=body)
    there = other is owner and all(owner.alive(*name) for name in named.items())
    due = 403 if route.whom == "admin" else 200 if there else 404
    told = f"{answer.status_code} {answer.text}"
    assert answer.status_code == due, f"{route.name} of {other.name} as {owner.name}: {told}"
    if other is not owner:
        owner.counts["foreign id"] += 1
        owner.counts[route.name] += 1


async def send_to_another(owner: Owner, other: Owner, place: int, *, files: bool) -> None:
    """A message to another's thread, or with another's file: `not_found`. That nothing is stored is seen at the end."""
    known = other.ids("attachment_id" if files else "thread_id")
    stolen = known[place % len(known)]
    named: dict[str, Any] = {"attachments": [stolen]} if files else {"thread_id": stolen}
    told = await owner.request("send", client_id=owner.client_id(), text=owner.word(), agent="echo", **named)
    assert (told["type"], told["code"]) == ("error", "not_found"), owner.device.shown(str(told))
    owner.counts["foreign send"] += 1


async def page(owner: Owner, place: int, limit: int) -> None:
    """Small pages hold each thread once and none that is deleted; a mark that may be another's gives nothing but one's own."""
    items = await pages(owner, "/v1/threads", limit)
    assert sorted(item["id"] for item in items) == sorted(owner.open_threads()), f"threads of {owner.name}: {items}"
    told = await owner.got(f"/v1/threads?limit={limit}&after={place}")
    assert {item["id"] for item in told["items"]} <= set(owner.open_threads())
    owner.counts["page"] += 1
