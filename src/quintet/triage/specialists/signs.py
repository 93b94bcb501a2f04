"""Whether a run shows that sockets, or HTTP, are what its tests are about.

Rules: a graph has rooms that are connected, a mailbox what it received, an order its status; the words of such a test mean a socket (or an
answer of a server) only where something else in the run does: a file, a line, a name, a message.
"""

import re

from quintet.triage.model import Case, Cluster

_SOCKETS = re.compile(
    r"(?i)web_?sockets?|(?<![a-z])sockets?(?![a-z])|socket\.?io|(?<![a-z])(?:wss?|sio|sids?|asgi|sse|mqtt|stomp|amqp|redis)(?![a-z])"
    r"|communicator|emit(?!tance)|broadcast|pub_?sub|namespaces?\b|channels[./\\]|uvicorn|daphne|aiohttp|starlette|tornado|signalr"
    r"|event_?(?:source|stream|bus)|handshake|subprotocol|['\"](?:agent|tool)[_.][a-z]|\]\[['\"](?:name|type|event|kind|args|payload)['\"]\]"
)
_HTTP = re.compile(
    r"(?i)https?(?![a-z])|status_?code|(?<![a-z])(?:resp(?:onse)?s?|clients?|api|headers?|urls?|endpoints?|routes?|views?)(?![a-z])|(?<!>)\.status\b(?!\()"
    r"|['\"](?:detail|error)['\"]: |\w_client\b|(?-i:[a-z]Client\b)"
    r"|\brequests?[./\\]|web_?sockets?|(?:flask|django|starlette|fastapi|aiohttp|werkzeug|urllib)\b|bearer|(?<![a-z])jwt|\.(?:get|post|put|patch|delete)\("
)


def shows_sockets(case: Case) -> bool:
    """Something in the failures is of sockets or of the events that they carry."""
    return any(_SOCKETS.search(_all_of(one)) for one in case.clusters)


def shows_http(case: Case) -> bool:
    """Something in the failures is of requests and answers, or they show no line of code that could tell."""
    return not any(one.home_code for one in case.clusters) or any(_HTTP.search(_all_of(one)) for one in case.clusters)


def _all_of(one: Cluster) -> str:
    files = (place.partition(":")[2].rpartition("site-packages")[2] for place in one.raised)
    told = (one.first_exception, one.first_message, one.exception, one.message, one.wrapped, one.beside)
    return "\n".join(
        (*one.names, *told, one.where, one.code, one.home_code, *files, *map(_inside, one.passed.split("\n")))
    )


def _inside(path: str) -> str:
    """A path without the folders above the project or the library."""
    return "/".join(path.rpartition("site-packages")[2].split("/")[-3:])
