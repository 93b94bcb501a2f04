"""Classes and files of settings: which layer they were read from, and what is not in it."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "django-settings-module",
        "environment",
        r"No module named '(?P<subject>[\w.]{1,160})'[\s\S]{0,200}?pytest-django (?:found|could not find) a Django project",
        "`DJANGO_SETTINGS_MODULE` names {subject}, and there is no such module.",
        "pytest-django imports the settings before any test, and Python does not find them.",
        "The name is misspelt, or of a module that was moved (`settings` is one file, not a package, or the reverse); or the folder that "
        "holds it is not on the path.",
        "Correct `DJANGO_SETTINGS_MODULE` in pytest's configuration (or the variable, or `--ds`), and set `pythonpath` to the folder of `manage.py`.",
        'python -c "import {subject}"',
        exceptions="ImportError ModuleNotFoundError",
    ),
    row(
        "app-not-installed",
        "imports",
        r"Model class (?P<subject>[\w.]{1,160}) doesn't declare an explicit app_label",
        "The model {subject} belongs to no installed app of Django under this name.",
        "Django compared the module's name with those in `INSTALLED_APPS`, and none of them contains it.",
        "The module is imported under another name than `INSTALLED_APPS` gives (with the folder above it, `backend.shop` "
        "for `shop`, because both are on "
        "the path); or the app is not in the list of these settings.",
        "Import the model by the name that stands in `INSTALLED_APPS`, and leave only one of the two folders on the path; or add the app.",
        exceptions="RuntimeError",
        raised_in=("library",),
    ),
    row(
        "settings-layer",
        "environment",
        r"(?P<subject>[A-Za-z_][\w.]{1,80}) (?:is|are) required in env(?:ironment)? \w+|(?P<subject_b>[A-Za-z_][\w.]{1,80}) "
        "(?:must|cannot) "
        r"[^\n]{1,80} in env(?:ironment)? \w+$",
        "The layer of the settings that this run chose does not have {subject} (the message names the layer).",
        "The settings were read, and validated for that layer only: what stands under another heading of the file does not count.",
        "Nothing chooses the layer of the tests, so the default one rules (dynaconf: `development`, unless "
        "`ENV_FOR_DYNACONF` says otherwise); or the "
        "value stands under another heading.",
        "Choose the tests' layer before the settings are imported (`ENV_FOR_DYNACONF=testing`, or `FORCE_ENV_FOR_DYNACONF` "
        "in conftest.py), or give "
        "{subject} a value under the heading that the message names.",
        exceptions="ValidationError",
        raised_in=("library",),
    ),
    row(
        "settings-missing",
        "environment",
        r"validation errors? for (?P<subject>\w*(?:[Ss]ettings|Config|Configuration|Env|Environment)\w*)(?:\n|$)",
        "The settings class {subject} refuses the environment of this test run.",
        "The class checks the environment when it is made, and something in it is missing, not allowed or malformed.",
        "The tests run with other variables than the application was written for, or its `.env` is not read: a relative "
        "`env_file` is looked for "
        "where pytest was started, not beside the class.",
        "Give the tests their own complete settings (fixture or `.env.test`, its path built from `__file__`), and make the "
        "object where it is used, "
        "not at import.",
        exceptions="ValidationError SettingsError",
        raised_in=("product", "library"),
    ),
    row(
        "settings-value-absent",
        "environment",
        r"(?P<subject>[A-Za-z_]\w{1,80}) not found\. Declare it as envvar|^EnvError: Environment variable "
        r'"(?P<subject_b>\w{1,80})" not set'
        r"|Config '(?P<subject_c>\w{1,80})' is missing, and has no default|Missing mandatory value: (?P<subject_d>[\w.]{1,80})"
        r"|Environment variable '(?P<subject_e>\w{1,80})' not found|^MissingEnvValueError: (?P<subject_f>\w{1,80})"
        r"|Set the (?P<subject_g>\w{1,80}) environment variable",
        "The setting {subject} has no value in this run: no variable, no line of a file that is read, and no default.",
        "The settings library looked for {subject} in all of its sources and found none.",
        "The variable is not set for the tests; or it stands in a file that is not read from here: such files are looked for "
        "beside the code that "
        "asks, or where pytest was started, and upwards from there.",
        'Set {subject} for the tests before the settings are read (`os.environ.setdefault("{raw}", "test")` at the top of '
        "conftest.py), or name the "
        "file by a path built from `__file__`.",
        exceptions="UndefinedValueError EnvError KeyError MissingMandatoryValue InterpolationResolutionError MissingEnvValueError "
        "ImproperlyConfigured ConfigError",
        raised_in=("library", "product"),
        together=False,
    ),
    row(
        "not-registered",
        "drift",
        r"^(?:NotRegistered|ActorNotFound|UnknownTask|NoSuchJob\w*): ['\"]?(?P<subject>[\w.:-]{1,120})",
        "Nothing is registered under the name {subject}.",
        "The registry of tasks was asked for this name, and does not have it.",
        "The task is registered under another name (`name=` of its decorator, or the module's path as it is imported here), or the module that "
        "registers it is not imported in the tests.",
        "Compare the name with those that are registered (`app.tasks`), and ask by the task itself instead of by a text; import the module (or "
        "`autodiscover_tasks`) in the tests' application.",
        exceptions="NotRegistered ActorNotFound UnknownTask",
        raised_in=("library",),
        together=False,
    ),
    row(
        "settings-value-refused",
        "environment",
        r"^EnvValidationError: Environment variable \"(?P<subject>\w{1,80})\" invalid|^ValueError: Config "
        r"'(?P<subject_b>\w{1,80})' has value "
        r"'[^'\n]*'\. Not a valid|error parsing value for field \"(?P<subject_c>\w{1,80})\"|^ValueError: Invalid truth value: ",
        "The setting {subject} has a value of another form than the code takes.",
        "The settings library read it and could not make of it what the code asks for.",
        "The value of this environment (an empty one counts) was written for another version or place.",
        "Give {subject} a value of the form that the message names, in the environment of the tests.",
        exceptions="EnvValidationError ValueError SettingsError",
        names=r"\b(?:config|env(?:\.\w{1,20})?|getenv)\(\s*['\"](?P<subject>[A-Za-z_]\w{1,80})['\"]",
        raised_in=("library", "stdlib"),
        strict=True,
        together=False,
    ),
)
