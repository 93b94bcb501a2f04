"""Markers that a plugin brings: one that is unknown is often a plugin that is not installed."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

__all__ = ["OWNERS", "installed", "owner"]

_BY_PLUGIN: Final = {
    "allure-pytest": "allure_label allure_link allure_description allure_display_name",
    "anyio": "anyio",
    "celery": "celery",
    "hypothesis": "hypothesis",
    "pytest-arraydiff": "array_compare",
    "pytest-asyncio": "asyncio",
    "pytest-benchmark": "benchmark",
    "pytest-cov": "no_cover",
    "pytest-datafiles": "datafiles",
    "pytest-dependency": "dependency",
    "pytest-django": "django_db urls ignore_template_errors",
    "pytest-forked": "forked",
    "pytest-freezegun": "freeze_time",
    "pytest-httpx": "httpx_mock",
    "pytest-line-profiler": "line_profile",
    "pytest-memray": "limit_memory limit_leaks",
    "pytest-mpl": "mpl_image_compare",
    "pytest-order": "order",
    "pytest-playwright": "only_browser skip_browser browser_context_args",
    "pytest-qt": "qt_no_exception_capture qt_log_level_fail qt_log_ignore qt_log_extend no_qt_log",
    "pytest-random-order": "random_order",
    "pytest-recording": "vcr block_network default_cassette",
    "pytest-remotedata": "remote_data internet_off",
    "pytest-repeat": "repeat",
    "pytest-rerunfailures": "flaky",
    "pytest-run-parallel": "thread_unsafe parallel_threads iterations",
    "pytest-socket": "enable_socket disable_socket allow_hosts",
    "pytest-timeout": "timeout",
    "pytest-tornado": "gen_test",
    "pytest-trio": "trio",
    "pytest-xdist": "xdist_group",
    "respx": "respx",
}
OWNERS: Final = {marker: plugin for plugin, markers in _BY_PLUGIN.items() for marker in markers.split()}


def owner(marker: str) -> str | None:
    """The distribution whose plugin brings this marker, where it is a known one."""
    return OWNERS.get(marker)


def installed(distribution: str) -> bool:
    """Whether this interpreter has the distribution; its plugin may still be switched off by `-p no:…`."""
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
