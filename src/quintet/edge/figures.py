"""What the HTTP side counts for the metrics: by route template, never by path, so that no id becomes a label and their number is bounded."""

from collections import Counter
from collections.abc import Callable

from starlette.types import Scope

from quintet.store import Histogram

__all__ = ["HTTPFigures", "template_of"]

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HTTPFigures:
    """Counts of this server's requests and refusals."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()  # method, route template, status
        self.refusals: Counter[str] = Counter()  # by code
        self.seconds = Histogram(_SECONDS)
        self.told: Callable[[Scope, int, float], None] | None = None  # who else wants to know of each

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that was answered. `status` is 0 where the peer had gone before."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.requests[method, template_of(scope), status] += 1
        self.seconds.add(seconds)
        code = scope.get("state", {}).get("refusal")
        if code is not None:
            self.refusals[code] += 1
        if self.told is not None:
            self.told(scope, status, seconds)


def template_of(scope: Scope) -> str:
    """The template of the route that answered, such as /v1/threads/{thread_id}."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
