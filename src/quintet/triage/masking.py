"""Secrets are taken out of the text before anything else looks at it.

Rules: mask by the name in front of a value, by the known shape of a token, and by position (DSN, header, key block).
Rather mask a harmless word than show a secret; but a message that only speaks *about* a token stays readable,
or the analysis loses the sentence that explains the failure. Every pattern is linear: the input is hostile.
"""

import re
from collections.abc import Callable

MASK = "[masked]"

_NAME = (
    r"(?<![\w.-])[\w.-]{0,64}?(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|secret[_-]?key|signing[_-]?key|encryption[_-]?key|account[_-]?key|storage[_-]?key|authorization|cookie|credentials?"
    r"|session[_-]?id|signature|_pass|_key|_pat|\bpass)"
)
_PREFIX = r"(?:[rRbBuUfF]{1,2})?"

# name = "value", "name": 'value', ('name', 'value'), name=b'value'
_QUOTED = re.compile(
    rf"({_NAME}\\?[\"']?\s{{0,4}}(?:[:=]|,(?=\s?(?:\"[^\"\n]{{1,4000}}\"|'[^'\n]{{1,4000}}')(?!\s?:))|=>"
    rf"|\bis\b)\s{{0,4}}{_PREFIX}(\\?[\"']))((?:(?!\2).){{1,4000}}?)(\2)",
    re.IGNORECASE,
)
_SPOKEN = re.compile(r"\b(password|passwd|token|secret|api key)[ \t]+([\"'])([^\"'\s]{4,200})(\2)", re.IGNORECASE)
# NAME=value, --name value, name=value&…
_BARE = re.compile(
    rf"({_NAME}(?:\s{{0,2}}=\s{{0,2}}|=))(?!(?:\[masked\]|None|True|False|null|true|false|\"|'|[rRbBuUfF]{{1,2}}[\"']"
    rf"|[\w.]{{1,80}}[(\[]|=))([^\s,;&\"'<>)\]}}]{{1,4000}})",
    re.IGNORECASE,
)
_OPTION = re.compile(
    r"(--[\w-]{0,40}(?:password|passwd|secret|token|api-key|access-key)[ =])([^\s\"'<>-][^\s\"'<>]{0,400})",
    re.IGNORECASE,
)
# "password: hunter2" but not "Invalid token: Signature has expired"
_COLON = re.compile(rf"({_NAME}[\"']?:\s{{1,4}})([^\s,;&\"'<>()\[\]{{}}]{{3,400}})(?=([ \t,;]*)(.?))", re.IGNORECASE)

_SHAPES = (
    re.compile(r"\beyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?"),
    re.compile(r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[\w-]{16,}"),
    re.compile(
        r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|hf_|npm_|pypi-|whsec_|dop_v1_|shpat_|ATATT)[\w-]{10,}"
    ),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\bAIza[\w-]{30,}"),
    re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}"),
    re.compile(r"\$(?:2[aby]|argon2id?|6|5)\$[\w./$,=+]{20,}"),
)
_DSN = re.compile(
    r"([a-zA-Z][\w+.-]{1,30}://[^\s:/@\"'<>]{0,200}:)((?!\d{1,5}/)(?:[^\s\"'<>/]{1,400}|[^\s@\"'<>]{1,400}))(@)"
)
_DSN_TOKEN = re.compile(r"([a-zA-Z][\w+.-]{1,30}://)([^\s:/@\"'<>]{20,400})(@)")
# pytest shortens long values in the middle, which may leave half of an address
_DSN_HALVES = (
    re.compile(r"()(?<=\.\.\.)(?!\.)([^\s\"'<>/@]{1,200}+)(@)"),
    re.compile(r"([a-zA-Z][\w+.-]{1,30}://[^\s:/@\"'<>]{1,200}:)((?!\d{1,5}\b)[^\s@\"'<>/]{1,200}?)(\.\.\.)"),
)
_SCHEME = re.compile(
    r"\b((?:Bearer|Basic|Token|ApiKey)[ \t]+)((?=[^\s\"'<>]*[\d=_./+-])[^\s\"'<>,;)\]]{8,8000}|[A-Za-z]{20,4000})"
)
_AUTH_PAIR = re.compile(r"(\bauth\s?=\s?\(\s?[\"'][^\"']{0,200}[\"']\s?,\s?[\"'])([^\"']{1,400})([\"'])")
_HEADER = re.compile(r"(\b(?:set-)?cookie:[ \t]+|\bauthorization:[ \t]+)([^\s\"'<>][^\"'<>\n]{0,4000})", re.IGNORECASE)
_KEY_BLOCK = re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)([^-]{1,20000})")
_RANDOM = re.compile(
    r"(?<![\w.+-])(?=[\w-]{0,80}\d)(?=[\w-]{0,80}[a-z])(?=[\w-]{0,80}[A-Z])[A-Za-z0-9_-]{32,512}={0,2}(?![\w/.])"
)
# pydantic prints the name on one line and the value on the next
_NAME_ALONE = re.compile(rf"{_NAME}(?:$|\\n|[ \t]{{2}})", re.IGNORECASE)
_INPUT_VALUE = re.compile(r"(input_value=)(.{1,400}?)(, input_type|\]|$)")


