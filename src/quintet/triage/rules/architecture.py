"""How the tests are built. The order matters: special before general."""

from quintet.triage.rules import (
    configuration,
    drift,
    endings,
    families,
    fixtures,
    hangs,
    imports,
    isolation,
    loops,
    runners,
)
from quintet.triage.signatures import Rule

RULES: tuple[Rule, ...] = (
    *configuration.RULES,
    *hangs.RULES,
    *endings.RULES,
    *runners.RULES,
    *fixtures.RULES,
    *loops.RULES,
    *imports.RULES,
    *isolation.RULES,
    *drift.RULES,
    *families.RULES,
)
