"""Which of several reasons is left: what stands around the report speaks for one of them.

Rules: only a claim that a rule has made is made more exact; what decides is named as evidence; where it does not fit, the claim
stays as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from quintet.triage.comparing.tables import near_table
from quintet.triage.facts import of_kind
from quintet.triage.judging.claims import clusters_of
from quintet.triage.model import Case, Claim, Fact
from quintet.triage.normalise import shorten
from quintet.triage.reading.around import packages_in, ports_in, variable_in

_ABSENT = frozenset({"missing-package", "missing-optional"})
# The name under which a package is installed, where it is imported under another.
_DISTRIBUTIONS = {
    "yaml": "pyyaml", "jwt": "pyjwt", "pil": "pillow", "cv2": "opencv_python", "dotenv": "python_dotenv", "bs4": "beautifulsoup4",
    "sklearn": "scikit_learn", "dateutil": "python_dateutil", "attr": "attrs", "jose": "python_jose", "multipart": "python_multipart",
    "psycopg2": "psycopg2_binary", "environ": "django_environ", "decouple": "python_decouple", "rest_framework": "djangorestframework",
    "docx": "python_docx", "slugify": "python_slugify", "magic": "python_magic", "git": "gitpython", "serial": "pyserial",
    "crypto": "pycryptodome", "socketio": "python_socketio", "engineio": "python_engineio", "mysqldb": "mysqlclient",
}  # fmt: skip
_INTERPRETER = re.compile(r" -- (\S{1,200})$")
_PROGRAM = re.compile(r"(?:^|\s)([\w./~-]{1,120}/)(?:pip3?|python3?[\d.]*)(?=\s)")
_OTHER_PORTS = 3
_UNSET = frozenset(
    {
        "environ-key",
        "variable-not-set",
        "variable-named",
        "settings-value-absent",
        "settings-missing",
        "django-settings",
    }
)
_NO_TABLE = frozenset({"schema-of-file", "schema-missing"})
_HELD_BACK = (
    "between the job and pytest stands a runner that starts it with an environment of its own (tox, `docker run` and `sudo` hand on "
    "only what is named)."
)
_ELSEWHERE = "it is set in another step, shell or service than the one that starts pytest, or without `export`."
_EXPORT = "Set it in the step (or service) that starts pytest, with `export`."
_HAND_ON = "Name the variable where the runner hands it on (`pass_env` of tox, `-e` or `environment:` of Docker, `sudo --preserve-env`)."
_REFUSED_FIELD = re.compile(r"(?m)^([A-Za-z_][\w.]{0,60})\n\s+(\S[^\n]{0,100})")
_FIELDS_SHOWN = 6
# What the library says of a field, and what that means; the last for any other complaint.
_REASONS = {
    "Field required": ("is not given", "are not given"),
    "Extra inputs": ("is given, and the class knows no such field", "are given, and the class knows no such fields"),
    "": ("has a value of another form", "have values of another form"),
}
_OTHER_VALUES = (
    "A value of this environment (a variable, or a line of the `.env` that is read from where pytest was started) does not fit the "
    "class: it was written for another version of it, or for another program."
)
_CORRECT_VALUES = (
    'Correct these values where they are set (`extra="ignore"` lets through what is meant for others). Or:'
)
_UNKNOWN_OPTION = re.compile(r"Unknown config option: (\w{1,60})")
_READERS = {
    "env": "pytest-env",
    "env_files": "pytest-dotenv",
    "DJANGO_SETTINGS_MODULE": "pytest-django",
    "django_find_project": "pytest-django",
}
_STARTED = re.compile(r"(?:args=|Command ')\[?['\"]([^'\"\n]{1,160})['\"]|Command '(\S{1,160}) ")


def decided(case: Case, claims: Sequence[Claim], own: frozenset[str] = frozenset()) -> tuple[Claim, ...]:
    """The claims, each with what the surroundings of the report add to it. `own` are the names of the project's own packages."""
    steps = (_fields, _installed, _served, _of_a_child, _name_alone, _not_passed_on, _of_a_plugin, _misnamed)
    for step in steps:
        claims = [step(case, claim) for claim in claims]
    return tuple(_of_the_project(claim, own) for claim in claims)


