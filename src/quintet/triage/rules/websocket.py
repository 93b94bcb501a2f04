"""What goes wrong on a WebSocket: the handshake, the closing, the reading."""

from quintet.triage.model import Place
from quintet.triage.signatures import Rule, row

_CLOSED = (
    "ConnectionClosed ConnectionClosedError ConnectionClosedOK WebSocketDisconnect WSMessageTypeError "
    "WebSocketConnectionClosedException WebSocketNetworkError"
)
_LIBRARY: tuple[Place, ...] = ("library", "stdlib", "test")

RULES: tuple[Rule, ...] = (
    row(
        "handshake-refused",
        "websocket",
        r"(?:rejected WebSocket connection: HTTP (?P<subject>\d{3})|Handshake status (?P<subject_b>\d{3})"
        r"|WSServerHandshakeError: (?P<subject_c>\d{3})|WebSocketDenialResponse|Unexpected (?:status|response) "
        r"code:? (?P<subject_d>\d{3}))",
        "The server answers the WebSocket handshake with HTTP {subject} instead of opening the socket.",
        "The refusal came over HTTP, so the server is up and decided against the upgrade.",
        "The server's route or code behind the handshake fails; its own log says why.",
        "Read the server's log of that moment; the client's traceback only shows the refusal.",
        exceptions="InvalidStatus InvalidStatusCode InvalidHandshake WebSocketBadStatusException "
        "WSServerHandshakeError WebSocketDenialResponse ConnectionError",
        told=r"rejected WebSocket connection: HTTP (?P<subject>\d{3})",
        raised_in=_LIBRARY,
        effort=2,
    ),
    row(
        "closed-by-failure",
        "websocket",
        r"\b(?:received |code[ =]+)?1011\b|internal error\)|code=1011",
        "The server's WebSocket code failed while the socket was open (close code 1011).",
        "1011 is what a server sends when its own code for this socket raised an exception.",
        "An exception in the server's socket code; its traceback is in the server's log.",
        "Read the server's log of that moment and fix the exception it shows.",
        exceptions=_CLOSED,
        raised_in=_LIBRARY,
        effort=2,
    ),
    row(
        "closed-by-code",
        "websocket",
        r"(?:received |code[ =]+|WebSocketDisconnect: \(?)(?P<subject>[34]\d{3}|100[0-9]|1012|1013)",
        "The server closed the WebSocket with code {subject} before the test got what it waits for.",
        "The close frame carries a code that the server chose.",
        "The server ends the socket on purpose: a refused token, a protocol fault, a limit, or the end of its work.",
        "Look up what the server means by this code, and make the test satisfy it or expect it.",
        exceptions=_CLOSED,
        raised_in=_LIBRARY,
        together=False,
    ),
    row(
        "closed-without-frame",
        "websocket",
        r"no close frame received or sent|WebSocketDisconnect|ConnectionClosed(?:Error|OK)?\b|Cannot call \"(?:send"
        r"|receive)\" once a (?:disconnect|close) message|connection is (?:already )?closed|WebSocket is not "
        r"connected",
        "The WebSocket ended while the test still used it.",
        "The connection was gone when the test read or wrote.",
        "The server process died or left its socket code early, or the test reads once too often.",
        "Read the server's log of that moment; close the socket in one place only.",
        exceptions=_CLOSED + " RuntimeError",
        raised_in=_LIBRARY,
        effort=2,
    ),
    row(
        "two-readers",
        "websocket",
        r"cannot call recv while another (?:coroutine|thread)|Concurrent call to receive\(\) is not allowed",
        "Two readers use one WebSocket at once.",
        "The library allows one reader per socket.",
        "The test (or the client under test) starts a second `recv` before the first ended.",
        "Read in one task and hand the messages on through a queue.",
        exceptions="ConcurrencyError RuntimeError",
        raised_in=("library",),
    ),
    row(
        "handshake-timeout",
        "websocket",
        r"timed out during (?:opening )?handshake",
        "The server never answered the WebSocket handshake.",
        "The time for the handshake passed without an answer.",
        "The server was not ready, or the route blocks before it accepts.",
        "Wait until the server accepts a socket before the tests start; accept before slow work.",
        exceptions="TimeoutError InvalidHandshake WebSocketTimeoutException",
        raised_in=("library", "stdlib"),
        effort=2,
    ),
)
