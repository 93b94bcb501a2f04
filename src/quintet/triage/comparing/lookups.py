"""What was looked for, compared with what there is: a failure or a line of a log that shows both.

Rules: the name and the collection stand in one sentence that says that the name was not found; both are shown as they are there; equal but
for kind or spelling is said as such, and nothing is said where the name is in the collection.
"""

import ast
import re
from difflib import get_close_matches
from typing import NamedTuple

_LONGEST = 600
_SHOWN = 4
_NAMES = 50
_NEAR = 0.72
_FAILED = re.compile(
    r"(?i)\b(?:no|not|unknown|missing|invalid|unsupported|unexpected|undefined|unregistered|undeclared|cannot|can't|without"
    r"|KeyError|den(?:y|ied)|refused|rejected|lacks?|insufficient\w*|required?"
    r"|0 (?:connections?|sockets?|subscribers?|listeners?|clients?|members?|matches|rows|results))\b"
)
_NOUNS = r"ids?|users?|rooms?|keys?|channels?|sessions?|clients?|threads?|topics?|items?|versions?|codes?|types?|members?|accounts?"
_ASKED = re.compile(
    rf"b?'(?P<one>[^'\n]{{1,80}})'|b?\"(?P<two>[^\"\n]{{1,80}})\""
    rf"|\b(?:{_NOUNS})[ =:#]{{1,3}}(?P<number>\d{{1,12}})\b(?![.:]\d)",
    re.IGNORECASE,
)
_KEY = re.compile(r".?[{,] ?b?['\"].{1,80}['\"] ?:")  # of a dictionary
_COLLECTION = re.compile(
    r"(?<!\[)(?:dict_keys\()?(\[[^\[\]\n]{0,300}\]|\{[^{}\n]{0,300}\}|\((?:'[^'\n]{1,60}', ?)+(?:'[^'\n]{1,60}')?\)|(?:set"
    r"|frozenset|dict)\(\))"
)
_GRANTED = re.compile(
    r"['\"]?(?:required?|needed|expected|wanted|missing)['\"]?[:=] ?['\"]([^'\"\n]{1,80})['\"][^\n]{0,40}?"
    r"['\"]?(?:granted|have|has|roles?|scopes?|permissions|allowed|actual|got)['\"]?[:=] ?(\[[^\[\]\n]{0,300}\])"
)
_LISTED = re.compile(
    r"(?i)\b(?:available|known|registered|declared|defined|valid|allowed|supported|existing|expected|choices|options|have"
    r"|has|got|one of|among"
    r"|online|members|rooms|keys?|names?)\b[\w ]{0,24}[:=]\s*((?:['\"]?[\w.:/-]{1,60}['\"]?, ?){1,12}['\"]?[\w.:/-]{1,60}['\"]?)"
)
_SENTENCE = re.compile(r"\w \w[^\n]*\.$|(?:\w+ ){4}")  # a complaint, not a name
_VALUE = r"('[^'\n]{1,80}'|\"[^\"\n]{1,80}\"|https?://[^\s,;)'\"]{3,80})"
_WANTED = re.compile(
    rf"(?i)\b(?:want(?:ed|s)?|expect(?:ed|s|ing)?|should (?:be|have been)|must be|instead of|requires?)\b(?: \w+)?[ :=]{{1,3}}{_VALUE}"
)
_GOT = re.compile(rf"(?i)\b(?:got|found|received|given|actual|was|is)\b(?: \w+)?[ :=]{{1,3}}{_VALUE}")


class Lookup(NamedTuple):
    """The name, what there is of its kind, and how the two differ: `kind`, `spelling`, `near`, `absent` or `empty`."""

    asked: str
    there: tuple[str, ...]
    how: str


def lookup_in(text: str) -> Lookup | None:
    """The first sentence of the text that shows a name and, apart from it, the names there are."""
    line = text[:_LONGEST].split("\n", 1)[0]
    if not _FAILED.search(line):
        return None
    for found in _GRANTED.finditer(line):
        there = _members(found[2])
        if there and (compared := _compared(found[1], there)):
            return compared
    for found in (*_COLLECTION.finditer(line), *_LISTED.finditer(line)):
        named = [
            one
            for one in _ASKED.finditer(line, 0, found.start())
            if not _KEY.match(line[max(0, one.start() - 2) : one.end() + 2])
        ]
        there = _members(found[1]) if named else None
        if there is not None and (compared := _compared(_asked(named[-1]), there)):
            return compared
    return None


