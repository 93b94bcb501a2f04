"""Several values after one flag, which the parser of options does not know by itself."""

from collections.abc import Iterator, Sequence

__all__ = ["spread"]


def spread(arguments: Sequence[str], flag: str) -> list[str]:
    """The arguments with `flag` written before each of its values: `--agents a b` becomes `--agents a --agents b`.

    What follows the flag is its value up to the next option or `--`, so a command with this flag takes no positional arguments.
    """
    return list(_spread(arguments, flag))


def _spread(arguments: Sequence[str], flag: str) -> Iterator[str]:
    taking = first = False
    for place, argument in enumerate(arguments):
        if argument == "--":
            yield from arguments[place:]
            return
        if argument.startswith("-"):
            taking, first = argument.partition("=")[0] == flag, argument == flag
        elif taking and first:
            first = False
        elif taking:
            yield flag
        yield argument
