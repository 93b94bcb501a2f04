"""What a turn raises: a tool or a nested agent that did not succeed, and the interruption of an agent that holds its loop."""

from quintet.errors import RUN_CODES

__all__ = ["AgentError", "LoopHeld", "ToolError"]


class ToolError(Exception):
    """A tool call whose status is not `ok`.

    `code` is `tool_error`, `tool_timeout` or `bad_arguments`; `message` its fixed sentence, fit for the user. What the tool raised is `__cause__`.
    """

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code = code
        self.message = message or RUN_CODES[code].sentence
        super().__init__(f"{code}: {self.message}")


class AgentError(Exception):
    """A nested agent that did not complete.

    `code` is that of its `agent_failed`, or `timeout`; `message` the fixed sentence, fit for the user. What it raised is `__cause__`.
    """

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code = code
        self.message = message or RUN_CODES[code].sentence
        super().__init__(f"{code}: {self.message}")


class LoopHeld(BaseException):  # like KeyboardInterrupt: no error of the code it arrives in
    """Thrown into an agent that has kept its event loop from turning. No `except Exception` may keep it."""