_HINT = re.compile(r"pass|pwd|secret|token|key|auth|cookie|credential|session|signature|_pat", re.IGNORECASE)
# What keeps a cookie from being sent back is no secret, and often the reason of a failure.
_ATTRIBUTE = re.compile(
    r";\s*(Secure|HttpOnly|SameSite=(?:lax|strict|none)|Domain=\.?[a-z0-9.-]{1,60}|Path=/[a-z/_-]{0,40})(?=\s*(?:[;,]|$))",
    re.IGNORECASE,
)


def _header(found: re.Match[str]) -> str:
    told = _ATTRIBUTE.findall(found[2]) if found[1].lower().startswith("set-") else []
    return "; ".join([found[1] + MASK, *told])


_NAMED: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_HEADER, _header),
    (_AUTH_PAIR, rf"\1{MASK}\3"),
    (_QUOTED, rf"\1{MASK}\4"),
    (_SPOKEN, rf"\1 \2{MASK}\4"),
    (_OPTION, rf"\1{MASK}"),
    (_BARE, rf"\1{MASK}"),
)
_LINES = 16


def mask(text: str) -> str:
    """The text with every secret it shows replaced by `[masked]`. The number of lines stays the same."""
    lines = _KEY_BLOCK.sub(_block, text).split("\n")
    return "\n".join(
        _portion(lines[at : at + _LINES], lines[at - 1] if at else "") for at in range(0, len(lines), _LINES)
    )


def _portion(lines: list[str], previous: str) -> str:
    """A few lines at a time: one pattern over megabytes would hold the interpreter, and with it everybody a server serves."""
    text = "\n".join(lines)
    for shape in _SHAPES:
        text = shape.sub(MASK, text)
    text = _DSN.sub(rf"\1{MASK}\3", text)
    for half in _DSN_HALVES:
        text = half.sub(rf"\1{MASK}\3", text)
    text = _DSN_TOKEN.sub(rf"\1{MASK}\3", text)
    text = _SCHEME.sub(rf"\1{MASK}", text)
    lines = text.split("\n")
    masked = (_line(line, before) for before, line in zip([previous, *lines], lines, strict=False))
    return _RANDOM.sub(_random, "\n".join(masked))


def _line(line: str, previous: str) -> str:
    value = line.find("input_value=")
    if value >= 0 and _NAME_ALONE.search(f"{previous[-200:]}\\n{line[max(0, value - 400) : value]}"):
        line = _INPUT_VALUE.sub(rf"\1{MASK}\3", line)
    if not _HINT.search(line):
        return line
    for pattern, replacement in _NAMED:
        line = pattern.sub(replacement, line)
    return _COLON.sub(_colon, line)


def _block(found: re.Match[str]) -> str:
    return found[1] + MASK + "\n" * found[2].count("\n")


def _colon(found: re.Match[str]) -> str:
    value, after = found[2], found[4]
    looks_secret = any(not letter.isalpha() for letter in value.rstrip(".:!")) or after in ("", "\n")
    return found[1] + MASK if looks_secret and value != MASK else found[0]


def _random(found: re.Match[str]) -> str:
    word = found[0]
    return MASK if word.count("_") + word.count("-") <= 3 and sum(c.isdigit() for c in word) >= 3 else word
