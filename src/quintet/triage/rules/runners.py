"""Tests of another language that the same job ran: what their runner says failed."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "other-runner",
        "assertion",
        r"^OtherRunner: (?P<subject>[^\n]{1,200})",
        "What failed is not pytest but another runner of the same job: {subject}.",
        "pytest's own last line tells of no failure; the line of the other runner does.",
        "A test of the other language fails; what it shows stands below its line.",
        "Read the lines below the one that is cited, and run that runner alone. "
        "Where it talks to the product, read the product's log of that moment.",
        "npm test",
        exceptions="OtherRunner",
        phases=("session",),
        effort=2,
    ),
)
