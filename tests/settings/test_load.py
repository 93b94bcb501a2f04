"""From the environment, `.env` and the options to settings, or to all faults at once."""

import secrets
from pathlib import Path

import pytest

from quintet.settings import VARIABLES, Options, Settings, SettingsError, load

pytestmark = pytest.mark.l1

KEY = secrets.token_urlsafe(48)
OTHER_KEY = secrets.token_urlsafe(48)
GOOD = {"QUINTET_SECRET_KEY": KEY, "QUINTET_PUBLIC_URL": "https://chat.example.com"}
NOTHING = Options()
DEV = Options(dev=True)


def made(_folder: Path) -> str:
    """The secret of a data folder."""
    return OTHER_KEY


def faults(environment: dict[str, str], file_text: str | None = None, options: Options = NOTHING) -> dict[str, str]:
    """The lines of a refused start, by the name they begin with."""
    with pytest.raises(SettingsError) as caught:
        load(environment, file_text, options, made)
    lines = [fault.line for fault in caught.value.faults]
    values = {**environment}.values()
    assert all("\n" not in line for line in lines)
    assert not [line for line in lines for value in values if len(value) > 5 and value in line], "a value was shown"
    return {fault.name: fault.line for fault in caught.value.faults}


def test_the_defaults_are_those_of_the_protocol() -> None:
    """What is not set has the default of protocol.md, section 6."""
    settings = load(GOOD)
    assert (settings.host, settings.port, settings.data) == ("localhost", 8750, Path(".quintet"))
    assert (settings.access_token_seconds, settings.token_leeway_seconds) == (600, 30)
    assert (settings.session_idle_seconds, settings.session_max_seconds) == (14 * 86400, 30 * 86400)
    assert (settings.sessions_per_user, settings.sockets_per_user) == (20, 10)
    assert (settings.password_min_characters, settings.password_max_characters) == (15, 256)
    assert (settings.sign_ins_per_minute, settings.registrations_per_minute) == (10, 60)
    assert (settings.sign_in_failures, settings.sign_in_failure_seconds) == (5, 300)
    assert (settings.hashes_waiting, settings.hash_wait_seconds) == (32, 5)
    assert (settings.runs_per_user, settings.queued_runs_per_user) == (5, 20)
    assert (settings.run_seconds, settings.tool_seconds, settings.drain_seconds) == (600, 120, 60)
    assert (settings.frames_per_second, settings.frame_burst) == (10, 30)
    assert (settings.attachment_bytes, settings.header_bytes) == (5_000_000, 16_384)
    assert settings.reserved_bytes == 16 * 1024 * 1024
    assert (settings.sign_up, settings.verify_email, settings.default_agent) == ("invite", False, "assistant")
    assert settings.database == "sqlite:///.quintet/quintet.db"


def test_production_needs_a_secret_and_an_address() -> None:
    """Without them it does not start, and says both at once; empty or blank is the same as missing."""
    for environment in ({}, {"QUINTET_SECRET_KEY": "", "QUINTET_PUBLIC_URL": " "}):
        found = faults(environment)
        assert set(found) == {"QUINTET_SECRET_KEY", "QUINTET_PUBLIC_URL"}
        assert "token_urlsafe" in found["QUINTET_SECRET_KEY"]


