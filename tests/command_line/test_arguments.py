"""Several values after one flag."""

import pytest

from quintet.cli.arguments import spread

pytestmark = pytest.mark.l1


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("serve --agents a b", "serve --agents a --agents b"),
        ("serve --agents a --agents b c", "serve --agents a --agents b --agents c"),
        ("serve --agents=a b --dev", "serve --agents=a --agents b --dev"),
        ("serve --dev --agents a b c --port 0", "serve --dev --agents a --agents b --agents c --port 0"),
        ("serve --port 0 --agents a", "serve --port 0 --agents a"),
        ("serve --agents --dev", "serve --agents --dev"),
        ("serve --agents a -- b c", "serve --agents a -- b c"),
        ("serve --dev", "serve --dev"),
    ],
)
def test_several_modules_may_follow_one_flag(given: str, meant: str) -> None:
    """`--agents a b` and `--agents a --agents b` are the same, wherever other options stand."""
    assert spread(given.split(), "--agents") == meant.split()
