"""Tokens, logins and refusals."""

import re
from dataclasses import replace

from quintet.triage.signatures import Rule, row

_JWT = (
    "InvalidSignatureError ExpiredSignatureError InvalidAudienceError InvalidIssuerError MissingRequiredClaimError "
    "ImmatureSignatureError DecodeError "
    "InvalidTokenError InvalidKeyError InvalidAlgorithmError JWTError JWTClaimsError BadSignatureError "
    "ExpiredTokenError InvalidSubjectError BadSignature SignatureExpired JOSEError "
    "GraphQLError AuthError AuthenticationError AuthenticationFailed HTTPException"  # into which they are put
)

_TOKENS = _JWT + (
    " InvalidIssuedAtError InvalidJTIError PyJWKClientError PyJWKClientConnectionError PyJWKSetError JWTSignatureError "
    "JWKError BadTimeSignature"
)


def _answered(words: str) -> str:
    """An answer of 401 or 403 that tells its reason, shown by a test that gives up."""
    return rf"^[\s\S]{{0,300}}?(?:{words})[\s\S]{{0,300}}?assert 40[13] (?:==|in) [\[({{]?2\d\d\b"


_HANDSHAKE = row(
    "handshake-unauthorized",
    "auth",
    r"(?:rejected WebSocket connection: HTTP|Handshake status|WSServerHandshakeError:|Unexpected (?:status"
    r"|response) code:?) (?P<subject>401|403)|WebsocketResponseError: <Response \[(?P<subject_b>401|403)\b",
    "The WebSocket handshake is refused with HTTP {subject}: the server does not let this test in.",
    "The server is up and answered before it accepted the socket. (FastAPI and Starlette answer 403 to whatever they close before "
    "they accept it, also to a path that no route has.)",
    "The token of the test is missing, expired or signed with another secret, its `Origin` is not allowed, no socket has this path, or the "
    "server knows none of the subprotocols that are offered.",
    "Check path and subprotocol first; then send a fresh token the way the server expects it (header, subprotocol or "
    "query) and an allowed `Origin`.",
    exceptions="InvalidStatus InvalidStatusCode InvalidHandshake WebSocketBadStatusException "
    "WSServerHandshakeError ConnectionError WebsocketResponseError",
    told=r"rejected WebSocket connection: HTTP (?P<subject>401|403)",
    raised_in=("library",),
)
# Clients that raise any refusal as one of HTTP: only the line that connects tells that it was a socket's.
_HANDSHAKE_OF_HTTP = replace(
    _HANDSHAKE,
    pattern=re.compile(r"\bHTTP (?:Error )?(?P<subject>401|403)\b"),
    exceptions=frozenset({"HTTPClientError", "HTTPError"}),
    code=re.compile(r"\b(?:websocket_connect|ws_connect|connect_ws|create_connection)\("),
    told=None,
)