def _fields(case: Case, claim: Claim) -> Claim:
    """What a settings class refuses, each for its own reason: the library says of every field which it is."""
    if claim.rule != "settings-missing":
        return claim
    text = max((one.message for one in clusters_of(case, claim)), key=len)
    told = list(dict.fromkeys(_REFUSED_FIELD.findall(text)))
    parts = []
    for mark, words in _REASONS.items():
        names = [
            name for name, reason in told if (mark in reason if mark else not any(m and m in reason for m in _REASONS))
        ]
        shown = ", ".join(f"`{name}`" for name in names[:_FIELDS_SHOWN])
        parts += [f"{shown} {words[0] if len(names) == 1 else words[1]}"] if names else []
    if not parts:
        return claim
    named = replace(claim, statement=f"{claim.statement.rstrip('.')}: {'; '.join(parts)}.")
    if any("Field required" in reason for _, reason in told):
        return named
    return replace(named, root=_OTHER_VALUES, fix=f"{_CORRECT_VALUES} {claim.fix}")


def _misnamed(case: Case, claim: Claim) -> Claim:
    """A table that is missing beside one of nearly the same name, which is there: the schema was made."""
    near = near_table(claim.subject, case.clusters) if claim.rule in _NO_TABLE and claim.subject else ""
    if not near:
        return claim
    return replace(
        claim,
        certainty="suspect",
        statement=f"{claim.statement} The run also speaks of `{near}`: one of the two names may be misspelt.",
        fix=f"Compare the names `{claim.subject}` and `{near}` first, in the query and in the schema. {claim.fix}",
    )


def _of_the_project(claim: Claim, own: frozenset[str]) -> Claim:
    """What has no metadata is the project itself."""
    name = claim.subject.lower().replace("-", "_")
    if claim.rule != "missing-optional" or name not in own:
        return claim
    return replace(
        claim,
        statement=f"The project itself, `{claim.subject}`, is not installed here: its code is found, but it has no metadata.",
        root="The tests find the code through a path (`pythonpath`, the current folder), and nobody has installed the project into "
        "this environment.",
        fix="Install the project (`pip install -e .`, `uv sync`) before the tests; or let the code do without its metadata where "
        "there is none.",
    )


def _name_alone(case: Case, claim: Claim) -> Claim:
    """Without a traceback a KeyError tells no more than a name: that it is a variable is a guess, and said as one."""
    if claim.rule != "environ-key" or any(one.raised for one in clusters_of(case, claim)):
        return claim
    return replace(
        claim,
        statement=f"`{claim.subject}` is asked for and not there; by its name it is a variable of the environment.",
        because="The text shows no traceback of it, so the name alone speaks: a key of any dictionary may look like this.",
    )


def _of_a_plugin(case: Case, claim: Claim) -> Claim:
    """An option of which pytest warns: a plugin would read it from the configuration, and the variable stands there."""
    told = [
        (fact, found[1]) for fact in of_kind(case.facts, "warning") if (found := _UNKNOWN_OPTION.search(fact.excerpt))
    ]
    fact, option = next(((fact, name) for fact, name in told if name in _READERS), (None, ""))
    if claim.rule not in _UNSET or fact is None:
        return claim
    return replace(
        claim,
        statement=f"{claim.statement.rstrip('.')}: {_READERS[option]}, which would read it from pytest's configuration, is not installed.",
        facts=(*claim.facts, fact.id),
        root=f"pytest does not know the option `{option}` of its configuration, so nobody reads what stands there: only "
        f"{_READERS[option]} would, and it is not installed here.",
        root_facts=(fact.id,),
        fix=f"Install {_READERS[option]} with the test requirements (or set {claim.subject or 'the variables'} in conftest.py).",
    )


def _not_passed_on(case: Case, claim: Claim) -> Claim:
    """A variable that the job sets, or that something between the job and the tests may hold back."""
    if claim.rule not in _UNSET:
        return claim
    told = next((fact for fact in of_kind(case.facts, "variable") if claim.subject == variable_in(fact.excerpt)), None)
    between = next(iter(of_kind(case.facts, "isolating")), None)
    if told is None and between is None:
        return claim
    facts = tuple(fact.id for fact in (told, between) if fact)
    begin = (
        f"The job sets `{claim.subject}`, and the tests do not see it"
        if told
        else "What is set outside may not reach the tests"
    )
    way, hand_on = (_HELD_BACK, _HAND_ON) if between else (_ELSEWHERE, _EXPORT)
    return replace(
        claim,
        statement=f"{claim.statement.rstrip('.')}{', though the job sets it' if told else ''}.",
        facts=(*claim.facts, *facts),
        root=f"{begin}: {way}",
        root_facts=facts,
        fix=f"{hand_on} Otherwise: {claim.fix[:1].lower()}{claim.fix[1:]}",
    )