def test_every_fault_is_said_at_once() -> None:
    """Eight problems are eight lines; nobody mends a start one line at a time."""
    found = faults(
        {
            "QUINTET_SECRET_KEY": "changeme",
            "QUINTET_PUBLIC_URL": "http://chat.example.com",
            "QUINTET_PORT": "eighty",
            "QUINTET_ALLOWED_ORIGINS": "https://a.example,*",
            "QUINTET_VERIFY_EMAIL": "on",
            "QUINTET_TRUSTED_PROXIES": "*",
            "QUINTET_SESSION_MAX_SECONDS": "3600",
            "QUINTET_SEKRET": "irrelevant",
        }
    )
    assert set(found) == {
        *("QUINTET_SECRET_KEY", "QUINTET_PUBLIC_URL", "QUINTET_PORT", "QUINTET_ALLOWED_ORIGINS", "QUINTET_SMTP_URL"),
        *("QUINTET_TRUSTED_PROXIES", "QUINTET_SESSION_MAX_SECONDS", "QUINTET_SEKRET"),
    }
    assert "0 to 65535" in found["QUINTET_PORT"]
    assert "QUINTET_SECRET_KEY" in found["QUINTET_SEKRET"]


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("QUINTET_SECRETKEY", "QUINTET_SECRET_KEY"),
        ("QUINTET_ALLOWED_ORIGIN", "QUINTET_ALLOWED_ORIGINS"),
        ("QUINTET_Port", "QUINTET_PORT"),
        ("QUINTET_RUN_PER_USERS", "QUINTET_RUNS_PER_USER"),
        ("QUINTET_DEV", "QUINTET_"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(wrong: str, nearest: str) -> None:
    """A misspelt limit would otherwise be no limit."""
    assert nearest in faults({**GOOD, wrong: "x"})[wrong]


def test_names_that_an_orchestrator_or_the_client_makes_are_left_alone() -> None:
    """In Kubernetes a service named quintet starts, port link and all; a machine may hold the client's token."""
    settings = load(
        {
            **GOOD,
            "QUINTET_PORT": "tcp://10.0.0.1:80",
            "QUINTET_PORT_80_TCP_ADDR": "10.0.0.1",
            "QUINTET_SERVICE_HOST": "10.0.0.1",
            "QUINTET_TOKEN": "a-token",
            "HOME": "/root",
        }
    )
    assert settings.port == 8750
    assert "enableServiceLinks" in faults({**GOOD, "QUINTET_WEB_SERVICE_HOST": "10.0.0.1"})["QUINTET_WEB_SERVICE_HOST"]


def test_the_plain_name_of_the_secret_is_understood() -> None:
    """`SECRET_KEY` counts, is held to the same rules, and gives way to the name that is ours."""
    plain = {"SECRET_KEY": KEY, "QUINTET_PUBLIC_URL": "https://chat.example.com"}
    assert load(plain).secrets[0] == KEY
    assert load({**plain, "QUINTET_SECRET_KEY": OTHER_KEY}).secrets[0] == OTHER_KEY
    assert load({**plain, "QUINTET_SECRET_KEY": ""}).secrets[0] == KEY
    assert load({**GOOD, "SECRET_KEY": "somebody else's"}).secrets[0] == KEY
    assert "SECRET_KEY" in faults({**plain, "SECRET_KEY": "changeme"})


def test_the_file_counts_in_development_only_and_the_process_wins() -> None:
    """`.env` is not read in production; in development the process environment wins over it."""
    text = (
        f"# mine\nexport QUINTET_PORT=9000\nQUINTET_SECRET_KEY='{KEY}'\nQUINTET_SIGN_UP=closed # for now\nUNRELATED=1\n"
    )
    settings = load({"QUINTET_PORT": "9001"}, text, DEV)
    assert (settings.port, settings.sign_up, settings.secrets[0]) == (9001, "closed", KEY)
    assert load(GOOD, "QUINTET_PORT=9000\nQUINTET_NONSENSE=1").port == 8750
    assert load({"QUINTET_PORT": ""}, text, DEV).port == 8750


def test_a_fault_of_the_file_says_where_it_is() -> None:
    """A fault in `.env` names the file, and the line where it is no assignment."""
    found = faults({}, "QUINTET_PORT=eighty\n'what is this\nQUINTET_HOST\nQUINTET_HOTS=x\n", DEV)
    assert set(found) == {"QUINTET_PORT (.env)", ".env line 2", ".env line 3", "QUINTET_HOTS (.env)"}


def test_options_win_and_the_variable_is_checked_all_the_same() -> None:
    """A wrong variable does not hide behind an option that replaces it today."""
    options = Options(host="0.0.0.0", port=0, data=Path("/srv/q"), database="sqlite:///x.db", agents=("mine",))
    settings = load({**GOOD, "QUINTET_PORT": "9000", "QUINTET_AGENTS": "other"}, None, options)
    assert (settings.host, settings.port, settings.data) == ("0.0.0.0", 0, Path("/srv/q"))
    assert (settings.database, settings.agents) == ("sqlite:///x.db", ("mine",))
    assert set(faults({**GOOD, "QUINTET_PORT": "x"}, None, Options(port=1))) == {"QUINTET_PORT"}
    assert set(faults({**GOOD, "QUINTET_DATABASE_URL": "x"}, None, Options(database="y"))) == {
        "QUINTET_DATABASE_URL",
        "--database",
    }


def test_wrong_options_alone_are_wrong_usage() -> None:
    """2 where the command line is at fault, 78 as soon as a setting is."""
    for environment, options, code in (
        (GOOD, Options(database="nowhere"), 2),
        (GOOD, Options(role="gateway"), 2),
        ({}, Options(dev=True, host="0.0.0.0"), 2),
        ({"QUINTET_HOST": "0.0.0.0"}, DEV, 78),
        ({}, Options(database="nowhere"), 78),
    ):
        with pytest.raises(SettingsError) as caught:
            load(environment, None, options, made)
        assert caught.value.exit_code == code


def test_development_starts_with_nothing() -> None:
    """`--dev` alone gives a secret of the data folder, loopback and open sign-up; plain http is fine there."""
    folders: list[Path] = []

    def make(folder: Path) -> str:
        folders.append(folder)
        return OTHER_KEY

    settings = load({"QUINTET_PUBLIC_URL": "http://localhost:8750"}, None, Options(dev=True, data=Path("d")), make)
    assert (settings.dev, settings.host, settings.sign_up) == (True, "localhost", "open")
    assert settings.secrets[0] == OTHER_KEY
    assert folders == [Path("d")]


def test_development_makes_nothing_when_something_is_wrong_or_given() -> None:
    """A refused start leaves no secret behind, and a given secret is used and held to the rules."""

    def never(_folder: Path) -> str:
        raise AssertionError("asked for a secret")

    with pytest.raises(SettingsError):
        load({"QUINTET_PORT": "x"}, None, DEV, never)
    assert load({"QUINTET_SECRET_KEY": KEY}, None, DEV, never).secrets[0] == KEY
    assert set(faults({"QUINTET_SECRET_KEY": "changeme"}, None, DEV)) == {"QUINTET_SECRET_KEY"}


def test_a_damaged_development_secret_is_not_used() -> None:
    """An empty or cut file in the data folder stops the start and says which file to delete."""
    with pytest.raises(SettingsError) as caught:
        load({}, None, DEV, lambda _folder: "cut")
    assert [fault.name for fault in caught.value.faults] == ["The secret in the data folder"]
    assert "Delete" in str(caught.value)


def test_every_limit_has_bounds_and_every_variable_a_meaning() -> None:
    """No number may be set to nonsense, and none is without explanation."""
    for name, field in VARIABLES.items():
        info = Settings.model_fields[field]
        assert info.description, name
        if info.annotation is int:
            found = faults({**GOOD, name: "-1"}), faults({**GOOD, name: "9" * 30}), faults({**GOOD, name: "1.5"})
            assert all(set(lines) == {name} for lines in found), name


def test_secrets_are_in_no_representation() -> None:
    """Printing, logging or serialising the settings shows no secret, not even inside a URL."""
    settings = load(
        {
            **GOOD,
            "QUINTET_DATABASE_URL": "postgresql://u:hunter2hunter2@db/q",
            "QUINTET_SMTP_URL": "smtp://u:hunter2hunter2@mail",
        }
    )
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {Settings.model_json_schema()}"
    assert KEY not in shown
    assert "hunter2" not in shown


def test_text_that_is_no_text_is_a_fault() -> None:
    """Bytes that are not UTF-8 reach us as lone surrogates; they stop the start instead of the first request."""
    assert set(faults({**GOOD, "QUINTET_DEFAULT_AGENT": "a\udcff", "QUINTET_SECRET_KEY": KEY + "\udcff"})) == {
        "QUINTET_DEFAULT_AGENT",
        "QUINTET_SECRET_KEY",
    }


def test_a_secret_may_be_a_list_while_it_changes() -> None:
    """The newest first; each is as strong as one has to be; one form or the other, and another program's name counts for nothing."""
    public = {"QUINTET_PUBLIC_URL": "https://chat.example.com"}
    both = {**public, "QUINTET_SECRET_KEYS": f"{KEY}, {OTHER_KEY}", "SECRET_KEY": "another program's"}
    assert load(both).secrets == (KEY, OTHER_KEY)
    assert load(GOOD).secrets == (KEY,)
    assert KEY not in repr(load(both))
    for wrong, what in (
        (f"{KEY},short", "entry 2"),
        (f"{KEY},{KEY}", "the same secret twice"),
        (",".join(KEY[place:] + KEY[:place] for place in range(6)), "at most 5"),
    ):
        told = faults({**public, "QUINTET_SECRET_KEYS": wrong})
        assert set(told) == {"QUINTET_SECRET_KEYS"}
        assert what in told["QUINTET_SECRET_KEYS"]
    assert set(faults({**GOOD, "QUINTET_SECRET_KEYS": OTHER_KEY})) == {"QUINTET_SECRET_KEYS"}
    assert set(faults(public)) == {"QUINTET_SECRET_KEY"}


def test_providers_have_names_of_the_operators_own() -> None:
    """Three variables make one, with a title and trust if told; half of one, an unknown ending and plain http are refused by name."""
    google = {
        "QUINTET_OIDC_GOOGLE_ISSUER": "https://accounts.example.com/",
        "QUINTET_OIDC_GOOGLE_CLIENT_ID": "our-own-id",
        "QUINTET_OIDC_GOOGLE_CLIENT_SECRET": "hush-hush",
    }
    (provider,) = load({**GOOD, **google}).oidc
    assert (provider.name, provider.title, provider.trusted) == ("google", "Google", False)
    assert (provider.issuer, provider.client_id) == ("https://accounts.example.com/", "our-own-id")
    assert "hush" not in repr(load({**GOOD, **google}))
    more = {"QUINTET_OIDC_GOOGLE_TITLE": "Our house", "QUINTET_OIDC_GOOGLE_TRUSTED": "on"}
    (provider,) = load({**GOOD, **google, **more}).oidc
    assert (provider.title, provider.trusted) == ("Our house", True)
    for wrong in (
        {"QUINTET_OIDC_GOOGLE_ISSUER": "http://accounts.example.com"},
        {"QUINTET_OIDC_GOOGLE_ISSUER": "https://accounts.example.com/?tenant=1"},
        {"QUINTET_OIDC_GOOGLE_CLIENT_SECRET": ""},
        {"QUINTET_OIDC_GOOGLE_SECRET": "x"},
        {"QUINTET_OIDC_ISSUER": "https://accounts.example.com"},
        {"QUINTET_OIDC_GOOGLE_TRUSTED": "perhaps"},
    ):
        assert set(faults({**GOOD, **google, **wrong})) == set(wrong)


def test_another_issuer_is_believed_for_our_audience_alone() -> None:
    """An issuer needs an audience, an audience an issuer; only signatures with public keys; never ourselves."""
    issuer = {"QUINTET_ISSUER_URL": "https://login.example.com/", "QUINTET_ISSUER_AUDIENCE": "chat"}
    settings = load({**GOOD, **issuer, "QUINTET_ISSUER_ALGORITHMS": "ES256, EdDSA"})
    assert (settings.issuer_url, settings.issuer_algorithms) == ("https://login.example.com/", ("ES256", "EdDSA"))
    for wrong, names in (
        ({"QUINTET_ISSUER_AUDIENCE": ""}, {"QUINTET_ISSUER_AUDIENCE"}),
        ({"QUINTET_ISSUER_URL": ""}, {"QUINTET_ISSUER_AUDIENCE"}),
        ({"QUINTET_ISSUER_ALGORITHMS": "RS256,HS256"}, {"QUINTET_ISSUER_ALGORITHMS"}),
        ({"QUINTET_ISSUER_ALGORITHMS": "none"}, {"QUINTET_ISSUER_ALGORITHMS"}),
        ({"QUINTET_ISSUER_URL": "https://chat.example.com"}, {"QUINTET_ISSUER_URL"}),
        ({"QUINTET_ISSUER_URL": "http://login.example.com"}, {"QUINTET_ISSUER_URL"}),
    ):
        assert set(faults({**GOOD, **issuer, **wrong})) == names, wrong
