"""Words of a command line of pytest, as far as they can be told apart without knowing every plugin's options."""

import shlex
from collections.abc import Sequence

__all__ = ["passed_on", "positional", "without", "without_plugins", "words"]

PASSED_ON = (
    "-c",
    "--config-file",
    "--rootdir",
    "-p",
    "-o",
    "--override-ini",
    "--import-mode",
    "--pyargs",
    "--confcutdir",
)


def words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


WITH_VALUE = {"-k", "-m", "-p", "-c", "-o", "-W", "-n", "-r", "--rootdir", "--override-ini", "--config-file"}


def positional(arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments that are paths, as far as one can tell without knowing every plugin's options."""
    found: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word in WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            found.append(word)
    return tuple(found)


def without(words: Sequence[str], unknown: Sequence[str]) -> list[str]:
    """The options without those that nobody knows, and without the values that stood behind those."""
    kept: list[str] = []
    dropping = False
    for word in words:
        if word.startswith("-"):
            dropping = word in unknown
        if not dropping:
            kept.append(word)
    return kept


def without_plugins(asked: Sequence[str], absent: Sequence[str]) -> list[str]:
    """The options without those that load one of the absent plugins."""
    kept: list[str] = []
    for word in asked:
        if kept and kept[-1] == "-p" and word in absent:
            kept.pop()
        elif not (word.startswith("-p") and word[2:] in absent):
            kept.append(word)
    return kept


def passed_on(arguments: Sequence[str]) -> list[str]:
    """Of an invocation's arguments those that decide what is read and collected; not those that select or report."""
    kept: list[str] = []
    rest = iter(arguments)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name in PASSED_ON:
            kept += [word] if equals or name == "--pyargs" else [word, next(rest, "")]
        elif name in ("-k", "-m", "-W", "-n", "-r"):
            next(rest, None)
    return kept + list(positional(arguments))
