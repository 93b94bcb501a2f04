"""What unittest and Django's `manage.py test` print."""

import pytest

from quintet.triage import analyse, as_data, read

pytestmark = pytest.mark.l1

# ruff: noqa: E501  # samples keep their own line lengths

RULER, LINE = "=" * 70, "-" * 70
SETUP = ("setUp", 'self.key = os.environ["SHOP_KEY"]', "KeyError: 'SHOP_KEY'")


def block(head: str, path: str, function: str, code: str, error: str) -> str:
    """A failure as unittest prints it."""
    traceback = f'Traceback (most recent call last):\n  File "{path}", line 7, in {function}\n    {code}\n{error}\n'
    return f"{RULER}\n{head}\n{LINE}\n{traceback}\n"


def text(*blocks: str, ran: int = 9, last: str = "FAILED (failures=1, errors=2, skipped=1)") -> str:
    """What stands on the screen, with older and newer spellings of a test's name."""
    return "".join(blocks) + f"{LINE}\nRan {ran} tests in 0.026s\n\n{last}\n"


TWO = text(
    block("ERROR: test_a (shop.tests.Keys.test_a)", "/srv/shop/tests.py", *SETUP),
    block("ERROR: test_b (shop.tests.Keys)", "/srv/shop/tests.py", *SETUP),
    block("FAIL: test_sum (shop.tests.Sums.test_sum)\nWhat is paid.", "/srv/shop/tests.py", "test_sum", "self.assertEqual(1, 2)", "AssertionError: 1 != 2"),
)  # fmt: skip


def test_names_numbers_and_phases() -> None:
    """Every test keeps the name by which unittest runs it; the numbers are those of the last lines."""
    run = read(TWO)
    assert [(entry.name, entry.outcome, entry.phase) for entry in run.entries] == [
        ("shop.tests.Keys.test_a", "error", "setup"),
        ("shop.tests.Keys.test_b", "error", "setup"),
        ("shop.tests.Sums.test_sum", "failed", "call"),
    ]
    totals = run.totals
    assert (totals.tests, totals.passed, totals.failures, totals.errors, totals.skipped) == (9, 5, 1, 2, 1)
    assert run.kind == "unittest"
    assert run.gaps == ()


def test_causes_and_commands_are_the_runner_s_own() -> None:
    """Two tests without their variable are one cause, and what verifies it is no command of pytest's."""
    analysis = analyse(TWO, "console.txt")
    cause = analysis.causes[0]
    assert (cause.category, cause.blocks, cause.verify) == (
        "environment",
        2,
        "python -m unittest 'shop.tests.Keys.test_a'",
    )
    django = analyse(f"Found 9 test(s).\nSystem check identified no issues (0 silenced).\n{TWO}", "console.txt")
    assert django.causes[0].verify == "python manage.py test 'shop.tests.Keys.test_a'"
    assert {metric.command for metric in django.metrics} == {"python manage.py test"}
    assert not any("pytest" in step["verify"] for step in as_data(django)["plan"])


def test_a_module_a_class_and_a_part_of_a_test() -> None:
    """What cannot be imported is collected by nobody; a class fails before its tests; each part of a subtest is an entry."""
    missing = "ModuleNotFoundError: No module named 'stripe'"
    run = read(
        text(
            block(
                "ERROR: shop.test_pay (unittest.loader._FailedTest.shop.test_pay)",
                "/srv/shop/test_pay.py",
                "<module>",
                "import stripe",
                missing,
            ),
            block(
                "ERROR: setUpClass (shop.tests.Rows)",
                "/srv/shop/tests.py",
                "setUpTestData",
                "make()",
                "ValueError: no row",
            ),
            block(
                "FAIL: test_n (shop.tests.Parts.test_n) (n=2)",
                "/srv/shop/tests.py",
                "test_n",
                "self.assertTrue(0)",
                "AssertionError: 0 is not true",
            ),
            block(
                "ERROR: test_n (shop.tests.Parts.test_n)",
                "/srv/shop/tests.py",
                "tearDown",
                "close()",
                "RuntimeError: closed",
            ),
            ran=3,
            last="FAILED (failures=1, errors=3)",
        )
    )
    assert [(entry.name, entry.phase) for entry in run.entries] == [
        ("shop.test_pay", "collect"),
        ("shop.tests.Rows", "setup"),
        ("shop.tests.Parts.test_n [n=2]", "call"),
        ("shop.tests.Parts.test_n", "teardown"),
    ]
    assert (run.totals.tests, run.totals.passed, run.totals.errors) == (3, 1, 3)


def test_a_run_that_was_cut_off_tells_what_its_progress_tells() -> None:
    """Without the last lines the numbers are counted, and the gap is said."""
    cut = "test_a (shop.tests.Keys.test_a) ... ok\ntest_b (shop.tests.Keys.test_b)\nWith words. ... FAIL\ntest_c (shop.tests.Keys.test_c) ... "
    run = read(cut)
    assert [(entry.name, entry.outcome) for entry in run.entries] == [("shop.tests.Keys.test_b", "failed")]
    assert (run.totals.tests, run.totals.passed, run.totals.failures) == (2, 1, 1)
    assert any("before unittest's last lines" in gap for gap in run.gaps)


def test_a_setup_that_nobody_awaits_is_why_its_tests_fail() -> None:
    """Python's warning among the progress names it; without the warning only the missing attribute is known."""
    warning = "RuntimeWarning: coroutine 'Orders.setUp' was never awaited\n"
    failing = "".join(
        f"{'=' * 70}\nERROR: test_{name} (tests.test_u.Orders.test_{name})\n{'-' * 70}\nTraceback (most recent call last):\n"
        f'  File "/srv/tests/test_u.py", line 4, in test_{name}\n    self.client\n'
        "AttributeError: 'Orders' object has no attribute 'client'\n\n"
        for name in "ab"
    )
    end = f"{'-' * 70}\nRan 2 tests in 0.003s\n\nFAILED (errors=2)\n"
    (cause,) = analyse(f"test_a (tests.test_u.Orders.test_a) ... {warning}{warning}ERROR\n{failing}{end}").causes
    assert (cause.category, cause.rule, cause.blocks) == ("async", "setup-not-awaited", 2)
    assert [one.category for one in analyse(failing + end).causes] == ["drift"]


def test_a_green_run_has_no_cause() -> None:
    """`OK` claims nothing."""
    analysis = analyse(text(ran=4, last="OK (skipped=1)"))
    assert (analysis.run.totals.passed, analysis.causes) == (3, ())


def test_what_a_test_under_pytest_prints_is_not_read_as_a_run_of_unittest() -> None:
    """Pytest's own banners win."""
    inner = "\n".join(["=== FAILURES ===", "___ test_x ___", "E   assert 1 == 2", "--- Captured stdout call ---", TWO])
    run = read(f"{inner}\n=== 1 failed in 0.02s ===\n")
    assert (run.kind, run.totals.failures, len(run.entries)) == ("console", 1, 1)
