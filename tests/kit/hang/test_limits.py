"""When the guard watches, and when it does not."""

import re

import pytest

from support.project import Project

TABLE = "[tool.quintet.test]\nhang = 0.5\n"
WAITS = "import time\n\ndef test_it():\n    time.sleep(60)\n"


@pytest.mark.l3
def test_one_test_may_have_another_limit(project: Project) -> None:
    """The marker gives one test more time, less, or all it wants."""
    project.write("pyproject.toml", TABLE)
    project.write(
        "test_it.py",
        """
        import time

        import pytest

        @pytest.mark.hang_guard(5)
        def test_more():
            time.sleep(0.8)

        @pytest.mark.hang_guard(seconds=0.1)
        def test_less():
            time.sleep(0.4)

        @pytest.mark.hang_guard(0)
        def test_free():
            time.sleep(0.8)
        """,
    )
    outcome = project.run("-q")
    outcome.count(passed=2, failed=1)
    outcome.says("test_less had not ended after 0.1 s")


@pytest.mark.l3
def test_a_project_that_asks_for_nothing_is_not_watched(project: Project) -> None:
    """Without the table nothing is watched; the option asks for it in any project."""
    project.write(
        "test_it.py",
        "import threading\nimport time\n\ndef test_it():\n    time.sleep(0.4)\n    assert threading.active_count() == 1\n",
    )
    project.run("-q").count(passed=1)
    outcome = project.run("-q", "--quintet-hang=0.2")
    outcome.count(failed=1)
    outcome.says("waits at test_it.py:5 in test_it", "had not ended after 0.2 s")


@pytest.mark.l3
def test_whoever_debugs_has_all_the_time(project: Project) -> None:
    """While a debugger traces the process nothing is a hang; a coverage measurement does not count as one."""
    project.write("pyproject.toml", TABLE)
    project.write(
        "test_it.py",
        """
        import bdb
        import sys
        import time

        class Debugger(bdb.Bdb):
            def user_line(self, frame):
                pass

        def measure(frame, event, arg):
            return None

        def test_debugged():
            debugger = Debugger()
            debugger.set_trace()
            try:
                time.sleep(1.2)
            finally:
                sys.settrace(None)

        def test_measured():
            sys.settrace(measure)
            try:
                time.sleep(60)
            finally:
                sys.settrace(None)
        """,
    )
    outcome = project.run("-q")
    outcome.count(passed=1, failed=1)
    outcome.says("call of test_it.py::test_measured had not ended")


@pytest.mark.l3
def test_beside_pytest_timeout(project: Project) -> None:
    """Whichever limit is shorter ends the test, once; the other one leaves the next test alone."""
    project.write("pyproject.toml", "[tool.quintet.test]\nhang = 1\n")
    project.write(
        "test_it.py",
        """
        import asyncio
        import time

        import pytest

        @pytest.mark.timeout(0.4)
        def test_theirs():
            time.sleep(60)

        @pytest.mark.timeout(30)
        def test_ours():
            time.sleep(60)

        @pytest.mark.timeout(30)
        def test_ours_in_a_loop():
            asyncio.run(asyncio.sleep(60))

        def test_after():
            time.sleep(0.7)
        """,
    )
    outcome = project.run("-q", plugins=("pytest_timeout",))
    outcome.count(passed=1, failed=3)
    outcome.says(
        "Timeout (>0.4s)", "call of test_it.py::test_ours had not ended after 1 s", "test_ours_in_a_loop had not ended"
    )


@pytest.mark.l3
def test_in_workers(project: Project) -> None:
    """Each worker of pytest-xdist watches its own tests."""
    project.write("pyproject.toml", TABLE)
    project.write("test_a.py", WAITS)
    project.write("test_b.py", WAITS + "\ndef test_after():\n    pass\n")
    outcome = project.run("-q", "-n", "2", plugins=("xdist.plugin",))
    outcome.count(passed=1, failed=2)
    outcome.says("waits at test_")