def _of_a_child(case: Case, claim: Claim) -> Claim:
    """What is missing, is missing for a program that the tests start."""
    found = [_STARTED.search(one.message) for one in clusters_of(case, claim) if one.logged]
    started = [hit[1] or hit[2] for hit in found if hit]
    if claim.rule not in _ABSENT or not started or len(started) < len(found):
        return claim
    program = started[0].replace("`", "'")
    return replace(
        claim,
        statement=f"A process that the tests start (`{program}`) cannot import `{claim.subject}`.",
        root="The process runs in another interpreter than pytest (or in one without the project's requirements): a plain "
        "`python` is the first on "
        "the path, not the one that runs the tests.",
        fix=f"Start it with the interpreter that runs the tests: `sys.executable` in place of `{program}`; see that "
        f"`{claim.subject}` is among the "
        "requirements that are installed there.",
        verify="pytest {test}",
    )


def _installed(case: Case, claim: Claim) -> Claim:
    """A package that this very log installs is missing all the same: then it was installed for another interpreter."""
    name = claim.subject.lower().replace("-", "_") if claim.rule in _ABSENT else ""
    wanted = {name, _DISTRIBUTIONS.get(name, name)}
    told = next(
        (fact for fact in of_kind(case.facts, "installed") if name and wanted & packages_in(fact.excerpt)), None
    )
    if told is None:
        return claim
    ran = next((fact for fact in of_kind(case.facts, "platform")), None)
    by = next((fact for fact in reversed(of_kind(case.facts, "installing")) if fact.line < told.line), None)
    return replace(
        claim,
        certainty="probable",
        statement=f"`{claim.subject}` was installed for this run, but not into the interpreter that ran pytest.",
        facts=(*claim.facts[:2], *(fact.id for fact in (told, by, ran) if fact)),
        because="The log shows that the package was installed, and this interpreter does not find it.",
        root=_two_interpreters(by, ran),
        root_facts=tuple(fact.id for fact in (by or told, ran) if fact),
        fix=_same_interpreter(by),
    )


def _two_interpreters(by: Fact | None, ran: Fact | None) -> str:
    found = _INTERPRETER.search(ran.excerpt) if ran else None
    pytests = f" pytest ran with `{_quoted(found[1])}`." if found else ""
    command = f" The installation was `{_quoted(by.excerpt.lstrip('+$> '))}`." if by else ""
    return f"There are two environments: the one that the packages went into, and the one that pytest was started from.{command}{pytests}"


def _same_interpreter(by: Fact | None) -> str:
    found = _PROGRAM.search(by.excerpt) if by else None
    start = (
        f"`{found[1]}python -m pytest`"
        if found
        else "`python -m pytest` of that environment, `uv run pytest`, `poetry run pytest`"
    )
    return f"Start pytest with the interpreter that the packages were installed into ({start}), or activate that environment before."


def _served(case: Case, claim: Claim) -> Claim:
    """A refused connection beside a log in which a server says where it listens."""
    listening = of_kind(case.facts, "listening") if claim.rule == "connection-refused" else ()
    ports = {port: fact for fact in listening for port in ports_in(fact.excerpt)}
    asked = set(re.findall(r":(\d{2,5})\b", claim.subject))
    if not ports or len(ports) > _OTHER_PORTS:
        return claim
    same = [fact for port, fact in ports.items() if port in asked or (not asked and len(ports) == 1)]
    return _too_early(claim, same) if same else _other_port(claim, ports)


def _too_early(claim: Claim, listening: Sequence[Fact]) -> Claim:
    where = f" at {claim.subject}" if claim.subject else ""
    return replace(
        claim,
        statement=f"The service was asked{where} before it was ready (or after it had ended): a log says that it listens, "
        f"and the connection was refused.",
        facts=(*claim.facts, *(fact.id for fact in listening)),
        because="The connection was refused, and the server's own log says that it did begin to listen.",
        root="Nothing waits until the server answers: it is started and asked at once, or after a fixed time that was too short.",
        root_facts=tuple(fact.id for fact in listening),
        fix="After starting the server, wait until it answers: try to connect in a loop, with a deadline, instead of a fixed "
        "`sleep`; end the run "
        "with the server's log when the deadline is over. If the log ends soon after that line, look for why the server ended.",
    )


def _other_port(claim: Claim, ports: dict[str, Fact]) -> Claim:
    names = ", ".join(ports)
    facts = tuple(fact.id for fact in ports.values())
    return replace(
        claim,
        facts=(*claim.facts, *facts),
        root=f"The server whose log is here listens on port {names}: either the tests ask it at the wrong port, or they mean "
        "another service, "
        "which was not started.",
        root_facts=facts,
        fix=f"Compare the two: give the tests the address on which the server listens (port {names}), or start what belongs at "
        f"{claim.subject or 'the address that the tests ask'} before them, and wait until it answers.",
    )


def _quoted(words: str) -> str:
    return shorten(words, 120).replace("`", "'")
