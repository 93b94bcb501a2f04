"""What `l3` demands: real services, unpatched, and no skip in place of an answer."""

import pytest

from support.project import Project

TABLE = "[tool.quintet.test]\n"
PATCHING = """
    import socket
    import sqlite3
    import sys
    import types
    import unittest.mock
    from unittest import mock
    from unittest.mock import patch

    import httpx
    import pytest

    import app

    pytestmark = pytest.mark.l3

    @patch("socket.socket")
    def test_decorated(_):
        pass

    def test_module_in_app():
        with patch("app.httpx"):
            pass

    def test_class_in_app():
        with mock.patch.object(app, "Client"):
            pass

    def test_object():
        with patch.object(app.client, "get"):
            pass

    def test_started():
        unittest.mock.patch("sqlite3.connect").start()

    def test_monkeypatch(monkeypatch):
        monkeypatch.setattr(httpx, "get", lambda url: None)

    def test_monkeypatch_path(monkeypatch):
        monkeypatch.setattr("socket.create_connection", None)

    def test_modules(monkeypatch):
        monkeypatch.setitem(sys.modules, "redis", types.ModuleType("redis"))

    def test_dict():
        with patch.dict("sys.modules", {"asyncpg": mock.Mock()}):
            pass

    @pytest.fixture
    def offline(monkeypatch):
        monkeypatch.setattr(socket, "getaddrinfo", None)

    def test_by_fixture(offline):
        pass

    @mock.patch("httpx.AsyncClient.get")
    @mock.patch("app.clock")
    class TestDecorated:
        def test_in_class(self, *_):
            pass
"""
ALLOWED = """
    import os
    from unittest.mock import patch

    import httpx
    import pytest

    import app

    @pytest.mark.l3
    @patch("app.clock")
    def test_own_code(_, monkeypatch):
        monkeypatch.setenv("A", "b")
        monkeypatch.setattr(app, "TIMEOUT", 3)
        with patch.dict(os.environ, {"C": "d"}), patch.object(app.Own, "own", create=True), patch.object(httpx, "get", wraps=httpx.get):
            pass

    @pytest.mark.l2
    def test_l2_may_patch():
        with patch("httpx.get"):
            pass
"""
APP = """
    import httpx
    from httpx import Client

    TIMEOUT = 5
    client = httpx.Client()

    class Own(httpx.Client):
        pass

    def clock():
        return 1
"""


@pytest.mark.l3
def test_a_test_that_patches_a_network_is_refused(project: Project) -> None:
    """By decorator, block, patcher, monkeypatch, class or fixture: each is refused, naming file, line and what it patched."""
    project.write("pyproject.toml", TABLE)
    project.write("app.py", APP)
    project.write("test_it.py", PATCHING)
    outcome = project.run("-q")
    outcome.count(passed=0)
    for place, what in {
        '@patch("socket.socket")': "socket.socket",
        'with patch("app.httpx")': "app.httpx (httpx)",
        'mock.patch.object(app, "Client")': "app.Client (httpx)",
        "with patch.object(app.client": "httpx.Client.get",
        'patch("sqlite3.connect")': "sqlite3.connect",
        "setattr(httpx": "httpx.get",
        'setattr("socket.create': "socket.create_connection",
        "setitem(sys.modules": "sys.modules['redis']",
        'patch.dict("sys.modules"': "sys.modules['asyncpg']",
        "setattr(socket": "socket.getaddrinfo",
    }.items():
        outcome.says(
            f"test_it.py:{project.line('test_it.py', place)}: l3 means real services, and this test patches {what}."
        )
    outcome.says("and this test patches httpx.AsyncClient.get")


@pytest.mark.l3
def test_what_is_no_network_may_be_patched(project: Project) -> None:
    """The project's own code, settings, environment and spies on the real thing may be patched, and a lower level may patch all."""
    project.write("pyproject.toml", TABLE)
    project.write("app.py", APP)
    project.write("test_it.py", ALLOWED)
    outcome = project.run("-q")
    outcome.count(passed=2, failed=0)


@pytest.mark.l3
def test_a_patch_that_outlives_its_test_is_refused_where_it_matters(project: Project) -> None:
    """A session's patch that another test set up is refused when a demanding test begins."""
    project.write("pyproject.toml", TABLE)
    project.write(
        "test_it.py",
        """
        from unittest.mock import patch

        import pytest

        @pytest.fixture(scope="session")
        def fake():
            with patch("socket.create_connection"):
                yield

        def test_sets_it_up(fake):
            pass

        @pytest.mark.l3
        def test_demanding():
            pass
        """,
    )
    outcome = project.run("-q")
    outcome.count(passed=1, errors=1)
    outcome.says("test_it.py:7: l3 means real services, and this test patches socket.create_connection")


@pytest.mark.l3
def test_a_skip_is_no_answer(project: Project) -> None:
    """A demanding test that skips itself fails; a mark may still say where a test does not apply."""
    project.write("pyproject.toml", TABLE)
    project.write(
        "test_it.py",
        """
        import sys

        import pytest

        pytestmark = pytest.mark.l3

        @pytest.fixture
        def database():
            pytest.skip("no PostgreSQL here")

        def test_by_fixture(database):
            pass

        def test_inside():
            pytest.skip("no server here")

        @pytest.mark.skipif(sys.version_info > (3, 0), reason="for Python 2")
        def test_not_applying():
            pass

        @pytest.mark.skip(reason="later")
        def test_later():
            pass
        """,
    )
    outcome = project.run("-q")
    outcome.count(failed=1, errors=1, skipped=2)
    outcome.says("test_it.py:9: l3 demands its services", "no PostgreSQL here", "test_it.py:15", "no server here")


@pytest.mark.l3
def test_a_missing_service_is_an_error(project: Project) -> None:
    """Where the services are not started, `l3` and a marker that names one say what is missing and where it is declared; others run."""
    project.write(
        "pyproject.toml",
        """
        [tool.quintet.test.services.api]
        command = ["{python}", "-m", "http.server", "{port}"]
        [tool.quintet.test.markers]
        e2e = { meaning = "through the front door", services = ["api"] }
        """,
    )
    project.write(
        "test_it.py",
        """
        import os

        import pytest

        @pytest.mark.l3
        def test_real():
            pass

        @pytest.mark.e2e
        @pytest.mark.skipif("API" not in os.environ, reason="no service")
        def test_end_to_end():
            pass

        @pytest.mark.l2
        def test_alone():
            pass
        """,
    )
    outcome = project.run("-q", plugins=("no:quintet.testing.services.hooks",))
    outcome.count(passed=1, errors=2, skipped=0)
    outcome.says(
        "l3 demands the service 'api', and it is not running",
        "[tool.quintet.test.services.api]",
        "e2e demands the service 'api'",
    )
