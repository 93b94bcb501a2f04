"""A cookie that a client will not send back, told by the line that shows how it was set (`Set-Cookie`).

Rules: only a line that names the header counts; the reason is named only where the line shows the attribute that keeps the cookie back.
"""

import re

SET_COOKIE = re.compile(r"(?i)\bset[-_]cookie\b[^\n]{0,12}?[:=]")
_DOMAIN = re.compile(r"(?i);\s*domain=\.?(?P<domain>[\w.-]{1,80})")
_SECURE = re.compile(r"(?i);\s*secure\b")
_PATH = re.compile(r"(?i);\s*path=(?P<path>/[\w./-]{1,80})")


def said_of_cookie(line: str) -> str:
    """Why a client may not send it back, as sentences that begin with a space; nothing where the line shows no reason."""
    if not SET_COOKIE.search(line):
        return ""
    said = ""
    if (domain := _DOMAIN.search(line)) and domain["domain"] not in ("localhost", "testserver", "127.0.0.1"):
        said += f" The cookie is meant for `{domain['domain']}`: a client that talks to another host (`testserver`, `localhost`) never sends it back."
    if _SECURE.search(line):
        said += " The cookie is `Secure`: over plain http it is never sent back."
    if (path := _PATH.search(line)) and not said:
        said += f" The cookie is for paths below `{path['path']}` only."
    return said
