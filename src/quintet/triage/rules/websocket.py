"""What goes wrong on a WebSocket: the handshake, the closing, the reading."""

from quintet.triage.model import Place
from quintet.triage.reading.logs import KEPT_BACK
from quintet.triage.signatures import Rule, row

_CLOSED = (
    "ConnectionClosed ConnectionClosedError ConnectionClosedOK WebSocketDisconnect WSMessageTypeError "
    "WebSocketConnectionClosedException WebSocketNetworkError"
)
LIBRARY: tuple[Place, ...] = ("library", "stdlib", "test")

CLIENTS = r"(?m)/(?:websockets|websocket|wsproto|socketio|engineio|starlette/websockets|starlette/testclient|httpx_ws|aiohttp/client_ws)(?:/|\.py$)"
_EVENT = r"(?:agent_(?:started|thinking|completed)|tool_(?:executing|completed))"
_HANDSHAKE = (
    r"(?:rejected WebSocket connection: HTTP|Handshake status|WSServerHandshakeError:|Unexpected (?:status|response) code:?"
    r"|WebsocketResponseError: <Response) \[?"
)
_OF_HANDSHAKE = (
    "InvalidStatus InvalidStatusCode InvalidHandshake WebSocketBadStatusException WSServerHandshakeError WebSocketDenialResponse "
    "WebsocketResponseError ConnectionError InvalidUpgrade InvalidMessage InvalidHeader NegotiationError SecurityError"
)

