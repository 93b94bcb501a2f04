"""What the surroundings of the tests set: variables, settings, files."""

from quintet.triage.model import Place
from quintet.triage.rules import database, files, machine, packages, provisioning, removed, services, settings
from quintet.triage.signatures import Rule, row

_OUTSIDE: tuple[Place, ...] = ("library", "stdlib")
_NAME = r"[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{6,}"
_GUARDS = (
    "RuntimeError ValueError KeyError OSError EnvironmentError ImproperlyConfigured ConfigurationError ConfigError "
    "SystemExit Exception "
    "UndefinedValueError EnvError MissingEnvironmentVariable SettingsError ConfigException UsageError "
    "Exit OpenAIError TypeError"
)
_STARTS = r"_execute_child|Popen|subprocess|_posixspawn|errno_num|CreateProcess|winapi|create_subprocess"
_SET_IT = (
    "Set {subject} for the tests before the application is imported (for example in `pytest_configure` or the "
    'runner: `os.environ.setdefault("{raw}", "test")` at the top of conftest.py), or read it when it is first used.'
)

_VARIABLES = (
    row(
        "variable-not-set",
        "environment",
        rf"(?:^|[\s:'\"`(])(?P<subject>{_NAME})['\"`]?(?: key)? ?(?:env(?:ironment)? ?(?:variable|var)?|variable|"
        rf"setting)? ?(?:is"
        r"|was|are|must be|must|has to be|needs to be|should be|cannot be|not)"
        r" (?:explicitly |not |also |be )*(?:set|configured|defined|provided|required|missing|empty|specified|found|"
        r"available|present)\b",
        "The variable {subject} is demanded and the test environment does not set it.",
        "The project's own check for {subject} stops here.",
        "Nothing sets {subject} before this code runs in the tests.",
        _SET_IT,
        "pytest {test}",
        exceptions=_GUARDS,
        told=rf"^(?P<subject>{_NAME})\b[^\n]{{0,60}}(?:not set|must be set|required|missing|not "
        rf"found)[^\n]{{0,120}}(?:$|\nassert (?:None|'')(?: |$))",
        others=True,
        raised_in=("product", "test", "library"),
        together=False,
    ),
    row(
        "variable-named",
        "environment",
        rf"(?i:(?:env(?:ironment)? ?(?:variable|var)|required setting|setting|missing|set|provide|define|export) "
        rf"?(?:the )?(?:variable )?)[:=]? ?['\"`$]{{0,2}}"
        rf"(?P<subject>{_NAME})['\"`]?[^\n]{{0,40}}?(?i:not (?:found|set|defined|provided)|missing|(?:is )?required|"
        rf"unset|environment|env\b|variable|before)",
        "The variable {subject} is demanded and the test environment does not set it.",
        "The check for {subject} stops here.",
        "Nothing sets {subject} before this code runs in the tests.",
        _SET_IT,
        "pytest {test}",
        exceptions=_GUARDS,
        others=True,
        raised_in=("product", "test", "library"),
        together=False,
    ),
    row(
        "variable-told",
        "environment",
        rf"(?:^|[\n'\": ]|\+ )(?i:error|fatal|config\w{{0,12}}|missing)\w{{0,8}}: ?(?:environment variable )?['\"`]?(?P<subject>{_NAME})['\"`]? "
        r"(?:is |was |must be )?(?:not set|missing|required|unset|undefined)\b",
        "The program says that the variable {subject} is not set, where the tests expect it to do its work.",
        "Its own output says so; the test compares it with what it expects.",
        "Nothing sets {subject} for what the tests start.",
        _SET_IT,
        exceptions="AssertionError Failed",
        code=packages.of_a_program("not set|missing|required"),
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
        exceptions="RuntimeError ValueError OSError EnvironmentError ImproperlyConfigured ConfigurationError "
        "ConfigError SystemExit Exit",
        raised_in=("product", "test"),
    ),
    row(
        "environ-key",
        "environment",
        r"^KeyError: ['\"](?P<subject>[A-Za-z][A-Za-z0-9_]{2,})['\"]",
        "The environment variable {subject} is read with `os.environ[...]` and is not there.",
        "`os.environ` raised it: the variable does not exist in this process.",
        "Nothing sets {subject} before this code runs in the tests.",
        _SET_IT,
        "pytest {test}",
        exceptions="KeyError",
        code=r"\benviron\b|raise KeyError\(key\) from None|stdlib:(?:<frozen os>|.*[/\\]os\.py)",
        alone=r"^KeyError: ['\"](?P<subject>[A-Z][A-Z0-9]*_[A-Z0-9_]+)['\"]",
        raised_in=("stdlib", "product", "test"),
        strict=True,
        together=False,
    ),
    row(
        "django-settings",
        "environment",
        r"Requested setting (?P<subject>\w+), but settings are not configured|The (?P<subject_b>SECRET_KEY) setting "
        r"must not be empty|"
        r"DJANGO_SETTINGS_MODULE|Apps aren't loaded yet",
        "Django runs without complete settings ({subject}).",
        "Django itself says so while it is set up.",
        "`DJANGO_SETTINGS_MODULE` is not set for this run, names a module that is not there, or the settings read a "
        "variable that is not set.",
        "Set `DJANGO_SETTINGS_MODULE` in pytest's configuration to settings made for tests, with every value they "
        "read.",
        'python -c "import django; django.setup()"',
        exceptions="ImproperlyConfigured ImportError RuntimeError AppRegistryNotReady",
    ),
    row(
        "value-unusable",
        "environment",
        r"(?i)(?:\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b[^\n]{0,80}(?:placeholder|not a valid|malformed|encrypted)|ENC\[|"
        r"your[-_ ]?api[-_ ]?key)|"
        r"[Ii]nvalid literal for int\(\) with base 10: '(?:\$\{|change|your)|Could not parse SQLAlchemy URL from|"
        r"int\(\) argument must be a string, a bytes-like object or a real number, not 'NoneType'",
        "A setting has a value that cannot be used, or none.",
        "The value was there when it was read and did not fit.",
        "A placeholder, an encrypted or empty value stands where the tests need a real one.",
        "Give the tests a usable value of their own.",
        exceptions="ValueError ArgumentError RuntimeError TypeError ConfigurationError",
        code=r"environ|getenv|[Ss]ettings|[Cc]onfig|create_(?:async_)?engine|make_url|int\(|raise ",
        raised_in=("product", "library", "stdlib"),
        strict=True,
    ),
    row(
        "value-of-variable",
        "environment",
        r"^(?:ValueError|TypeError|InvalidOperation|JSONDecodeError|AttributeError|ArgumentError): ",
        "The value of the environment variable {subject} cannot be used as it is.",
        "The line that fails reads the variable: its value is empty, missing or of another form than the code takes.",
        "The variable is not set for the tests, or set to something else than the code was written for (an empty value counts as set).",
        "Give the variable a usable value for the tests, or have the code treat an empty one as not set.",
        exceptions="ValueError TypeError InvalidOperation JSONDecodeError AttributeError ArgumentError",
        code=r"\bos\.environ\b|\bgetenv\(|\benviron(?:\.get\(|\[)",
        names=r"(?:environ|getenv)(?:\.get)?[(\[]['\"](?P<subject>\w{2,80})['\"]",
        raised_in=("product", "test", "stdlib", "library"),
        strict=True,
    ),
    row(
        "secret-key",
        "environment",
        r"(?i)no secret[ _]key was set|secret[ _]key['\"`]? (?:is |was |must be |has to be |needs to be )?(?:not |un)?(?:set|"
        r"configured|provided|required|empty|missing)"
        r"|a secret key is required",
        "The application has no secret key in this run, so whatever needs sessions or signatures fails.",
        "The library asked for the key and found none.",
        "The key comes from a variable (or a settings file) that this run does not have.",
        "Give the tests a secret key of their own (32 bytes or more), before the application is made.",
        exceptions="RuntimeError ValueError ImproperlyConfigured KeyError Exception",
        raised_in=("library", "product"),
    ),
    row(
        "certificate",
        "environment",
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|certificate verify failed|self[- ]signed certificate",
        "The certificate of the server that is asked is not trusted here.",
        "The TLS library compared it with the authorities that it knows, and refused it.",
        "The certificate is self-signed, expired or made for another name, or this environment lacks the authority (`SSL_CERT_FILE`).",
        "Give the tests' client the authority that signed it (`verify=`, `SSL_CERT_FILE`), or make the certificate for "
        "the name that is asked.",
        exceptions="SSLCertVerificationError SSLError ConnectError ClientConnectorCertificateError URLError MaxRetryError ConnectionError",
        raised_in=_OUTSIDE,
    ),
    row(
        "tls-mismatch",
        "environment",
        r"WRONG_VERSION_NUMBER|wrong version number|RECORD_LAYER_FAILURE|record layer failure"
        r"|SSL: HTTP_REQUEST|http request\]|packet length too long",
        "One side speaks TLS, the other does not: the address begins with `https` or `wss` where the server has no TLS (or the reverse).",
        "The first bytes that came back were none of TLS; so a server listens there and answers.",
        "The scheme of the address was not written for the server that the tests start.",
        "Give the address the scheme that the server speaks (`http`, `ws`), or give the server a certificate.",
        exceptions="SSLError ConnectError ClientConnectorSSLError ClientConnectorError ConnectionError URLError "
        "MaxRetryError ProtocolError",
        raised_in=_OUTSIDE,
    ),
    row(
        "host-not-allowed",
        "environment",
        r"Invalid HTTP_HOST header: ['\"]?(?P<subject>[^'\"\s]{1,80})['\"]|DisallowedHost(?![^\n]*Invalid HTTP_HOST)"
        r"|Host ['\"]?(?P<subject_b>[^'\"\s]{1,80})['\"]? is not trusted"
        r"|^AssertionError: assert 400 [\s\S]{0,400}Invalid host header",
        "The server refuses the name under which the tests ask for it: {subject} is none of its allowed hosts.",
        "The answer is 400 before any code of the route runs: the `Host` header is compared first.",
        "The settings of this run allow other hosts (`ALLOWED_HOSTS`, `TrustedHostMiddleware`) than the tests' client names.",
        "Add the name to the allowed hosts of the tests' settings, or give the client an allowed one (`base_url`, "
        "`SERVER_NAME`, `HTTP_HOST`).",
        exceptions="DisallowedHost SecurityError AssertionError",
    ),
    row(
        "credentials-absent",
        "environment",
        r"Unable to locate credentials|Your default credentials were not found|Could not automatically determine "
        r"credentials|You must specify a region|"
        r"(?i:(?:api[_ ]key|token) (?:is |was )?(?:not (?:set|found|provided|configured)|missing|required))|"
        r"(?i:missing|no|invalid) (?i:api[_ ]key|credentials) "
        r"(?:provided|found|configured|set)|Did not find (?P<subject>\w+), please add an environment variable|"
        r"Incorrect API key provided|Could not resolve authentication method",
        "A client of an outside service finds no credentials in this environment.",
        "The client looked for them where it always does.",
        "The test environment has no key for it, and the tests make a real client.",
        "Give the tests a made-up key (and replace the client by a fake), or set the variable that the message names.",
        exceptions="NoCredentialsError DefaultCredentialsError NoRegionError ValueError RuntimeError OpenAIError "
        "AuthenticationError ValidationError "
        "ConfigurationError ImproperlyConfigured Exception PartialCredentialsError",
        others=True,
        raised_in=("library", "product"),
        strict=True,
    ),
    row(
        "encoding",
        "environment",
        r"^Unicode(?:Encode|Decode)Error: '(?P<subject>charmap|cp1252|ascii|cp932|gbk|cp1251)' codec|can't (?:encode|"
        r"decode) .{0,60}character maps",
        "Text is read or written in this machine's own encoding ({subject}), which cannot hold it.",
        "Python used the encoding of the locale because none was named.",
        "The code opens files (or prints) without an encoding, and this machine's is not UTF-8.",
        'Name `encoding="utf-8"` where files are opened, or set `PYTHONUTF8=1` for the tests.',
        "pytest {test}",
        exceptions="UnicodeEncodeError UnicodeDecodeError",
        # An encoding that the code names is no machine's.
        code=r"^(?![\s\S]*(?<!codecs\.charmap_)(?<!codecs\.ascii_)(?:en|de)cod(?:e|ing) ?[(=] ?['\"]?(?!utf))",
        alone=r"^Unicode(?:Encode|Decode)Error: '(?P<subject>charmap|cp1252|ascii|cp932|gbk|cp1251)' codec",
    ),
    row(
        "locale",
        "environment",
        r"unsupported locale setting|No time zone found with key|ZoneInfoNotFoundError",
        "The machine lacks a locale or time zone that the code asks for.",
        "The operating system does not know it.",
        "The data is not installed here.",
        "Install the locale (or `tzdata`) here, or do not depend on it.",
        exceptions="Error ZoneInfoNotFoundError",
    ),
    row(
        "command-as-program",
        "drift",
        r"^FileNotFoundError: \[Errno 2\][^\n]{0,80}?: (?:'(?P<subject>[^\s']{1,120}) [^\n]{1,400}'|\"(?P<subject_b>[^\s\"]{1,120}) [^\n]{1,400}\")$",
        "A whole command line is taken for the name of a program ({subject} and its arguments).",
        "The system was asked for a program of that long name, and has none.",
        "The command is handed over as one text, without a shell that takes it apart.",
        "Hand the command over as a list (`shlex.split(command)`).",
        exceptions="FileNotFoundError",
        code=_STARTS,
        raised_in=("stdlib", "library", "product", "test"),
        together=False,
    ),
    row(
        "program-missing",
        "environment",
        r"^FileNotFoundError: .*?['\"](?P<subject>[\w.+-]{1,60})['\"]|(?P<subject_b>[\w-]{1,40}) (?:is not installed "
        r"or it's not in your PATH|: command not found)|"
        r"WinError 2\]|Unable to get page count\. Is poppler installed",
        "The program {subject} is not installed here (or not on the path).",
        "Starting it failed: the system found no such program.",
        "The tests start a program that this environment lacks.",
        "Install {subject}, or skip what needs it where it is absent.",
        "which {subject}",
        exceptions="FileNotFoundError TesseractNotFoundError PDFInfoNotInstalledError",
        code=_STARTS,
        raised_in=("stdlib", "library", "product", "test"),
        together=False,
    ),
)

RULES: tuple[Rule, ...] = (
    removed.RULES
    + packages.RULES
    + settings.RULES
    + _VARIABLES
    + services.RULES
    + provisioning.RULES
    + database.RULES
    + files.RULES
    + machine.RULES
)
