"""How the tests are built. The order matters: special before general."""

from quintet.triage.rules import configuration, drift, fixtures
from quintet.triage.signatures import Rule

RULES: tuple[Rule, ...] = configuration.RULES + fixtures.RULES + drift.RULES