def _pair(text: str) -> str:
    """Two values of which one is said to be wanted and the other to be there."""
    line = text[:_LONGEST].split("\n", 1)[0]
    wanted = _WANTED.search(line)
    rest = line[: wanted.start()] + " | " + line[wanted.end() :] if wanted else ""
    alone = list(re.finditer(_VALUE, rest))
    there = _GOT.search(rest) or (alone[0] if len(alone) == 1 else None)
    if wanted is None or there is None:
        return ""
    want, got = (found[1].strip("'\"") for found in (wanted, there))
    return "" if want == got else f" `{_shown(got)}` is there where `{_shown(want)}` is wanted."


def said_of(text: str) -> str:
    """The same in a sentence, or nothing."""
    found = lookup_in(text)
    if found is None:
        return _pair(text)
    asked, there = f"`{found.asked}`", ", ".join(f"`{one}`" for one in found.there[:_SHOWN])
    return {
        "kind": f" One value in two kinds: {asked} is looked for, {there} is there.",
        "spelling": f" One name in two spellings: {asked} is looked for, {there} is there.",
        "near": f" {asked} is looked for; the nearest that is there is {there}.",
        "absent": f" {asked} is looked for; there are only {there}.",
        "empty": f" {asked} is looked for where nothing at all is registered at that moment.",
    }[found.how]


# Why the two may differ, and the first step that follows from it.
_ADVICE = {
    "kind": (
        "One side keeps it as text (a path, a claim of a token, JSON), the other as a number or an object of its own.",
        "Convert {asked} and {there} to one kind, in one place, where the value comes in.",
    ),
    "spelling": (
        "Both sides mean one thing and write it by different conventions (case, dots, dashes, prefixes).",
        "Write {asked} and {there} in one way, from one name that both sides import.",
    ),
    "near": (
        "One of the two is misspelt, or was renamed on one side.",
        "See which of {asked} and {there} is right, and correct the other.",
    ),
    "absent": (
        "What asks and what is registered come from different sources: an old name (key, version, room), or one that is made only elsewhere.",
        "Ask for one of those that are there, or register {asked} where the others are.",
    ),
    "empty": (
        "It is registered later than it is asked for, somewhere else (another process, another instance), or never.",
        "See that {asked} is registered before it is asked for, in the same process and the same object.",
    ),
    "pair": (
        "The two sides take the value from different settings or defaults.",
        "Give both sides the value from one setting.",
    ),
}


def advice_of(text: str) -> tuple[str, str] | None:
    """Why the name and what is there may differ, and the first step; or None."""
    found = lookup_in(text)
    if found is None:
        return _ADVICE["pair"] if _pair(text) else None
    root, step = _ADVICE[found.how]
    return root, step.format(asked=f"`{found.asked}`", there=f"`{found.there[0]}`" if found.there else "")


def _asked(found: re.Match[str]) -> object:
    return int(found["number"]) if found["number"] else found["one"] or found["two"]


def _members(words: str) -> list[object] | None:
    """The names in a collection as Python or a sentence writes it; of a dictionary its keys. None where it is no collection of names."""
    if words in ("set()", "frozenset()", "dict()"):
        return []
    if words[0] not in "[({":
        return [int(part) if part.isdigit() else part for raw in words.split(",") if (part := raw.strip(" '\""))]
    try:
        value = ast.literal_eval(words)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(value, list | tuple | set | dict) or any(
        isinstance(one, str) and _SENTENCE.search(one) for one in value
    ):
        return None
    return list(value)[:_NAMES]


def _compared(asked: object, there: list[object]) -> Lookup | None:
    if asked in there or any(isinstance(one, list | dict) for one in there):
        return None
    if not there:
        return Lookup(_shown(asked), (), "empty")
    for how, alike in (("kind", _bare), ("spelling", _plain)):
        same = [one for one in there if alike(one) == alike(asked)]
        if same:
            return Lookup(_shown(asked), (_shown(same[0]),), how)
    near = get_close_matches(str(asked), map(str, there), 1, _NEAR)
    if near:
        return Lookup(_shown(asked), (_shown(next(one for one in there if str(one) == near[0])),), "near")
    return Lookup(_shown(asked), tuple(map(_shown, there)), "absent")


def _bare(value: object) -> str:
    return str(value).strip("'\"")


def _plain(value: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(value).lower()) or str(value)


def _shown(value: object) -> str:
    return repr(value)[:80].replace("`", "'")
