"""`quintet contract`: does a running backend keep the contract of the five events?

1. Credentials come from options or the environment; none is ever printed.
2. Exit codes: 0 nothing failed, 1 a point failed, 2 the mapping, the address or an option is wrong.
"""

import sys
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer

__all__ = ["contract"]

Map = Annotated[
    str,
    typer.Option(
        "--map",
        metavar="FILE",
        help="How its frames are read and written: a file, or one that ships: quintet, quintet-sse, ag-ui, socketio-chat.",
    ),
]
Credential = Annotated[
    str | None,
    typer.Option("--user", metavar="TOKEN", envvar="CONTRACT_USER", help="A user's credential.", show_envvar=True),
]
Other = Annotated[
    str | None, typer.Option("--other", metavar="TOKEN", envvar="CONTRACT_OTHER", help="Another user's credential.")
]
Message = Annotated[
    str | None,
    typer.Option(
        "--text", metavar="TEXT", help="The message that is sent; {canary} becomes a word that nobody else has."
    ),
]
Values = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="What {NAME} in the mapping stands for.")
]
Form = Annotated[Literal["text", "json"], typer.Option("--format", help="For people or for programs.")]


def contract(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where the backend is, for instance http://localhost:8750.")
    ],
    mapping: Map,
    *,
    user: Credential = None,
    other: Other = None,
    text: Message = None,
    values: Values = None,
    form: Form = "text",
) -> None:
    """Hold a running backend to the contract of the five events.

    Sends a few messages as two users and judges what comes back: order, pairs, one ending, nothing lost or doubled, isolation, exact resume.

    What the backend does not offer is said, and is no failure. Ends with 1 where a point failed.
    """
    credentials = [given for given in (user, other) if given]
    raise typer.Exit(_contract(url, mapping, credentials, text, values or (), form))


def _contract(
    url: str,
    mapping: str,
    credentials: list[str],
    text: str | None,
    values: Sequence[str],
    form: Literal["text", "json"],
) -> int:
    import asyncio  # whoever only wants help would wait for it

    from quintet.testing.contracts import Mapping, MappingError
    from quintet.testing.contracts.probe import LineError, Plan, as_json, examine, print_report, verdicts

    try:
        read = Mapping.shipped(mapping) if mapping in Mapping.names() else Mapping.load(mapping)
        plan = Plan.of(read)
        address, extra = _address(url), _values(values)
        _enough(plan.authenticates and plan.users is None, credentials)
    except (MappingError, ValueError) as fault:
        return _refused(str(fault), 2)
    try:
        evidence = asyncio.run(examine(address, read, plan, credentials, text or plan.text, extra))
    except LineError as fault:
        return _refused(f"No users could be made: {fault}", 1)
    points = verdicts(evidence)
    if form == "json":
        sys.stdout.write(as_json(read.name, address, points) + "\n")
    else:
        print_report(read.name, address, points)
    return int(any(point.verdict == "failed" for point in points))


def _enough(needed: bool, credentials: Sequence[str]) -> None:
    if needed and len(credentials) != 2:
        raise ValueError(
            "This backend wants to know its users: give --user and --other, or CONTRACT_USER and CONTRACT_OTHER."
        )
    if len(credentials) == 1:
        raise ValueError("Two users are needed: give --user and --other.")


def _address(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url}: an address like http://localhost:8000 is expected")
    return parts.geturl()


def _values(given: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE, for names of the mapping's own."""
    told = [value.partition("=") for value in given]
    if any(not name or not sep for name, sep, _ in told):
        raise ValueError("--set takes NAME=VALUE")
    return {name: value for name, _, value in told}


def _refused(words: str, code: int) -> int:
    sys.stderr.write(words + "\n")
    return code
