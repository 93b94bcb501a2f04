"""How the tests are built. The order matters: special before general."""

from quintet.triage.rules import configuration, drift, endings, families, fixtures, imports, isolation, loops
from quintet.triage.signatures import Rule

RULES: tuple[Rule, ...] = (
    *configuration.RULES,
    *endings.RULES,
    *fixtures.RULES,
    *loops.RULES,
    *imports.RULES,
    *isolation.RULES,
    *drift.RULES,
    *families.RULES,
)
