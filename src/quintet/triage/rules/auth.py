"""Tokens, logins and refusals."""

from quintet.triage.signatures import Rule, row

_JWT = (
    "InvalidSignatureError ExpiredSignatureError InvalidAudienceError InvalidIssuerError MissingRequiredClaimError "
    "ImmatureSignatureError DecodeError "
    "InvalidTokenError InvalidKeyError InvalidAlgorithmError JWTError JWTClaimsError BadSignatureError "
    "ExpiredTokenError InvalidSubjectError BadSignature SignatureExpired JOSEError"
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
        raised_in=("library",),
    ),
    row(
        "token-time",
        "auth",
        r"Signature has expired|not yet valid|token (?:is|has) expired",
        "A token is used outside of its time.",
        "The library compared the token's times with the clock.",
        "The token of a fixture is older than its life time, or clocks differ (a frozen clock counts).",
        "Make tokens per test with the clock that the verifier uses.",
        exceptions=_JWT,
        raised_in=("library",),
    ),
    row(
        "token-form",
        "auth",
        r"Not enough segments|Subject must be a string|Expected a string or bytes|Invalid header string|Algorithm "
        r"not supported|Could not deserialize key",
        "What is decoded as a token is none, or has a claim of the wrong kind.",
        "The library refused it before it looked at a signature.",
        "An empty or wrong value reaches the decoder, or the library became stricter with an upgrade.",
        "Print the type (not the value) of what is decoded; follow it back to the fixture that makes it.",
        exceptions=_JWT + " TypeError",
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
    row(
        "handshake-unauthorized",
        "auth",
        r"(?:rejected WebSocket connection: HTTP|Handshake status|WSServerHandshakeError:|Unexpected (?:status"
        r"|response) code:?) (?P<subject>401|403)",
        "The WebSocket handshake is refused with HTTP {subject}: the server does not accept the test's credentials.",
        "401 and 403 are decisions about who is asking; the server is up and its socket route exists.",
        "The token of the test is missing, expired or signed with another secret, or its `Origin` is not allowed.",
        "Send a fresh token the way the server expects it (header, subprotocol or query) and an allowed `Origin`.",
        exceptions="InvalidStatus InvalidStatusCode InvalidHandshake WebSocketBadStatusException "
        "WSServerHandshakeError ConnectionError",
        told=r"rejected WebSocket connection: HTTP (?P<subject>401|403)",
        raised_in=("library",),
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
        "unauthorized",
        "auth",
        r"assert 401 (?:==|in|<) [^\n]{0,30}?2\d\d\b|assert 403 == 2\d\d\b|HTTPStatusError: Client error '40[13] |"
        r"HTTPError: 40[13] Client Error|^HTTPException: 40[13]\b|where 401 = .{0,80}status(?!.{0,200}== 401)",
        "Requests of the tests are refused (401 or 403) where they expect success.",
        "The server is up and refuses the credentials, or gets none.",
        "The login or token fixture does not produce what the server accepts.",
        "Check the token fixture by itself: is it sent, is it fresh, is it signed with the server's secret.",
        exceptions="AssertionError HTTPStatusError HTTPError HTTPException",
        effort=2,
    ),
)
