"""What the surroundings of the tests do: installed packages, variables, limits of the machine, and the services."""

from quintet.triage.model import Place
from quintet.triage.rules import services
from quintet.triage.signatures import Rule, row

_OUTSIDE: tuple[Place, ...] = ("library", "stdlib")

_PACKAGES = (
    row(
        "passlib-bcrypt",
        "dependencies",
        r"password cannot be longer than 72 bytes",
        "passlib and the installed bcrypt do not work together: hashing any password fails.",
        "While it tests its backend passlib hashes a long password, and this bcrypt refuses more than 72 bytes.",
        "bcrypt 5 or newer is installed beside passlib 1.7.4, which nobody maintains.",
        "Pin `bcrypt<5` in the requirements, or replace passlib (for example by argon2-cffi).",
        "python -c \"from passlib.hash import bcrypt; bcrypt.hash('x')\"",
        exceptions="ValueError",
        raised_in=_OUTSIDE,
    ),
    row(
        "httpx-app",
        "dependencies",
        r"(?:AsyncClient|Client)?.{0,40}got an unexpected keyword argument '(?P<subject>app|proxies)'",
        "The installed httpx no longer takes the argument `{subject}`.",
        "httpx 0.28 removed `app=` and `proxies=` from its clients.",
        "The version of httpx is not pinned, or the tests (or their test client) are older than it.",
        "Use `httpx.AsyncClient(transport=httpx.ASGITransport(app=app))`, or pin `httpx<0.28`; update "
        "starlette/fastapi where their test client is meant.",
        "pip show httpx starlette",
        exceptions="TypeError",
        raised_in=("library", "test", "product"),
    ),
    row(
        "missing-package",
        "dependencies",
        r"^ModuleNotFoundError: No module named '(?P<subject>[A-Za-z_]\w*)(?:\.[\w.]+)?'",
        "The interpreter that ran pytest cannot import {subject}.",
        "Python looked for {subject} on its whole import path and found nothing.",
        "The package is not installed in this interpreter: another environment, or requirements that were not "
        "installed.",
        "Install the project's (test) requirements into the interpreter that runs pytest, and start it as `python "
        "-m pytest`.",
        'python -c "import {subject}"',
        exceptions="ModuleNotFoundError",
        raised_in=("product", "test", "library"),
        context=("platform",),
    ),
)

_VARIABLES = (
    row(
        "settings-missing",
        "environment",
        r"validation errors? for (?P<subject>\w*(?:Settings|Config|Configuration|Env|Environment)\w*)\n",
        "The settings class {subject} refuses the environment of this test run.",
        "The class checks the environment when it is made, and something in it is missing, not allowed or malformed.",
        "The tests run with other variables (or another `.env`) than the application was written for.",
        "Give the tests their own complete settings (fixture or `.env.test`), and make the object where it is used, "
        "not at import.",
        exceptions="ValidationError SettingsError",
        raised_in=("product", "library"),
    ),
    row(
        "variable-not-set",
        "environment",
        r"(?:^|[\s:'\"`(])(?P<subject>[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{6,})['\"`]? (?:environment variable )?(?:is"
        r"|was|are|must be|has to be|needs to be)"
        r" (?:explicitly |not |also )*(?:set|configured|defined|provided|required|missing|empty|specified)\b",
        "The variable {subject} is demanded and the test environment does not set it.",
        "The project's own check for {subject} stops here.",
        "Nothing sets {subject} before this code runs in the tests.",
        "Set {subject} for the tests before the application is imported (for example in `pytest_configure` or the "
        "runner), or read it when it is first used.",
        "{subject}=test pytest {test}",
        exceptions="RuntimeError ValueError KeyError OSError EnvironmentError "
        "ImproperlyConfigured ConfigurationError ConfigError SystemExit Exception",
        raised_in=("product", "test"),
        together=False,
    ),
    row(
        "variables-missing",
        "environment",
        r"(?i:missing|required|undefined|unset|no)(?: required| mandatory)?(?: backend| database)? ?(?:environment"
        r"|env|config\w*)? ?(?:variables?|vars?|settings?)\b[^:\n]{0,60}:? "
        r"?\[?['\"]?(?P<subject>[A-Z][A-Z0-9]*_[A-Z0-9_]+)?",
        "Required environment variables are missing in this run ({subject} is one of them).",
        "The project's own check lists what it misses.",
        "Nothing sets these variables before this code runs in the tests.",
        "Set the listed variables for the tests before the application is imported.",
        exceptions="RuntimeError ValueError OSError EnvironmentError ImproperlyConfigured ConfigurationError ConfigError SystemExit",
        raised_in=("product", "test"),
    ),
    row(
        "environ-key",
        "environment",
        r"^KeyError: ['\"](?P<subject>[A-Z][A-Z0-9_]{2,})['\"]",
        "The environment variable {subject} is read with `os.environ[...]` and is not there.",
        "`os.environ` raised it: the variable does not exist in this process.",
        "Nothing sets {subject} before this code runs in the tests.",
        "Set {subject} for the tests before the application is imported, or read it when it is first used, with a "
        "clear message.",
        "{subject}=test pytest {test}",
        exceptions="KeyError",
        raised_in=("stdlib",),
    ),
    row(
        "file-not-there",
        "environment",
        r"^FileNotFoundError: .*?['\"](?P<subject>[^'\"\n]{1,160}\.(?:env|ya?ml|toml|json|ini|pem|key|cfg))['\"]",
        "The file {subject} is not where this run looks for it.",
        "Opening it failed.",
        "The file is not part of the checkout, or the path is relative to another directory than the one pytest was "
        "started in.",
        "Build the path from `__file__`, or give the tests their own copy of the file.",
        "ls -l {subject}",
        exceptions="FileNotFoundError",
        raised_in=("product", "test", "stdlib", "library"),
        together=False,
    ),
)

_MACHINE = (
    row(
        "address-in-use",
        "resources",
        r"Address already in use|WinError 10048|Errno 98\b|Errno 48\b|only one usage of each socket address",
        "A port that the tests want is taken.",
        "The operating system refused to bind the port.",
        "The port is fixed in the tests, and an earlier run or another worker still holds it.",
        "Bind port 0 and ask which one was given; end what an earlier run left.",
        exceptions="OSError PermissionError SystemExit",
        raised_in=("stdlib", "library", "product", "test"),
    ),
    row(
        "machine-limit",
        "resources",
        r"Too many open files|No space left on device|MemoryError|Cannot allocate memory|can't start new thread",
        "The machine ran out of something: files, disk, memory or threads.",
        "The operating system refused it.",
        "Tests keep what they open, or the machine is too small for this number of workers.",
        "Close what the tests open; lower the number of workers.",
        exceptions="OSError MemoryError RuntimeError",
        effort=2,
    ),
    row(
        "crash",
        "resources",
        r"worker '?(?P<subject>gw\d+)'? crashed while running|Fatal Python error: |Segmentation fault|^Killed$"
        r"|CrashError",
        "A test process died.",
        "It ended without a Python exception.",
        "Native code, `os._exit` or a lack of memory ended it.",
        "Run the named test alone with `-p no:xdist -X faulthandler`.",
        "python -X faulthandler -m pytest -p no:xdist {test}",
        phases=("session", "call", "setup"),
        effort=3,
    ),
)

RULES: tuple[Rule, ...] = _PACKAGES + _VARIABLES + services.RULES + _MACHINE