RULES: tuple[Rule, ...] = (
    row(
        "event-kept-back",
        "websocket",
        rf"{KEPT_BACK}(?=[^\n]{{0,400}}?(?P<subject>{_EVENT})|)",
        "The product does not pass on the event that the test waits for ({subject}), and logs it.",
        "The line was logged while the test waited: the event was made, and nobody got it.",
        "Nobody is registered under the id (user, room, thread) that it is sent to, or what should pass it on was never "
        "set: the same id may "
        "be written in two ways (`42` and `'42'`, upper and lower case), or be registered in another process, whose list "
        "is its own; or it is "
        "registered only after the event was sent (see the order of the lines).",
        "Go to the line that logs this; compare what it looks for with what the test (or the start of the application) registers there, "
        "kind and spelling of the id included. With several processes let a bus (Redis, a broker) carry the event; "
        "subscribe before what causes it, or keep what was sent for those who come later.",
        exceptions="TimeoutError CancelledError Empty QueueEmpty TooSlowError AssertionError Failed",
        logged=True,
        effort=2,
    ),
    row(
        "protocol-version",
        "websocket",
        _HANDSHAKE
        + r"(?P<subject>400|403)|client is using an unsupported version of the Socket\.IO or Engine\.IO protocols",
        "The client speaks an older protocol of Socket.IO than the server: the handshake is refused ({subject}).",
        "The address says `EIO=3` (or less), which servers of Engine.IO 4 and newer refuse.",
        "Client and server were upgraded apart.",
        "Use a client of the server's own generation (`EIO=4`): see the table of compatible versions in the documentation "
        "of python-socketio.",
        exceptions=_OF_HANDSHAKE,
        code=r"EIO=[123]\b",
        raised_in=LIBRARY,
    ),
    row(
        "no-such-socket",
        "websocket",
        _HANDSHAKE + r"(?P<subject>404|405)",
        "The server has no WebSocket at the path that is asked for (HTTP {subject}).",
        "The server is up and answered the handshake: it knows no such route, or not for a socket.",
        "The path in the test (or a prefix that a proxy adds or takes away) differs from the route, or the route is not registered in the "
        "application that runs.",
        "Compare the path of the test's address with the socket routes of the application; follow the one that changed.",
        exceptions=_OF_HANDSHAKE,
        raised_in=LIBRARY,
    ),
    row(
        "not-upgraded",
        "websocket",
        _HANDSHAKE + r"(?P<subject>200|30[1278]|426|50[234])|did not receive a valid HTTP response|"
        r"(?:missing|invalid) (?:Upgrade|Connection) header",
        "What answers the WebSocket handshake does not turn the connection into a socket ({subject}).",
        "The answer is one of plain HTTP: the request never reached a server that speaks WebSocket, or arrived without `Upgrade`.",
        "A proxy in between does not pass the headers `Upgrade` and `Connection` on, or another server listens on this port.",
        "Let the proxy pass `Upgrade` and `Connection` (HTTP/1.1 to the backend), or connect to the server's own port; see which server "
        "answers there.",
        exceptions=_OF_HANDSHAKE,
        raised_in=LIBRARY,
        effort=2,
    ),
    row(
        "handshake-malformed",
        "websocket",
        _HANDSHAKE
        + r"(?P<subject>400)|(?i:unsupported subprotocol|no (?:common )?subprotocols?|subprotocol[^\n]{0,40}(?:not|mismatch))|"
        r"invalid Sec-WebSocket|Invalid header value",
        "Client and server do not agree on the WebSocket handshake ({subject}).",
        "The server looked at the handshake's headers and refused them before any message.",
        "They offer different subprotocols, or a header (version, key, extension, origin) is not what the server takes.",
        "Offer a subprotocol that the server knows (`subprotocols=` on both sides from one constant); compare the headers.",
        exceptions=_OF_HANDSHAKE,
        raised_in=LIBRARY,
    ),
    row(
        "ping-unanswered",
        "websocket",
        r"keepalive ping timeout|ping timeout|No PONG received|[Hh]eartbeat (?:timeout|timed out)",
        "The other side of the WebSocket did not answer a ping in time, so the connection was given up.",
        "The library closed it itself: pings are answered by the event loop, which did not run.",
        "Something blocks the event loop of the other side (a long computation, `time.sleep`, a synchronous client), or it is overloaded.",
        "Move the blocking call off the loop (`asyncio.to_thread`, an async client), or allow more time with `ping_timeout`.",
        exceptions=_CLOSED + " TimeoutError PingTimeout ServerTimeoutError",
        raised_in=LIBRARY,
        effort=2,
    ),
    row(
        "message-too-big",
        "websocket",
        r"\b1009\b|message too big|frame exceeds limit|PayloadTooBig|exceeds (?:the )?(?:max|limit)[^\n]{0,40}(?:size|bytes)",
        "A WebSocket message is bigger than its reader takes (close code 1009).",
        "The reader closed the connection because of the message's size, before the test saw it.",
        "The limit of the reader (`max_size`, one mebibyte by default in `websockets`) is lower than what the other side sends.",
        "Send less at once, or raise the limit on the reading side (`max_size=`).",
        exceptions=_CLOSED + " PayloadTooBig WebSocketError WSMessageTooBig",
        raised_in=LIBRARY,
    ),
    row(
        "namespace-refused",
        "websocket",
        r"namespaces? failed to connect|OPEN packet not returned|Connection refused by the server|Unexpected response from server|"
        r"is not a connected namespace",
        "The Socket.IO server did not let the client in.",
        "The transport was there: the server's `connect` code refused the client, or nothing serves this namespace or path.",
        "The `auth` that the test sends (its token) is not what the server accepts, or namespace or `socketio_path` differ.",
        "Compare `auth`, namespace and `socketio_path` of the test with the server's `connect`; log there why it refuses.",
        exceptions="ConnectionError ConnectionRefusedError BadNamespaceError TimeoutError",
        passed=r"/(?:socketio|engineio)/",
        alone=r"One or more namespaces failed to connect|OPEN packet not returned by server",
        raised_in=LIBRARY,
    ),
    row(
        "event-never-came",
        "websocket",
        r"^(?!.*handshake)(?:TimeoutError|CancelledError|Empty|WebSocketTimeoutException|ServerTimeoutError|Failed: Timeout)\b",
        "The test waits on the WebSocket for a message that never comes.",
        "The time limit passed inside of `receive`: the connection stood, and nothing (more) was sent on it.",
        "The event is not sent, goes to another user or room, was sent before anybody subscribed, or was taken by another reader.",
        "Print every frame with its time, and compare what is sent with what is waited for; subscribe before what causes the event; "
        "put a limit on every receive.",
        exceptions="TimeoutError CancelledError Empty WebSocketTimeoutException ServerTimeoutError Failed",
        passed=CLIENTS,
        raised_in=("stdlib", "library", "test"),
        effort=3,
    ),
    row(
        "waits-without-limit",
        "websocket",
        r"^Run(?:Cancelled|TimedOut)\b(?:[^\n]*?\(while (?P<subject>[^\n]{1,200}) was running\))?",
        "The test waits on the WebSocket, without a limit of its own, for a message that never comes, until the run is ended: {subject}.",
        "The stack of that moment stands inside of the socket's `receive`.",
        "The event is not sent, goes to another user or room, was sent before anybody subscribed, or was taken by another "
        "reader; and nothing "
        "ends the wait.",
        "Put a limit on every receive, and let it print what came until then; compare that with what is waited for.",
        "timeout 60 pytest {test}",
        exceptions="RunCancelled RunTimedOut",
        passed=CLIENTS,
        raised_in=("stdlib", "library"),
        strict=True,
        effort=2,
    ),
    row(
        "handshake-refused",
        "websocket",
        r"(?:rejected WebSocket connection: HTTP (?P<subject>\d{3})|Handshake status (?P<subject_b>\d{3})"
        r"|WSServerHandshakeError: (?P<subject_c>\d{3})|WebSocketDenialResponse|Unexpected (?:status|response) "
        r"code:? (?P<subject_d>\d{3})|WebsocketResponseError: <Response \[(?P<subject_e>\d{3}))",
        "The server answers the WebSocket handshake with HTTP {subject} instead of opening the socket.",
        "The refusal came over HTTP, so the server is up and decided against the upgrade.",
        "The server's route or code behind the handshake fails; its own log says why.",
        "Read the server's log of that moment; the client's traceback only shows the refusal.",
        exceptions="InvalidStatus InvalidStatusCode InvalidHandshake WebSocketBadStatusException "
        "WSServerHandshakeError WebSocketDenialResponse WebsocketResponseError ConnectionError",
        told=r"rejected WebSocket connection: HTTP (?P<subject>\d{3})",
        raised_in=LIBRARY,
        effort=2,
    ),
    row(
        "closed-by-failure",
        "websocket",
        r"\breceived 1011\b|WebSocketDisconnect: \(?1011|code[ =]+1011",
        "The server's WebSocket code failed while the socket was open (close code 1011).",
        "1011 is what a server sends when its own code for this socket raised an exception.",
        "An exception in the server's socket code; its traceback is in the server's log.",
        "Read the server's log of that moment and fix the exception it shows.",
        exceptions=_CLOSED,
        raised_in=LIBRARY,
        effort=2,
    ),
    row(
        "closed-for-limit",
        "websocket",
        r"(?:received |code[ =]+|WebSocketDisconnect: \(?)(?P<subject>4429|1013|[34]\d{3}|1008)\b"
        r"(?=[^\n]{0,120}?(?i:\b(?:too many|limit|quota|slow down|overload\w*|busy)\b))"
        r"|(?:received |WebSocketDisconnect: \(?)(?P<subject_b>4429|1013)\b",
        "The server closed the WebSocket with code {subject}: it counts too many connections (or messages) of this client.",
        "The close frame carries the code and its reason.",
        "Connections of earlier tests are still counted: the product does not count them down when a socket ends, the "
        "tests do not close theirs, or "
        "all tests are one user for a limit that is meant for one.",
        "See that the count goes down in what runs when a socket ends (`finally`), and that fixtures close what they "
        "open; then give each test "
        "its own user, or a fresh counter.",
        exceptions=_CLOSED,
        raised_in=LIBRARY,
        effort=2,
    ),
    row(
        "closed-by-code",
        "websocket",
        r"(?:received |code[ =]+|WebSocketDisconnect: \(?)(?P<subject>[34]\d{3}|100[0-9]|1012|1013)"
        r"|Received message (?:8|WSMsgType\.CLOSE):(?P<subject_b>\d{4})\b",
        "The server closed the WebSocket with code {subject} before the test got what it waits for.",
        "The close frame carries a code that the server chose.",
        "The server ends the socket on purpose: a refused token, a protocol fault, a limit, or the end of its work.",
        "Look up what the server means by this code, and make the test satisfy it or expect it.",
        exceptions=_CLOSED,
        raised_in=LIBRARY,
        together=False,
    ),
    row(
        "closed-without-frame",
        "websocket",
        r"no close frame received or sent|Received message (?:25[678]|WSMsgType\.(?:CLOSED|CLOSING|ERROR)):"
        r"|WebSocketDisconnect|ConnectionClosed(?:Error|OK)?\b|Cannot call \"(?:send"
        r"|receive)\" once a (?:disconnect|close) message|connection is (?:already )?closed|WebSocket is not "
        r"connected",
        "The WebSocket was refused, or ended, before the test got what it waits for.",
        "The connection was not there when the test read or wrote, and no code or reason is shown.",
        "The server refused the socket (its token, origin or path), its process died or left its socket code early, or "
        "the test reads once too "
        "often.",
        "Read the server's log of that moment; close the socket in one place only.",
        exceptions=_CLOSED + " RuntimeError",
        raised_in=LIBRARY,
        effort=2,
    ),
    row(
        "events-differ",
        "assertion",
        rf"^AssertionError: (?=[\s\S]{{0,500}}?(?P<subject>{_EVENT}))(?:"
        rf"(?i:[^\n]{{0,160}}\b(?:missing|not (?:received|sent|found|emitted|delivered|seen)|never"
        rf"|no)\b[^\n]{{0,160}}\b(?:events?|{_EVENT}))"
        rf"|(?:[^\n]{{0,200}}\n)?assert ['\"]{_EVENT}['\"] (?:in|==) [\[{{('\"]"
        rf"|assert \[[^\n]{{0,200}}\] == \[[\s\S]{{0,400}}?'{_EVENT}' != '|(?:[^\n]{{0,300}}{_EVENT}[^\n]{{0,100}}\n)assert \d+ == \d+"
        rf"|assert \[[^\n]{{0,300}}\] == \[[\s\S]{{0,300}}?(?:Left|Right) contains one more item: '{_EVENT}')",
        "The events of a run that the tests expect do not come, or come otherwise ({subject}).",
        "The assertion compares the events that came with those that belong to a run.",
        "They are not sent (or to somebody else, or in another order), or the test stopped reading before; or the "
        "expectation is out of date.",
        "Print every event with its time and order beside what is expected, and follow the first that differs to the line "
        "that should send it.",
        exceptions="AssertionError",
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
