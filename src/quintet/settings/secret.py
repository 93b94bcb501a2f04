"""What makes a secret key unusable. protocol.md, section 7.

1. At least 32 characters, at least 10 different ones, no repetition of a shorter string.
2. No placeholder that people leave in place, and no reference that nothing has resolved.
3. What is wrong is said without a character, a count or a piece of the value.
"""

import re

from pydantic import SecretStr

from .faults import UnfitError

__all__ = ["MAKE_ONE", "strong", "strong_ones"]

MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"

MOST_SECRETS = 5
LEAST_LENGTH = 32
LEAST_DIFFERENT = 10
MOST_LENGTH = 1024

# Looked for in the letters and digits alone, lower-cased. Each is long enough that chance does not write it into a random key.
_PLACEHOLDERS = (
    *(
        "changeme",
        "changethis",
        "changeit",
        "changeinprod",
        "changebefore",
        "tobechanged",
        "pleasechange",
        "mustchange",
    ),
    *(
        "replaceme",
        "replacethis",
        "replacewith",
        "replaceinprod",
        "fixmefixme",
        "todotodo",
        "setyour",
        "putyour",
        "putasecret",
    ),
    *(
        "enteryour",
        "insertyour",
        "insertsecret",
        "pasteyour",
        "yoursecret",
        "yourkey",
        "yourown",
        "yourrandom",
        "yourlong",
    ),
    *(
        "yoursuper",
        "yourjwt",
        "yourapp",
        "yourvery",
        "your256bit",
        "your32",
        "placeholder",
        "examplesecret",
        "examplekey",
    ),
    *(
        "secretexample",
        "keyexample",
        "samplesecret",
        "samplekey",
        "dummysecret",
        "dummykey",
        "defaultsecret",
        "defaultkey",
    ),
    *("mysecret", "mysupersecret", "supersecret", "topsecret", "verysecret", "secretkeyhere", "secrethere", "keyhere"),
    *("notasecret", "notsosecret", "notsecure", "notsecret", "notforproduction", "donotuse", "dontuse", "insecure"),
    *(
        "thisisasecret",
        "thisisthesecret",
        "somesecret",
        "somerandom",
        "arandomstring",
        "longrandomstring",
        "asecretkey",
    ),
    *("generateasecret", "generatearandom", "generateone", "atleast32", "min32char", "minimum32", "32characters"),
    *("256bitsecret", "256bitslong", "opensslrand", "xxxxxxxx", "thisismyscretkey", "temporarykey"),
    # Keys printed in widely copied tutorials.
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "correcthorsebatterystaple",
)
_REFERENCE = re.compile(
    r"ENC\[|\$\{|\$\(|\{\{|\{%|^<.*>$|<[^<>]*(?:secret|key|your|random|insert)[^<>]*>|^%.*%$"
    r"|^(?:op|vault|awssm|gcpsm|keyvault|ref\+\w+|aws-sm|secretsmanager)://|^vault:|^arn:aws|^projects/[^/]+/secrets/|^!vault|^age1",
    re.IGNORECASE | re.DOTALL,
)


def strong(secret: str) -> str:
    """The secret itself. Raises `UnfitError`, with all reasons in one sentence, if it must not sign or derive anything."""
    reasons = [reason for reason, found in _reasons(secret) if found]
    if reasons:
        raise UnfitError(" and ".join(reasons), MAKE_ONE)
    return secret


def strong_ones(value: object) -> object:
    """Several secrets, separated by commas or blanks. Raises `UnfitError`, with the place of a wrong one."""
    if not isinstance(value, str):
        return value
    found = [entry for entry in re.split(r"[\s,]+", value) if entry]
    if len(found) > MOST_SECRETS:
        raise UnfitError(
            f"must have at most {MOST_SECRETS} entries", "Remove the oldest: whatever they sealed is sealed anew."
        )
    if len(set(found)) < len(found):
        raise UnfitError("must not hold the same secret twice", "Remove one of them.")
    for place, entry in enumerate(found, 1):
        try:
            strong(entry)
        except UnfitError as unfit:
            raise UnfitError(f"{unfit.what} (entry {place})", unfit.fix) from None
    return tuple(map(SecretStr, found))


def _reasons(secret: str) -> list[tuple[str, bool]]:
    if len(secret) > MOST_LENGTH:
        return [(f"must have at most {MOST_LENGTH} characters", True)]
    bare = re.sub(r"[^a-z0-9]", "", secret.lower())
    return [
        (f"must have at least {LEAST_LENGTH} characters", len(secret) < LEAST_LENGTH),
        (f"must have at least {LEAST_DIFFERENT} different characters", len(set(secret)) < LEAST_DIFFERENT),
        ("must not be a repetition of a shorter text", _repeats(secret)),
        ("must be one line of printable UTF-8 text", not secret.isprintable()),
        ("must not be a placeholder", any(known in bare for known in _PLACEHOLDERS)),
        ("must not be a reference that nothing has resolved", _REFERENCE.search(secret) is not None),
    ]


def _repeats(secret: str) -> bool:
    """Whether a part of at most half the length, written again and again and cut off anywhere, gives the whole."""
    return any(secret[period:] == secret[:-period] for period in range(1, len(secret) // 2 + 1))