RULES: tuple[Rule, ...] = (
    row(
        "token-audience",
        "auth",
        r"Invalid audience|missing the \"?aud\"? claim|Invalid issuer|Audience doesn't match",
        "A token is decoded with another audience (or issuer) than it was made with.",
        "The library compared the claim of the token with what the caller expects.",
        "The product puts a claim into its tokens that this caller does not name, or the other way round.",
        "Pass the same `audience` and `issuer` where tokens are decoded as where they are made.",
        exceptions=_JWT,
        told=_answered(r"Invalid (?:audience|issuer)|Audience doesn't match"),
        raised_in=("library",),
    ),
    row(
        "token-signature",
        "auth",
        r"Signature verification failed|signature verification failed|bad_signature|BadSignature",
        "Signer and verifier of the tokens use different secrets.",
        "The token is well formed and its signature does not fit the verifier's key.",
        "The secret comes from two sources (a default in one place, the environment in the other).",
        "Give both sides the secret from one place; compare a short fingerprint of both.",
        exceptions=_JWT,
        told=_answered(r"[Ss]ignature verification failed|[Ii]nvalid signature"),
        raised_in=("library",),
    ),
    row(
        "token-time",
        "auth",
        r"Signature has expired|not yet valid|token (?:is|has) expired",
        "A token is used outside of its time.",
        "The library compared the token's times with the clock.",
        "The token of a fixture is older than its life time, or clocks differ (a frozen clock counts); or its times were computed from "
        "`datetime.utcnow()`, which knows no zone: `timestamp()` takes it for local time, and the token is hours off from the start.",
        "Make tokens per test with the clock that the verifier uses, and their times from `datetime.now(timezone.utc)` or `time.time()`.",
        exceptions=_JWT,
        told=_answered(r"[Ss]ignature has expired|[Tt]oken (?:has |is )?expired|not yet valid"),
        raised_in=("library",),
    ),
    row(
        "token-algorithm",
        "auth",
        r"alg(?:orithm)? (?:value )?(?:is )?not (?:allowed|supported|found)|InvalidAlgorithmError|requires cryptography to be installed",
        "A token is signed with an algorithm that its reader does not accept.",
        "The library compared the token's `alg` with what the reader allows, before it looked at the signature.",
        "The tokens are made with another algorithm (or kind of key) than the one they are read with.",
        "Name the same algorithm where tokens are made and where they are read (`algorithms=[...]`), from one setting.",
        exceptions=_JWT,
        raised_in=("library",),
    ),
    row(
        "token-claim",
        "auth",
        r"[Tt]oken is missing the \\?\"?(?P<subject>\w+)\\?\"? claim",
        "A token lacks the claim {subject} that its reader demands.",
        "The library read the token (its signature fits) and did not find the claim.",
        "Who makes the token puts other claims into it, or names this one otherwise, than the product's own sign-in does.",
        "Let the tests make their tokens with the product's own code, or put the claim {subject} into what they encode.",
        exceptions=_JWT,
        told=_answered(r"missing (?:the |required )?(?:claim:? )?\\?['\"]?(?P<subject>\w+)\\?['\"]? claim"),
        raised_in=("library",),
    ),
    row(
        "token-form",
        "auth",
        r"Not enough segments|Subject must be a string|Expected a string or bytes|Invalid header string|Algorithm "
        r"not supported|Could not deserialize key",
        "What is decoded as a token is none, or has a claim of the wrong kind.",
        "The library refused it before it looked at a signature.",
        "An empty or wrong value reaches the decoder (a token of bytes, written into a header with an f-string, becomes "
        "`b'…'`), or the library became "
        "stricter with an upgrade.",
        "Print the type (not the value) of what is decoded; follow it back to the fixture that makes it.",
        exceptions=_JWT + " TypeError",
        told=_answered(r"Invalid (?:header|crypto|payload) (?:padding|string)|Not enough segments"),
        raised_in=("library",),
    ),
    row(
        "key-too-short",
        "auth",
        r"InsecureKeyLengthWarning|HMAC key is \d+ bytes|below the minimum recommended length",
        "The tests sign tokens with a key that is too short, and warnings are errors here.",
        "The library warns about the key's length and the configuration turns warnings into errors.",
        "The test secret has fewer than 32 bytes.",
        "Use a test secret of 32 bytes or more.",
        exceptions="InsecureKeyLengthWarning",
        raised_in=("library",),
    ),
    _HANDSHAKE,
    _HANDSHAKE_OF_HTTP,
    row(
        "closed-unauthorized",
        "auth",
        r"(?:received |code[ =:]+|WebSocketDisconnect: \(?)(?P<subject>[34]\d{3}|1008)\b(?=[^\n]{0,120}(?i:token|"
        r"auth|unauthori|forbidden|credential|origin|"
        r"session|expired|denied|permission|login))|(?:received |code[ =:]+|WebSocketDisconnect: \(?)(?P<subject_b>4401|4403)\b",
        "The server closed the WebSocket with code {subject}: it does not accept who the test says it is.",
        "The close frame carries a code (and a reason) that the server chose for this.",
        "The token that the test sends is missing, expired or of another user or secret, or its `Origin` is not allowed.",
        "Send a fresh token the way the server expects it; if the refusal is what is tested, expect the close.",
        exceptions="ConnectionClosed ConnectionClosedError ConnectionClosedOK WebSocketDisconnect WebSocketConnectionClosedException",
        raised_in=("library", "stdlib", "test"),
    ),
    row(
        "login-first",
        "auth",
        r"^(?!AssertionError: assert )[^\n]{0,160}?(?i:\b(?:must|need to|have to|please) (?:be )?(?:log(?:ged)?[ "
        r"-]?in|sign(?:ed)?[ -]?in"
        r"|login|authenticate)|\bnot (?:logged in|authenticated)\b|\bno (?:access |auth )?token (?:available|"
        r"obtained|returned)"
        r"|\blogin (?:failed|required))|^KeyError: ['\"](?:access_token|id_token|auth_token|token|jwt)['\"]",
        "The tests could not sign in, so what needs a signed-in user fails after it.",
        "These tests stop because an earlier step gave them no token.",
        "The sign-in that they rely on failed before.",
        "Repair the sign-in first (look at the entries about login and registration), then run these again.",
        exceptions="AssertionError Failed RuntimeError ValueError Exception KeyError",
        effort=2,
    ),
    row(
        "sign-in-page",
        "auth",
        r"assert 30[1237] (?:==|in) [\s\S]{0,300}?(?i:url=|location)[^\n]{0,80}(?i:log-?in|sign-?in|/auth|/sso)"
        r"|(?i:redirected to|Location: )"
        r"[^\n]{0,80}(?i:/log-?in|/sign-?in)"
        r"|assert .{1,200}? in b?['\"][^'\"\n]{0,200}(?i:\b(?:please |must )(?:log|sign) ?in\b|<title>\s*(?:log|sign)[ -]?in)",
        "Requests of the tests are sent to the sign-in page: the server sees nobody who is signed in.",
        "The answer is a redirect, and its target is the page for signing in.",
        "The client of the test has no session: it never signed in, or its session cookie is not sent back (`Secure` over http, another "
        "domain or path).",
        "Sign the client in before the request (`client.force_login(user)`, a fixture with a session); if it does, look at the cookie's "
        "`Secure`, `Domain`, `Path` and `SameSite`.",
        exceptions="AssertionError",
        told=r"(?is)(?:\blocation\b['\"]?[,:=] ?|\burl=)[^\n]{0,60}?(?:/log-?in|/sign-?in|/auth\b|/sso\b)(?=.{0,400}?assert 30[1237] (?:==|in))",
    ),
    row(
        "csrf",
        "auth",
        r"(?i)\bcsrf\b[^\n]{0,120}(?:fail|missing|not set|incorrect|invalid|expired|mismatch|does not match|required|from POST)",
        "Requests of the tests are refused because they bring no valid CSRF token.",
        "The refusal names the CSRF check.",
        "The client enforces CSRF and does not send the token with its cookie, or the request's origin is not trusted.",
        "Fetch the form first and send its token (`X-CSRFToken`, `csrfmiddlewaretoken`) together with the cookie; trust the origin in the "
        "settings; or use a client that does not enforce the check where it is not what is tested.",
        exceptions="AssertionError CSRFError PermissionDenied HTTPException ValueError",
        told=r"(?i)\bcsrf\b[^\n]{0,80}(?:fail|missing|not set|incorrect|invalid)",
    ),
    row(
        "origin-refused",
        "auth",
        r"^AssertionError: [^\n]{0,80}Disallowed CORS (?P<subject>origin|method|headers)"
        r"|assert 400 [\s\S]{0,300}Disallowed CORS (?P<subject_b>origin|method|headers)",
        "The server refuses the test's preflight request: its {subject} is not among those allowed.",
        "The CORS middleware answered 400 itself, before any route.",
        "The origins (methods, headers) that the settings of this run allow are others than the test sends.",
        "Compare the request's `Origin`, `Access-Control-Request-Method` and `-Headers` with the middleware's "
        "`allow_origins`, `allow_methods` and "
        "`allow_headers`: scheme, host and port count.",
        exceptions="AssertionError",
    ),
    row(
        "token-other",
        "auth",
        rf"^(?P<subject>{'|'.join(_TOKENS.split())})\b",
        "The library for tokens refuses a token: {subject}.",
        "The exception is the library's own, raised while it read or made a token.",
        "What the token says, or the key and the options it is read with, do not fit what the other side uses.",
        "Compare how the token is made with how it is read: key, algorithm, claims.",
        exceptions=_TOKENS,
        raised_in=("library",),
        strict=True,
        together=False,
    ),
    row(
        "unauthorized",
        "auth",
        r"(?:(?=[\s\S]{0,600}?['\"](?:detail|error|message|msg)['\"]: ['\"](?P<subject>[^'\"\n]{3,80})))?(?:"
        r"assert 401 (?:==|in|<) [^\n]{0,30}?2\d\d\b|assert 403 (?:==|in) [\[({]?2\d\d\b|^AssertionError: 40[13] != 2\d\d\b|"
        r"Response code was 40[13] "
        r"|assert \{['\"](?:detail|error|message|msg)['\"]: ['\"][^'\"\n]{0,200}(?:[Cc]redentials|[Aa]uthenticated|"
        r"[Uu]nauthorized|[Nn]ot (?:logged|signed) in)|HTTPStatusError: Client error '40[13] |"
        r"HTTPError: (?:HTTP Error )?40[13](?: Client Error|:)|^ClientResponseError: 40[13], "
        r"|^(?!AssertionError|Failed)\w*(?:H[Tt][Tt][Pp]|Status|Response|Api|API)\w*: [^\n]{0,40}?\b40[13]\b"
        r"|^HTTPException: 40[13]\b"
        r"|^AssertionError: (?!assert 401 == 4)[\s\S]{0,300}?where 401 = "
        r".{0,80}status(?!.{0,200}== 401))",
        "Requests of the tests are refused (401 or 403) where they expect success: {subject}.",
        "The server is up and refuses the credentials, or gets none.",
        "The login or token fixture does not produce what the server accepts.",
        "Check the token fixture by itself: is it sent, is it fresh, is it signed with the server's secret.",
        exceptions="AssertionError HTTPStatusError HTTPError HTTPException ClientResponseError HTTPClientError",
        others=True,
        effort=2,
    ),
)