@pytest.mark.l3
def test_a_call_that_nothing_interrupts_is_told_at_once(project: Project) -> None:
    """A long computation in C cannot be ended; the report is on the terminal while it goes on, and the test fails when it returns."""
    project.write("pyproject.toml", TABLE)
    project.write(
        "test_it.py",
        """
        import hashlib

        def test_computes():
            hashlib.pbkdf2_hmac("sha256", b"", b"", 25_000_000)

        def test_after():
            pass
        """,
    )
    outcome = project.run("-q")
    outcome.count(passed=1, failed=1)
    outcome.says("FAILURES", "waits at test_it.py:4 in test_computes", "ended by")
    outcome.says("1 failed, 1 passed", "waits at test_it.py:4 in test_computes", "it could not be ended")


@pytest.mark.l3
def test_a_call_that_holds_the_interpreter_is_a_hang_too(project: Project) -> None:
    """No thread can look meanwhile: a search that looks at signals ends in time; what does not is written out, and fails when it returns."""
    project.write("pyproject.toml", TABLE)
    project.write(
        "test_it.py",
        """
        import ctypes
        import re

        def test_searches():
            re.match("(a+)+$", "a" * 60 + "b")

        def test_sleeps():
            ctypes.PyDLL(None).sleep(5)

        def test_after():
            pass
        """,
    )
    outcome = project.run("-q", "--durations=0", "-vv")
    outcome.count(passed=1, failed=2)
    outcome.says("waits at test_it.py:5 in test_searches", "ended by: an exception in the main thread")
    outcome.says("call of test_it.py::test_sleeps took 5.", "of 0.5 s that it may", "held the interpreter's lock")
    outcome.says("Timeout (0:00:03.", 'test_it.py", line 8 in test_sleeps')
    took = re.search(r"([\d.]+)s call +test_it.py::test_searches", outcome.text)
    assert took, outcome.text
    assert float(took[1]) < 0.5 + 2.0, outcome.text


@pytest.mark.l3
def test_what_stands_in_another_thread_or_below_the_loop_is_named(project: Project) -> None:
    """A thread that the loop cannot do without, and a loop that runs nothing of the project: the line of the project is the first one told."""
    project.write(
        "pyproject.toml", "[tool.quintet.test]\nhang = 0.5\n[tool.pytest.ini_options]\nasyncio_mode = 'auto'\n"
    )
    project.write(
        "test_it.py",
        """
        import asyncio
        import time

        import pytest

        def works():
            time.sleep(4)

        async def test_thread():
            asyncio.get_running_loop().run_in_executor(None, works)

        def test_run():
            asyncio.run(asyncio.sleep(60))
        """,
    )
    outcome = project.run("-q", "-W", "ignore", plugins=("pytest_asyncio.plugin",))
    outcome.says("waits at test_it.py:7 in works, in thread asyncio_0: teardown of test_it.py::test_thread")
    outcome.says("waits at test_it.py:13 in test_run: call of test_it.py::test_run")


@pytest.mark.l3
def test_a_debugger_begins_where_it_waited(project: Project) -> None:
    """With --pdb, after a hang, the prompt is at the line of the test, not in the kit."""
    project.write("pyproject.toml", TABLE)
    project.write("test_it.py", WAITS)
    outcome = project.run("--pdb")
    outcome.says("waits at test_it.py:4 in test_it", "entering PDB", "test_it.py(4)test_it()")


@pytest.mark.l3
def test_services_have_the_last_word(project: Project) -> None:
    """The report names the service behind a connection and the last line of its log."""
    project.write(
        "pyproject.toml",
        """
        [tool.quintet.test]
        hang = 1
        [tool.quintet.test.services.silent]
        command = ["{python}", "silent.py", "{port}"]
        ready = { log = "is listening" }
        """,
    )
    project.write(
        "silent.py",
        """
        import socket
        import sys
        import time

        server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
        print("is listening, and says nothing", flush=True)
        time.sleep(60)
        """,
    )
    project.write(
        "test_it.py",
        """
        import socket

        def test_it(services):
            with socket.create_connection((services["silent"].host, services["silent"].port)) as connection:
                connection.recv(1)
        """,
    )
    outcome = project.run("-q")
    outcome.count(failed=1)
    outcome.says("waits at test_it.py:5", "(silent)", "silent: is listening, and says nothing")
