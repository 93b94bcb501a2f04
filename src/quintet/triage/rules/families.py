"""What is left, judged by where and as what it was raised: a direction, not a cause. Every other rule goes first.

Each row needs the place that raised it, so a test's own exception or a mock's is never judged by its name.
"""

from quintet.triage.model import Place
from quintet.triage.signatures import Rule, row

_INSIDE: tuple[Place, ...] = ("library", "stdlib", "product", "test", "runner", "mock")

RULES: tuple[Rule, ...] = (
    row(
        "fixture-fails",
        "fixtures",
        r"^(?!AssertionError: assert )(?P<subject>\w*)",
        "A fixture (or a setup method) fails, so the tests that need it cannot begin.",
        "pytest reports the error before the test itself has begun.",
        "The fixture's own code, or what it calls, fails here.",
        "Repair the fixture at the line that the traceback names; its tests have said nothing yet.",
        phases=("setup",),
        general=True,
        together=False,
    ),
    row(
        "teardown-fails",
        "fixtures",
        r"^(?P<subject>\w*)",
        "Taking a fixture down fails.",
        "The error is reported after the test itself has ended.",
        "The fixture closes something that is closed already, or never was open.",
        "Repair what runs after the test: the part of the fixture after its `yield`, or `tearDown`.",
        phases=("teardown",),
        general=True,
        together=False,
    ),
    row(
        "import-fails",
        "imports",
        r"^(?P<subject>\w*)",
        "A module fails while it is imported, so its tests were not collected.",
        "pytest reports the error while it collects the module.",
        "Code at the module's top level fails here.",
        "Repair the line that the traceback names, or move what it does to where it is used.",
        "pytest --collect-only -q",
        phases=("collect",),
        raised_in=_INSIDE,
        general=True,
        together=False,
    ),
)
