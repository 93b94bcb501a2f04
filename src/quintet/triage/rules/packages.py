"""Installed packages: missing, too new, too old, or not fitting each other."""

from quintet.triage.model import Place
from quintet.triage.signatures import Rule, row

_OUTSIDE: tuple[Place, ...] = ("library", "stdlib")
_INSTALL = "Install the project's (test) requirements into the interpreter that runs pytest, and start it as `python -m pytest`."


def of_a_program(asked: str) -> str:
    """The lines of a test that looks at what a program gave back; not of one that asks for those very words."""
    return (
        rf"(?s)\A(?!.*(?:{asked})).*(?i:\brun\w*\(|invoke|exit|return_?code|output|stdout|stderr|proc|result|\bres\b)"
    )


RULES: tuple[Rule, ...] = (
    row(
        "passlib-bcrypt",
        "dependencies",
        r"password cannot be longer than 72 bytes|module 'bcrypt' has no attribute '__about__'",
        "passlib and the installed bcrypt do not work together: hashing any password fails.",
        "While it tests its backend passlib hashes a long password, and this bcrypt refuses more than 72 bytes.",
        "bcrypt 5 or newer is installed beside passlib 1.7.4, which nobody maintains.",
        "Pin `bcrypt<5` in the requirements, or replace passlib (for example by argon2-cffi).",
        "python -c \"from passlib.hash import bcrypt; bcrypt.hash('x')\"",
        exceptions="ValueError AttributeError",
        passed=r"/passlib/",
        alone=r"password cannot be longer than 72 bytes|module 'bcrypt' has no attribute '__about__'",
        raised_in=_OUTSIDE,
    ),
    row(
        "password-too-long",
        "dependencies",
        r"password cannot be longer than 72 bytes",
        "The installed bcrypt refuses passwords of more than 72 bytes.",
        "bcrypt uses 72 bytes of a password; since version 5 it says so instead of cutting the rest off.",
        "The version is not pinned, and the code hands passwords over as they come.",
        "Hash a digest of the password (or cut it at 72 bytes, as the older version did), or pin `bcrypt<5`.",
        exceptions="ValueError",
        raised_in=(*_OUTSIDE, "product", "test"),
        guess=True,
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
        "pytest {test}",
        exceptions="TypeError",
        raised_in=("library", "test", "product"),
        alone=r"AsyncClient.{0,40}got an unexpected keyword argument|Client\.__init__\(\) got an unexpected keyword "
        r"argument '(?:app|proxies)'",
    ),
    row(
        "library-argument",
        "dependencies",
        r"(?P<subject>[\w.]+)\(\) got an unexpected keyword argument '\w+'",
        "An installed library no longer takes an argument that is passed to it ({subject}).",
        "The call was refused inside of the library, not in the project's own code.",
        "Versions are not pinned, and the library (or what it rests on) was upgraded past the version this code was "
        "written for.",
        "Use the argument's new name (see the library's change log), or pin the version the code was written for.",
        exceptions="TypeError",
        raised_in=("library", "stdlib"),
        strict=True,
        alone=r"create_connection\(\) got an unexpected keyword argument '(?P<subject>extra_headers|timeout)'",
        together=False,
    ),
    row(
        "package-told",
        "dependencies",
        r"^AssertionError: [\s\S]{0,300}?['\"(: ]No module named (?:\\?['\"])(?P<subject>[\w.]{2,60})",
        "The program says that the package {subject} is not there, where the tests expect it to do its work.",
        "What it printed (or gave back) names the package that Python did not find.",
        "The package is not installed in the environment of this run, or is an extra that the tests need.",
        "Install {subject} for the tests, or skip what needs it where it is absent.",
        exceptions="AssertionError Failed",
        code=of_a_program("No module named"),
    ),
    row(
        "dialect-renamed",
        "database",
        r"Can't load plugin: sqlalchemy\.dialects:postgres\b(?!ql)",
        "The address of the database begins with `postgres`, a name that SQLAlchemy has not known since 1.4.",
        "The library looked for a dialect of that name and found none.",
        "The address is in the form that hosts and older versions use (`postgres://…`).",
        "Let it begin with `postgresql://` (`postgresql+psycopg://` for psycopg 3), in the setting or where it is read.",
        exceptions="NoSuchModuleError",
    ),
    row(
        "driver-missing",
        "dependencies",
        r"Can't load plugin: (?P<subject>[\w.:]+)|Error loading (?P<subject_b>\w+)(?: or \w+)? module|Could not find "
        r"backend|Unknown database driver|Could not find driver",
        "A driver that the settings name is not installed ({subject}).",
        "The library looked for it by its name and found none.",
        "The driver's package is not installed, or the name is one of another version.",
        "Install the driver, or correct its name in the address.",
        exceptions="NoSuchModuleError ImproperlyConfigured InvalidCacheBackendError",
    ),
    row(
        "python-too-old",
        "dependencies",
        r"'type' object is not subscriptable|unsupported operand type\(s\) for \|: '(?:type|_GenericAlias|NoneType)'|"
        r"requires a different Python|Python 3\.\d+ or (?:higher|newer|later)",
        "The code needs a newer Python than the one that runs the tests.",
        "Python refused an annotation that newer versions allow.",
        "pytest runs in an interpreter of another version than the project asks for.",
        "Run the tests with the Python version that the project's metadata asks for.",
        exceptions="TypeError RuntimeError ImportError",
        phases=("collect", "session"),
        context=("platform",),
    ),
    row(
        "missing-optional",
        "dependencies",
        r"(?i)Missing optional dependency '(?P<subject>[\w-]+)'|requires? [\"'`]?(?P<subject_b>[\w-]+)[\"'`]? to be "
        r"installed|(?:requires?|needs?)(?: that)? the (?:python )?[\"'`]?(?P<subject_g>[\w-]+)[\"'`]? (?:package|library|module)\b|"
        r"do you have (?P<subject_h>[\w-]+) installed|[\"'`](?P<subject_i>[\w-]+)[\"'`] (?:package|library|module) is not installed|"
        r"no backends available -- recommend you install one \(e\.g\. 'pip install (?P<subject_j>[\w-]+)|"
        r"(?P<subject_c>[\w-]+) (?:is|are) not installed|No package metadata was found for (?P<subject_d>[\w-]+)|"
        r"The '(?P<subject_e>[\w-]+)' distribution was not found|(?:please|try|run) [`'\"]?(?:pip|uv|poetry|conda) "
        r"(?:add |install )+[`'\"]?(?P<subject_f>[\w-]+)|You (?:can|need to|must) install",
        "The package {subject} is needed and not installed.",
        "The code that needs it says so.",
        "The package is not installed in this interpreter: another environment, or requirements that were not "
        "installed.",
        _INSTALL,
        "pip show {subject}",
        exceptions="ImportError ModuleNotFoundError PackageNotFoundError DistributionNotFound RuntimeError "
        "ImproperlyConfigured ConfigError NotImplementedError MissingBackendError",
        raised_in=("library", "stdlib", "product", "runner"),
        strict=True,
        together=False,
    ),
    row(
        "wrong-version",
        "dependencies",
        r"(?i)requires (?P<subject>[\w-]+) ?(?:version )?[<>=!~]{1,2} ?\d|(?P<subject_b>[\w-]+) [\d.]+ is installed|"
        r"VersionConflict|ContextualVersionConflict|"
        r"binary incompatibility|unsupported version of|compiled using NumPy 1\.x|Descriptors cannot be created "
        r"directly|"
        r"numpy\.core\.multiarray failed to import|"
        r"undefined symbol|GLIBC\w*_[\d.]+' not found|ABI version|unsupported pickle protocol|incompatible "
        r"(?:version|architecture)",
        "Installed packages do not fit each other ({subject} is one of them).",
        "The package itself refuses the version that it found.",
        "Versions are not pinned, or one was upgraded alone.",
        "Install the versions of the lock file (or pin what the message asks for) and run again.",
        "pytest {test}",
        exceptions="ImportError ValueError TypeError VersionConflict ContextualVersionConflict RuntimeError "
        "AttributeError OSError SystemError",
    ),
    row(
        "shared-library",
        "dependencies",
        r"(?P<subject>[\w.+-]+\.(?:so|dylib|dll)[\w.]*)\S*: cannot open shared object|Library not loaded|DLL load "
        r"failed|"
        r"Could not find module '[^']{1,200}\.dll'|cannot load library '(?P<subject_b>[^']{1,80})'|no library called "
        r"\"(?P<subject_c>[\w-]+)\" was found",
        "A library of the system, {subject}, is missing on this machine.",
        "The loader of the operating system did not find it.",
        "A package needs a native library that pip does not install.",
        "Install the system package that brings it (and its runtime), here and in CI.",
        exceptions="OSError ImportError FileNotFoundError ModuleNotFoundError",
    ),
    row(
        "browser-missing",
        "dependencies",
        r"Executable doesn't exist at|playwright install|Host system is missing dependencies|(?:chromedriver|"
        r"geckodriver)' executable needs to be in PATH|"
        r"Unable to obtain driver for|cannot find Chrome binary",
        "The browser that the tests drive is not installed here.",
        "The driver looked for the browser and found none.",
        "The package is installed and the browser it drives is not.",
        "Install the browser (`playwright install --with-deps chromium`, or the driver that fits) before the tests.",
        "pytest {test}",
        exceptions="Error TargetClosedError WebDriverException NoSuchDriverException SessionNotCreatedException",
    ),
    row(
        "data-missing",
        "dependencies",
        r"Resource '?.{0,40}(?P<subject>[\w-]+).{0,20}'? not found\.|nltk\.download|Can't find model "
        r"'(?P<subject_b>[\w-]+)'",
        "Data that a library needs ({subject}) was not downloaded here.",
        "The library is installed and did not find its data.",
        "The data is a step of its own that this environment has not made.",
        "Download it as the message says, as a step of the environment's set-up.",
        exceptions="LookupError OSError",
        raised_in=_OUTSIDE,
        strict=True,
    ),
    row(
        "stdlib-dropped",
        "dependencies",
        r"^ModuleNotFoundError: No module named '(?P<subject>distutils|imp|asyncore|asynchat|smtpd|cgi|cgitb|pipes|"
        r"telnetlib|crypt|imghdr|pkg_resources)'",
        "{subject} is not in this version of Python any more (or left with setuptools).",
        "Python looked for {subject} and found nothing.",
        "A package or the project is older than the Python that runs it.",
        "Replace what imports {subject}, update that package, or run the Python version it was written for.",
        'python -c "import {subject}"',
        exceptions="ModuleNotFoundError",
        together=False,
    ),
    row(
        "missing-package",
        "dependencies",
        r"^(?:ModuleNotFoundError|ImportError): No module named '?(?P<subject>[A-Za-z_]\w*)(?:\.[\w.]+)?'?"
        r"(?!; '[\w.]{1,80}' is not a package)(?![\w.'])",
        "The interpreter that ran pytest cannot import {subject}.",
        "Python looked for {subject} on its whole import path and found nothing.",
        "The package is not installed in this interpreter: another environment, or requirements that were not "
        "installed.",
        _INSTALL,
        'python -c "import {subject}"',
        exceptions="ModuleNotFoundError ImportError",
        raised_in=("product", "test", "library"),
        context=("platform",),
    ),
    row(
        "api-gone",
        "drift",
        r"module '(?P<subject>(?:numpy|np|pandas|scipy|sqlalchemy|collections|asyncio|inspect|typing|werkzeug|flask|"
        r"pydantic|jwt|openai|redis|torch|"
        r"tensorflow|matplotlib|sklearn|networkx|PIL)[\w.]*)' has no attribute",
        "The {subject} that is imported does not offer what is used of it.",
        "A module of this name was found and imported; the attribute is not in it.",
        "The library was upgraded past the version this code was written for; or "
        "a file (or another package) of the same name comes first on the path.",
        "See which one is imported (the command below). If it is the library: follow its migration notes, or pin the version the code was written "
        "for; if not: rename the file that hides it.",
        'python -c "import {subject}; print({subject}.__file__)"',
        exceptions="AttributeError",
        together=False,
    ),
)
