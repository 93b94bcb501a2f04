"""What a signed-in user may do, what a provider of identities refuses, and passwords that are stored in another way."""

from quintet.triage.signatures import Rule, row

_RIGHT = (
    r"(?i:\b(?:insufficient[_ ]\w+|roles?|permissions?|scopes?|privileges?|admin\w*|owner\w*|members?(?:hip)?|not (?:allowed|permitted)|rights?"
    r"|staff|superuser)\b)"
)
_REFUSALS = (
    r"invalid_(?:client|grant|scope|request_uri|redirect_uri)|unauthorized_client|unsupported_(?:grant|response)_type|redirect_uri_mismatch"
    r"|(?i:redirect[_ ]uri)|(?i:bad_verification_code|code[_ ]verifier)|access_denied|interaction_required|consent_required"
)

_OWN_SCHEME = (
    r"(?i)\bhash(?:ing)?(?: scheme| algorithm| method)? ['\"`]?(?P<subject>(?:sha|md|pbkdf|bcrypt|scrypt|argon)\w*)['\"`]? "
    r"(?:is )?(?:not supported|unsupported|unknown|not known)"
)

RULES: tuple[Rule, ...] = (
    row(
        "sign-in-fails",
        "auth",
        r"^AssertionError: (?:[^\n]{0,200}\n)?assert (?:False|None)\b(?=[\s\S]{0,200}?where (?:False|None) = "
        r"(?P<subject>\w*(?:log_?in|sign_?in|authenticate"
        r"|check_password|verify_password))\()",
        "The sign-in of the test itself fails: {subject}() says no.",
        "The call gives no user, without an exception: name and password do not fit anybody.",
        "The user is not there (another database, another test), is not active, or the fixture stores the password as plain text: it must be hashed "
        "(Django: `create_user` or `set_password`, not `create`).",
        "Make the user with the product's own function that hashes the password, and sign in with the same words.",
        exceptions="AssertionError",
    ),
    row(
        "key-unreadable",
        "auth",
        r"(?i:could not (?:parse|deserialize) (?:the (?:provided )?)?(?:public |private )?key|unable to load PEM|malformed ?framing"
        r"|no PEM start|not a valid PEM"
        r"|key format is invalid|expecting a PEM)",
        "The key that tokens are signed or checked with cannot be read: it is no PEM as it should be.",
        "The library refused the key itself, before it looked at any token.",
        "The line breaks of the PEM were lost on the way: `\\n` as two letters (or spaces) in a variable or `.env`; its first or last "
        "line is missing; the path of the file stands for its content; or a shared secret for a pair of keys.",
        "Print the first line and the number of lines of the key where it is read. Restore the line breaks (`value.replace('\\\\n', '\\n')`), or "
        "keep the key in a file and its path in the variable.",
        exceptions="InvalidKeyError ValueError JWKError JOSEError UnsupportedAlgorithm TypeError InvalidKey",
        raised_in=("library",),
    ),
    row(
        "origin-not-allowed",
        "auth",
        r"(?i:access-control-allow-(?P<subject>origin|methods|headers|credentials))\b",
        "The answer does not allow the page's {subject} (CORS): the header that would say so is missing or names another.",
        "A browser gives the answer to the page only if the header names the page's origin; the test looks for it.",
        "The origins (methods, headers) that the settings allow are others than the test's: scheme, host and port count to the letter, and "
        "`localhost` is not `127.0.0.1`. Or the middleware is not in this application, or stands behind what answers first.",
        "Compare the `Origin` (and the method) that the test sends with the middleware's `allow_origins` and `allow_methods`, to the letter.",
        exceptions="AssertionError KeyError",
        told=r"(?i:access-control-allow-(?P<subject>origin|methods|headers|credentials))\b",
        names=r"(?i:access-control-allow-(?P<subject>origin|methods|headers|credentials))\b",
    ),
    row(
        "state-lost",
        "auth",
        r"^MismatchingStateError|mismatching_state|(?i:state not equal|state mismatch|invalid state parameter|missing state)",
        "The sign-in with a provider (OAuth, OpenID) finds another state at its return than the one it began with.",
        "The state is kept in the session between the two requests, and compared when the provider sends the user back.",
        "The session of the first request is not there at the second: its cookie is not sent back (`Secure` or "
        "`https_only` over the plain http of a "
        "test, another domain, `SameSite=strict`), the two requests use different clients, or the return is called twice "
        "or with a made-up state.",
        "Use one client for both requests and look at the `Set-Cookie` of the first: in tests over http the session "
        "cookie must not be `Secure` (or "
        "let the client speak https: `base_url='https://testserver'`).",
        exceptions="MismatchingStateError OAuthError OAuth2Error AssertionError",
        told=r"(?i)mismatching_state|state not equal|state mismatch|invalid state",
    ),
    row(
        "no-session",
        "auth",
        r"(?!)(?P<subject>)",
        "The server sees no session of the user who signed in: {subject}.",
        "The answer speaks of the session or its cookie, not of a token.",
        "The client did not sign in, or the cookie was not sent back: it is `Secure` and the test speaks http, its "
        "`Domain` or `Path` is another, "
        "or the request is made by another client object than the sign-in.",
        "Look at the `Set-Cookie` that the sign-in answers: in tests `Domain` must be the client's host, and without "
        "https there must be no "
        "`Secure`. Use one client for both requests.",
        exceptions="AssertionError",
        told=r"(?is)^(?=.{0,400}?(?:assert 401 (?:==|in) [\[({]?[23]\d\d\b|\b401 != [23]\d\d\b))"
        r".{0,200}?(?P<subject>(?:no|missing|invalid|unknown|expired)"
        r" (?:active |valid )?(?:session|cookie)(?: cookie)?|(?:session|cookie) (?:is |was )?(?:missing|not found|required"
        r"|invalid|expired|unknown))",
    ),
    row(
        "token-lacks",
        "auth",
        r"(?!)(?P<subject>)",
        "The server read the token and refuses what is in it: {subject}.",
        "The words are those of a check of the token's claims, after its signature fitted.",
        "The tests make their tokens with other claims than the product's own sign-in: the id of the user under another name, another type "
        "(`access`, `refresh`), or a user who is not in the database of this test.",
        "Let the fixture make its token with the product's own code (its sign-in, or the library's class for tokens), and "
        "compare the names "
        "of the claims with the settings that read them.",
        exceptions="AssertionError",
        told=r"(?s)^(?=.{0,600}?\b40[13] (?:==|!=|in) [\[({]?[23]\d\d\b).{0,300}?(?P<subject>no recognizable user identification"
        r"|(?i:token has (?:wrong|no) (?:type|id)"
        r"|not valid for any token type|(?:wrong|invalid) token type|only (?:access|refresh) tokens are allowed"
        r"|user not found|user is inactive))",
    ),
    row(
        "provider-refuses",
        "auth",
        rf"^(?:OAuth\w*Error|\w*ClientError|InvalidGrantError|InvalidClientError|MissingTokenError)\b[^\n]*?"
        rf"(?P<subject>{_REFUSALS})"
        r"|^(?:HTTPError|HTTPStatusError|ClientResponseError)\b[^\n]{0,120}\b400\b[^\n]{0,200}/(?P<subject_b>token|oauth2?|authorize)\b",
        "The provider of identities (OAuth, OpenID) refuses the request of the application: {subject}.",
        "The words are those of the protocol: the provider compared the request with what is registered there.",
        "Client id, secret, redirect URI, scope or grant of the application, as this run configures it, is not what the "
        "provider has registered: "
        "scheme, host (`testserver`, `localhost`, `127.0.0.1`), port and path of a redirect URI count to the letter. A "
        "code or a refresh token "
        "that was used before is refused as well.",
        "Compare what the request sends with what is registered for this client, to the letter; set the application's "
        "public address for tests, "
        "or register the address that they use. Of refresh tokens and codes use each once: every answer brings the next.",
        exceptions="HTTPError HTTPStatusError ClientResponseError OAuthError OAuth2Error OAuthException "
        "InvalidGrantError InvalidClientError InvalidClientIdError "
        "UnauthorizedClientError InvalidScopeError MissingTokenError InvalidRequestError",
        told=rf"^[\s\S]{{0,400}}?(?P<subject>{_REFUSALS})[\s\S]{{0,400}}?(?:assert 4\d\d (?:==|in) [\[({{]?[23]\d\d\b|4\d\d != [23]\d\d\b)",
    ),
    row(
        "not-permitted",
        "auth",
        rf"(?:assert 403 (?:==|in) [\[({{]?[23]\d\d|\b403 != [23]\d\d)(?=[\s\S]{{0,400}}?(?P<subject>{_RIGHT}))"
        rf"|^(?:PermissionDenied|Forbidden\w*|HTTPException|HTTPStatusError|HTTPError"
        rf"|ClientResponseError)\b(?=[^\n]{{0,80}}403)[^\n]{{0,200}}?(?P<subject_b>{_RIGHT})",
        "The server knows the user that the tests act as, and does not allow what they do ({subject}).",
        "403 and its words speak of a right, not of a token: who asks was accepted.",
        "The fixture signs in somebody else than its name promises, or the user (the token's scopes) lacks the role that "
        "the route demands.",
        "See as whom the fixture of the client signs in and which roles or scopes that user has; compare these with what "
        "the route demands, and "
        "sign in as the right one, or give the role where the user is made.",
        exceptions="PermissionDenied Forbidden ForbiddenError HTTPException HTTPStatusError HTTPError ClientResponseError AssertionError",
        told=rf"^[\s\S]{{0,300}}?(?P<subject>{_RIGHT})[\s\S]{{0,300}}?(?:assert 403 (?:==|in) [\[({{]?[23]\d\d\b|403 != [23]\d\d\b)",
    ),
    row(
        "let-in",
        "auth",
        r"assert (?P<subject>2\d\d (?:==|in) [\[({]?40[13])\b|\b(?P<subject_b>2\d\d != 40[13])\b",
        "The server lets in what the test expects it to refuse ({subject}).",
        "The request was answered with success: no check stopped it.",
        "The check is not there (or not on this route), or it looks for something else than what sign-out, revocation or "
        "the role store: another "
        "claim (`jti`, `sub`), another key, another client of the cache. Or an earlier test left somebody signed in: an "
        "override of a dependency, a "
        "session, a header of a shared client.",
        "Follow the request to the check that should refuse it. After a sign-out or a revocation compare what is stored "
        "there with what the check "
        "looks up. Then run this test alone: where it passes alone, an earlier one left its sign-in behind "
        "(`dependency_overrides.clear()` after the "
        "`yield` of the fixture that sets it). Otherwise see that the route demands the check at all.",
        exceptions="AssertionError",
        code=r"(?i)status|\b40[13]\b|unauthori|forbidden",
        effort=2,
    ),
    row(
        "hash-unknown",
        "auth",
        r"hash could not be identified|^InvalidHash(?:Error)?\b|Invalid salt|[Ii]nvalid hash method"
        r"|Unknown password hashing algorithm '(?P<subject>\w+)'"
        r"|not a valid (?P<subject_b>\w+) hash|malformed (?P<subject_c>\w+) hash",
        "A stored password was hashed in a way that the code that checks it does not know ({subject}).",
        "The library read the beginning of the stored text (`$2b$`, `$argon2id$`, `pbkdf2_sha256$`), or found no hash in it, "
        "before it compared anything.",
        "The hashing of passwords was changed (or the library of it), and what fixtures, seeds or the database hold is of the way "
        "before, or plain text.",
        "Make the stored hashes with the product's own function, or keep the former scheme among those that are accepted "
        "(marked as deprecated), "
        "so that old ones are renewed at the next sign-in.",
        exceptions="UnknownHashError InvalidHash InvalidHashError MalformedHashError ValueError",
        raised_in=("library", "stdlib"),
        strict=True,
    ),
    row(
        "scheme-unknown",
        "auth",
        _OWN_SCHEME,
        "A stored password was hashed in a way that the product does not check ({subject}).",
        "The product's own check refuses the scheme before it compares anything.",
        "The hashing of passwords was changed, and what fixtures, seeds or the database hold is of the way before.",
        "Make the stored hashes of the tests with the product's own function, or let the check know the former scheme.",
        raised_in=("product",),
        strict=True,
        guess=True,
    ),
)
