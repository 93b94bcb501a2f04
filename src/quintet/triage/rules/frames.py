"""What is in the frames of a WebSocket, and who takes them. These rows go before those about the connection."""

from quintet.triage.rules.websocket import CLIENTS, LIBRARY
from quintet.triage.signatures import Rule, row

# Rows that know only the words of a test, which other tests use as well: for runs that show sockets.
BY_WORDS = frozenset({"error-instead", "event-not-come", "no-subprotocol", "not-accepted", "nothing-received"})

RULES: tuple[Rule, ...] = (
    row(
        "type-without-method",
        "websocket",
        r"No handler for (?:message|event) type (?P<subject>[\w.:/-]{1,80})",
        "An event of the type {subject} is sent to a group, and its consumer has no method of this name.",
        "The dispatcher of the consumer looked for the method that the type names, and found none.",
        "Of a type `card.moved` Django Channels makes the method's name `card_moved` (dots become underscores): one of "
        "the two was renamed, or is "
        "spelled otherwise.",
        "Give `group_send` the type whose method the consumer has, or the consumer the method.",
        exceptions="ValueError",
        raised_in=("library",),
    ),
    row(
        "control-frame-read",
        "websocket",
        r"Received message (?:WSMsgType\.)?(?P<subject>9|10|PING|PONG)\b",
        "The test reads a ping (or pong) of the WebSocket itself where it expects a message (frame type {subject}).",
        "9 and 10 are the control frames ping and pong, which a library answers by itself unless it is told not to.",
        "The client was opened with `autoping=False`, so the server's heartbeat arrives as a message (and stays "
        "unanswered, which ends the connection).",
        "Leave `autoping` on; or pass over frames that are not text, and answer a ping with `pong()`.",
        exceptions="WSMessageTypeError TypeError",
        raised_in=LIBRARY,
    ),
    row(
        "text-and-binary",
        "websocket",
        r"Received message (?:(?:WSMsgType\.)?(?:2|BINARY):[^\n]{0,200}is not (?:str|WSMsgType\.TEXT)"
        r"|(?:WSMsgType\.)?(?:1|TEXT):[^\n]{0,200}is not (?:bytes"
        r"|WSMsgType\.BINARY))|^KeyError: '(?P<subject>text|bytes)'$",
        "A WebSocket message is read as the other kind than it was sent: text and binary are two kinds of frames.",
        "The library tells the kind of the frame that came.",
        "One side sends bytes (`send_bytes`, a `bytes` object, an encoder that gives bytes), the other reads text; or the reverse.",
        "Send and read the same kind on both sides (`send_str` with `receive_str`, `send_text` with `receive_text`).",
        exceptions="WSMessageTypeError TypeError KeyError",
        raised_in=LIBRARY,
        passed=CLIENTS,
        strict=True,
    ),
    row(
        "error-instead",
        "websocket",
        r"assert ['\"](?:[\w.:-]*[._:-])?(?:error|exception|nack|rejected|refused|failed"
        r"|invalid)['\"] == ['\"](?P<subject>[\w.:-]{2,60})['\"]",
        "The server answers with an error event where the test expects {subject}.",
        "The event that came is the product's own report that it could not take what was sent.",
        "What the test sends does not fit what the server reads: another envelope (`payload` for `data`), a field or a "
        "type that is missing or "
        "renamed, "
        "or no right to do it; the words of the event say which.",
        "Compare the message that the test sends with the model (or the code) that reads it, field by field; let both sides use one model.",
        exceptions="AssertionError",
        told=r"assert ['\"](?:[\w.:-]*[._:-])?(?:error|exception|nack|rejected|refused|failed"
        r"|invalid)['\"] == ['\"](?P<subject>[\w.:-]{2,60})['\"]",
        code=r"(?i)\[['\"](?:type|event|kind|op|action)['\"]\]|\.(?:type|event|kind)\b|\b(?:event|frame|message)\b",
    ),
    row(
        "no-subprotocol",
        "websocket",
        r"^AssertionError: (?:[^\n]{0,200}\n)?assert None (?:==|in|is not) ?(?P<subject>['\"][^'\"\n]{1,60}['\"])?",
        "Client and server agreed on no subprotocol of the WebSocket, where the test expects {subject}.",
        "The connection stands, and its protocol is `None`: the server chose none of those that were offered.",
        "The client offers other names than the server knows (another version, another spelling), or one side names none at all.",
        "Compare the list that the client offers (`subprotocols=`, `protocols=`) with the server's, to the letter; let both take it from one place.",
        exceptions="AssertionError",
        code=r"(?i)\b(?:ws_|sub_?)protocol\b|\b(?:ws|\w*socket|sock|conn\w*)\.protocol\b",
    ),
    row(
        "not-accepted",
        "websocket",
        r"^AssertionError: (?:[^\n]{0,200}\n)?assert \(?(?:False|None)\b",
        "The server does not accept the connection that the test opens.",
        "The line of the test asks whether it is connected, and it is not.",
        "The server's code refuses who asks (nobody is signed in: the client of the test sends no session, cookie or "
        "token), knows no such path, "
        "or closes before it accepts.",
        "Look at the close code (Channels' `connect()` gives it as its second value) and at what the server logs; sign "
        "the test's client in as the "
        "server expects it: headers with the session's cookie or the token, or the user in the scope.",
        exceptions="AssertionError",
        code=r"(?i)\bassert (?:\w+\.)?(?:is_)?connected\b",
        effort=2,
    ),
    row(
        "nothing-received",
        "websocket",
        r"^IndexError: (?:list|deque|tuple|pop from an? empty|pop from empty)[^\n]{0,40}|^StopIteration"
        r"|^ValueError: not enough values to unpack \(expected \d+, got 0\)",
        "The list of what was received is empty where the test takes something from it: no event reached this client.",
        "The line that fails reads the first of the events (messages, frames), and there is none.",
        "The event goes to another namespace, room or user than this client's, has another name, nobody handles what the "
        "test sends (a handler in "
        "another namespace), or the test looks before it can have come.",
        "Print what was received and what the server emits, with namespace, room and name; connect the client to the "
        "namespace of the handler, "
        "and wait for the event with a limit before it is read.",
        exceptions="IndexError StopIteration ValueError",
        code=r"(?i)\b(?:\w*_)?(?:received|frames?|emitted|emits|broadcasts?)(?:\(\))?(?:\[|\.pop|\)|$)",
        raised_in=("test", "stdlib"),
        strict=True,
        guess=True,
    ),
    row(
        "event-not-come",
        "websocket",
        r"(?!)",  # only in what the test says itself
        "The event {subject} that the test waits for does not come.",
        "The test looked through what came and says so itself.",
        "The server gives the event another name than the test (one of the two was renamed), sends it elsewhere, or does not send it.",
        "Print the names of what comes, and compare them with {subject}; change the side that was left behind.",
        exceptions="AssertionError Failed",
        told=r"(?i)\b(?:event|message|frame|reply|broadcast|notification) ['\"`]?(?P<subject>[\w.:/-]{2,60})['\"`]? "
        r"(?:has |was |did |is )?(?:never|not|n't) (?:arrived?|came|come|(?:been )?(?:received|seen|sent|delivered))\b"
        r"|^expected (?:the |an? )?['\"`]?(?P<subject_b>[a-z][\w.:]{2,40})['\"`]?[^\n]{0,40}?,? (?:but )?(?:got|received|saw) "
        r"['\"](?:[\w.:]*[.:_])?(?P=subject_b)[.:_\w]*['\"]",
    ),
)
