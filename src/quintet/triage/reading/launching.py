"""What stands around pytest says when pytest never began: a shell, a package manager, a runner of environments.

Rules: these words count only in a text in which no test has a result; each is the tool's own last word, at the beginning of its line; the
words with which a CI service ends any failed job are nobody's complaint.
"""

import re

_COMMAND = r"[`'\"]?(?:python3? -m )?(?:pytest|py\.test)[`'\"]?"

# (name, what the line looks like), as in `session`.
FAULTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "CommandNotFound",
        re.compile(
            r"^(.{0,200}(?:pytest: command not found|No module named '?pytest'?|pytest: (?:not found|No such file or directory))"
            rf"|(?:error: )?Failed to spawn: {_COMMAND}|Command not found: {_COMMAND}|.{{0,40}}Program {_COMMAND} not found.{{0,40}}"
            rf"|.{{0,60}}[Cc]ommand {_COMMAND} (?:is|could) not (?:be )?found.{{0,120}}|.{{0,80}}exec: {_COMMAND}: executable file not found.{{0,60}}"
            rf"|{_COMMAND} is not recognized as .{{0,80}}|{_COMMAND} ?: The term {_COMMAND} is not recognized.{{0,80}})$"
        ),
    ),
    (
        "InterpreterMissing",
        re.compile(
            r"^(?:error: )?(No interpreter found (?:for|in|at) .{1,200}|.{0,80}could not find python interpreter.{0,200}"
            r"|(?:nox > )?(?:Session .{1,80} skipped: )?(?:Python i|I)nterpreter \S{1,60} not found.{0,80}"
            r"|pyenv: version .{1,60} is not installed.{0,120}"
            r"|The currently activated Python version \S{1,20} is not supported by the project.{0,120}"
            r"|.{0,120} requires a different Python: .{1,120})$"
        ),
    ),
    (
        "InstallationFailed",
        re.compile(
            r"^(?:ERROR: |error: |\s{0,4}[×x] |\s{0,4})?"
            r"(Could not find a version that satisfies the requirement .{1,300}|No matching distribution found for .{1,300}"
            r"|Cannot install .{1,300} because these package versions have conflicting dependencies.{0,40}|ResolutionImpossible.{0,200}"
            r"|No solution found when resolving .{0,200}|(?:And because |Because ).{1,400}version solving failed\.?|version solving failed.{0,40}"
            r"|Failed (?:building wheel|to build) .{0,200}|Could not build wheels for .{1,200}|externally-managed-environment"
            r"|Could not open requirements file: .{1,200}|Hash mismatch for .{1,200}|THESE PACKAGES DO NOT MATCH THE HASHES.{0,200}"
            r"|The lockfile at .{1,80} needs to be updated.{0,120}|pyproject\.toml changed significantly since poetry\.lock.{0,200})$"
        ),
    ),
    (
        "TestDatabaseKept",
        re.compile(r"^(Type 'yes' if you would like to (?:try deleting|delete) the test database '.{1,120}?')"),
    ),
    (
        "CommandRefused",
        re.compile(r"^(?:\S{1,40}: )?(?:failed with )?((?:\S{0,60}/)?(?:pytest|py\.test) is not allowed, use allowlist_externals.{0,80})$"),
    ),
)  # fmt: skip
VARIABLE = re.compile(
    r"^(?:(?:FATAL|CRITICAL|ERROR|Error|error|fatal)\b[: -]{1,3})?(?=.{0,200}(?i:environment|env\b|variable|setting))"
    r"(?=.{0,200}(?i:\b(?:not set|required|missing"
    r"|undefined|must be set|unset)\b)).{0,200}?\b([A-Z][A-Z0-9]*_[A-Z0-9_]{2,60})\b.{0,200}$"
)
OF_THE_JOB = re.compile(
    r"^ERROR: (?:Job failed|Process completed|Build failed|Error: |script returned exit code|exit status \d|\[?.{0,80}exited with code \d)",
    re.IGNORECASE,
)
