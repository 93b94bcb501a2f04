"""The four specialists, in the order in which they are asked. Each looks at the same facts and answers with claims."""

from collections.abc import Callable

from quintet.triage.model import Case, Findings
from quintet.triage.specialists import architecture, auth, environment, websocket

Examine = Callable[[Case, Findings], Findings]

SPECIALISTS: dict[str, Examine] = {
    "environment-configuration": environment.examine,
    "websocket-integration": websocket.examine,
    "auth-integration": auth.examine,
    "test-architecture": architecture.examine,
}

__all__ = ["SPECIALISTS", "Examine"]
