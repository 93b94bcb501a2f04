"""A key that signs must be one that nobody can guess."""

import secrets

import pytest

from quintet.settings.faults import UnfitError
from quintet.settings.secret import strong

pytestmark = pytest.mark.l1

WEAK = {
    "short": "k7Qz-2mVx_9pLw4Rt8Yb1Nc6Hd3Gf",
    "few different characters": "abcabdabeacbadbaecabdaebcadbeacbde",
    "one character": "a" * 64,
    "repetition": "hT7-kP2_vX9q" * 4,
    "repetition cut off": ("hT7-kP2_vX9qLm4R" * 3)[:44],
    "changeme": "changeme-changeit-0192837465-abcdefgh",
    "change this": "please_CHANGE_this_0192837465_abcdefgh",
    "your secret key": "your-secret-key-goes-here-0192837465",
    "replace me": "REPLACE_ME_WITH_A_LONG_RANDOM_STRING_42",
    "framework default": "django-insecure-k7Qz2mVx9pLw4Rt8Yb1Nc6Hd3Gf",
    "tutorial": "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "encrypted": "ENC[AES256_GCM,data:k7Qz2mVx9pLw,iv:4Rt8Yb1Nc6,tag:Hd3Gf,type:str]",
    "angle brackets": "<32 or more random characters of yours>",
    "angle brackets inside": "secret=<insert random characters here 42>",
    "shell variable": "${QUINTET_SECRET_KEY_FROM_SOMEWHERE_1}",
    "template": "{{ vaulted.quintet_k | default('kq72') }}",
    "vault": "op://Production/quintet/credential-key",
    "no text": secrets.token_hex(16) + "\udcff",
    "far too long": secrets.token_hex(1024),
}


@pytest.mark.parametrize("name", WEAK)
def test_a_guessable_key_is_refused_without_being_shown(name: str) -> None:
    """Short, repeated, placeholder and unresolved keys are refused; neither the key nor a piece of it is in the reason."""
    with pytest.raises(UnfitError) as caught:
        strong(WEAK[name])
    said = f"{caught.value.what} {caught.value.fix}"
    assert caught.value.what.startswith("must ")
    assert not any(WEAK[name][at : at + 8] in said for at in range(len(WEAK[name]) - 7))


def test_all_reasons_are_said_at_once() -> None:
    """Whoever mends the key once has mended it."""
    with pytest.raises(UnfitError) as caught:
        strong("changeme")
    assert "32 characters" in caught.value.what
    assert "10 different" in caught.value.what
    assert "placeholder" in caught.value.what


@pytest.mark.parametrize(
    "make", [lambda: secrets.token_urlsafe(32), lambda: secrets.token_hex(16), lambda: secrets.token_urlsafe(96)]
)
def test_random_keys_are_taken(make: object) -> None:
    """No random key is mistaken for a placeholder: 500 of a kind are taken as they are."""
    assert callable(make)
    for _ in range(500):
        key = make()
        if len(set(key)) >= 10:
            assert strong(key) == key


def test_the_longest_key_is_taken_and_one_longer_is_not() -> None:
    """1,024 characters are a key; with one more it is refused for its length, which is then all that is said of it."""
    longest = secrets.token_hex(512)
    assert strong(longest) == longest
    with pytest.raises(UnfitError) as caught:
        strong(f"{longest}x")
    assert caught.value.what == "must have at most 1024 characters"
