"""Which distribution brings a marker, an option or a setting, for the plugins that people use most.

From the documentation of each plugin. A name that is not here has no known owner: that it is unknown is still certain, whose it is is not.
"""

from collections.abc import Mapping

from quintet.testing.markers.owners import OWNERS

from .interpreter import canonical

__all__ = ["MARKERS", "OPTIONS", "SETTINGS", "option_owner", "owner_absent"]

MARKERS: dict[str, tuple[str, ...]] = {marker: (plugin,) for marker, plugin in OWNERS.items()} | {
    "benchmark": ("pytest-benchmark", "pytest-codspeed"),
    "codspeed": ("pytest-codspeed",),
    "dependency": ("pytest-dependency", "pytest-depends"),
    "flaky": ("pytest-rerunfailures", "flaky"),
    "freeze_time": ("pytest-freezer", "pytest-freezegun"),
    "time_machine": ("time-machine",),
    "vcr": ("pytest-recording", "pytest-vcr"),
}
"""Of the plugins that bring a marker of that name the usual one first."""

OPTIONS: dict[str, tuple[str, ...]] = {
    "--cov": ("pytest-cov",),
    "--no-cov": ("pytest-cov",),
    "-n": ("pytest-xdist",),
    "--numprocesses": ("pytest-xdist",),
    "--dist": ("pytest-xdist",),
    "--maxprocesses": ("pytest-xdist",),
    "--tx": ("pytest-xdist",),
    "--timeout": ("pytest-timeout",),
    "--session-timeout": ("pytest-timeout",),
    "--reruns": ("pytest-rerunfailures",),
    "--only-rerun": ("pytest-rerunfailures",),
    "--ds": ("pytest-django",),
    "--dc": ("pytest-django",),
    "--reuse-db": ("pytest-django",),
    "--create-db": ("pytest-django",),
    "--nomigrations": ("pytest-django",),
    "--no-migrations": ("pytest-django",),
    "--html": ("pytest-html",),
    "--self-contained-html": ("pytest-html",),
    "--alluredir": ("allure-pytest",),
    "--clean-alluredir": ("allure-pytest",),
    "--asyncio-mode": ("pytest-asyncio",),
    "--anyio-mode": ("anyio",),
    "--benchmark": ("pytest-benchmark",),
    "--codspeed": ("pytest-codspeed",),
    "--hypothesis": ("hypothesis",),
    "--mypy": ("pytest-mypy",),
    "--ruff": ("pytest-ruff",),
    "--flake8": ("pytest-flake8",),
    "--pylint": ("pytest-pylint",),
    "--black": ("pytest-black",),
    "--random-order": ("pytest-random-order",),
    "--randomly": ("pytest-randomly",),
    "--json-report": ("pytest-json-report",),
    "--report-log": ("pytest-reportlog",),
    "--ctrf": ("pytest-json-ctrf",),
    "--disable-socket": ("pytest-socket",),
    "--allow-hosts": ("pytest-socket",),
    "--allow-unix-socket": ("pytest-socket",),
    "--record-mode": ("pytest-recording",),
    "--block-network": ("pytest-recording",),
    "--snapshot": ("syrupy",),
    "--inline-snapshot": ("inline-snapshot",),
    "--nbval": ("nbval",),
    "--nbmake": ("nbmake",),
    "--doctest-plus": ("pytest-doctestplus",),
    "--remote-data": ("pytest-remotedata",),
    "--picked": ("pytest-picked",),
    "--testmon": ("pytest-testmon",),
    "--forked": ("pytest-forked",),
    "--count": ("pytest-repeat",),
    "--memray": ("pytest-memray",),
    "--env": ("pytest-env",),
    "--envfile": ("pytest-dotenv",),
    "--docker": ("pytest-docker",),
    "--force-sugar": ("pytest-sugar",),
    "--instafail": ("pytest-instafail",),
    "--browser": ("pytest-playwright",),
    "--headed": ("pytest-playwright",),
    "--durations-path": ("pytest-split",),
    "--splits": ("pytest-split",),
}

SETTINGS: dict[str, tuple[str, ...]] = {
    "asyncio_mode": ("pytest-asyncio",),
    "asyncio_default_fixture_loop_scope": ("pytest-asyncio",),
    "asyncio_default_test_loop_scope": ("pytest-asyncio",),
    "asyncio_debug": ("pytest-asyncio",),
    "anyio_mode": ("anyio",),
    "trio_mode": ("pytest-trio",),
    "trio_run": ("pytest-trio",),
    "timeout": ("pytest-timeout",),
    "timeout_method": ("pytest-timeout",),
    "timeout_func_only": ("pytest-timeout",),
    "session_timeout": ("pytest-timeout",),
    "DJANGO_SETTINGS_MODULE": ("pytest-django",),
    "DJANGO_CONFIGURATION": ("pytest-django",),
    "django_find_project": ("pytest-django",),
    "env": ("pytest-env",),
    "env_files": ("pytest-dotenv", "pytest-env"),
    "env_override_existing_values": ("pytest-dotenv",),
    "looponfailroots": ("pytest-xdist",),
    "rsyncdirs": ("pytest-xdist",),
    "mock_use_standalone_module": ("pytest-mock",),
    "reruns": ("pytest-rerunfailures",),
    "reruns_delay": ("pytest-rerunfailures",),
    "doctest_plus": ("pytest-doctestplus",),
    "remote_data_strict": ("pytest-remotedata",),
    "qt_api": ("pytest-qt",),
    "bdd_features_base_dir": ("pytest-bdd",),
    "render_collapsed": ("pytest-html",),
    "postgresql_exec": ("pytest-postgresql",),
    "postgresql_port": ("pytest-postgresql",),
    "mpl-baseline-path": ("pytest-mpl",),
    "strict_markers": ("pytest>=9",),
    "strict_config": ("pytest>=9",),
    "strict": ("pytest>=9",),
    "strict_xfail": ("pytest>=9",),
    "strict_parametrization_ids": ("pytest>=9",),
}


def option_owner(option: str) -> tuple[str, ...]:
    """The distributions that bring an option: by its whole name, else by the longest known beginning."""
    name = option.partition("=")[0]
    if name in OPTIONS:
        return OPTIONS[name]
    if name.startswith("-n") and not name.startswith("--"):
        return OPTIONS["-n"]
    known = [one for one in OPTIONS if one.startswith("--") and name.startswith(one + "-")]
    return OPTIONS[max(known, key=len)] if known else ()


def owner_absent(owners: tuple[str, ...], distributions: Mapping[str, str]) -> str | None:
    """The distribution to install, None where there is no known owner or one of them is there."""
    return None if not owners or any(canonical(one) in distributions for one in owners) else owners[0]
