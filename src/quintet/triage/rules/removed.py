"""What libraries (and Python) have taken away: code written for an older version meets a newer one.

Each row is a name, who took it away, since when, and what stands in its place. Of a name that a project may well use for something of
its own (`Engine`, `Collection`) the statement says so.
"""

from quintet.triage.signatures import Rule, row

_NO = r"has no attribute '(?:{})'"
_FROM = r"cannot import name '(?:{})' from '{}"
_KEY = r"{}\(\) got an unexpected keyword argument '(?:{})'"

# What the message says, the name that is gone, the library, the version that took it away, what to use now.
_GONE = (
    (r"module 'numpy' " + _NO.format("float|int|bool|object|str|complex|long|unicode"), "an alias of a Python type", "numpy", "1.24",
     "the plain type"),
    (r"`?np\.\w+`? was removed in the NumPy 2|module 'numpy' " + _NO.format(
        "float_|complex_|unicode_|string_|NaN|Inf|infty|product|cumproduct|alltrue|sometrue|in1d|trapz|row_stack|asfarray|cast|find_common_type"),
     "a name of numpy", "numpy", "2.0", "the name that its migration guide gives"),
    (r"module 'collections' " + _NO.format(r"\w+") + "|" + _FROM.format(
        "(?:Mutable)?(?:Mapping|Sequence|Set)|Iterable|Iterator|Callable|Hashable|Sized|Container|Awaitable|Generator|Coroutine",
     "collections'"),
     "an abstract class of collections", "Python", "3.10", "`collections.abc`"),
    (r"module 'asyncio' " + _NO.format("coroutine|async|Task\\.all_tasks"), "asyncio.coroutine", "Python", "3.11", "`async def`"),
    (r"module 'inspect' " + _NO.format("getargspec|formatargspec") + "|" + _FROM.format("getargspec|formatargspec", "inspect'"),
     "inspect.getargspec", "Python", "3.11", "`inspect.signature`"),
    (_NO.format("assertEquals|assertNotEquals|assertAlmostEquals|assertRaisesRegexp|assertRegexpMatches|assertItemsEqual|failUnless|assert_"),
     "an old name of unittest's assertions", "Python", "3.12", "its new name (`assertEqual`, `assertRaisesRegex`, …)"),
    (r"module 'pkgutil' " + _NO.format("ImpImporter|find_loader|get_loader"), "pkgutil.ImpImporter", "Python", "3.12",
     "a newer setuptools (`importlib`)"),
    (r"module 'ssl' " + _NO.format("wrap_socket|match_hostname"), "ssl.wrap_socket", "Python", "3.12", "`ssl.SSLContext.wrap_socket`"),
    (r"module '(?:locale|configparser|time)' " + _NO.format("format|SafeConfigParser|clock"), "an old name of the standard library",
     "Python", "3.12",
     "its successor (`format_string`, `ConfigParser`, `perf_counter`)"),
    (r"'(?:EntryPoints|SelectableGroups)' object " + _NO.format("get"), "entry_points().get", "Python", "3.12", "`entry_points(group=…)`"),
    (r"'(?:DataFrame|Series)' object " + _NO.format("append|iteritems|ix|lookup|mad|as_matrix|get_value|set_value"),
     "an old method of frames and series",
     "pandas", "2.0", "`pd.concat`, `items`, `loc`"),
    (r"`?BaseSettings`? has been moved to the `?pydantic-settings", "BaseSettings", "pydantic", "2.0", "the package `pydantic-settings`"),
    (_FROM.format("JSONEncoder|JSONDecoder",
     "flask") + "|'Flask' object " + _NO.format("before_first_request|json_encoder|json_decoder|env"),
     "a hook of Flask (`before_first_request`, `JSONEncoder`)", "Flask", "2.3", "`with app.app_context()` at start, a JSON provider"),
    (_FROM.format("Markup|escape|_request_ctx_stack|_app_ctx_stack", "flask'"), "a name of flask", "Flask", "3.0",
     "`markupsafe`, `flask.globals`"),
    (_FROM.format(r"url_\w+", "werkzeug.urls"), "werkzeug.urls", "Werkzeug", "3.0", "`urllib.parse`, or a Flask that fits"),
    (r"module 'werkzeug' " + _NO.format("__version__"), "werkzeug.__version__", "Werkzeug", "3.1", "a newer Flask"),
    (_FROM.format("safe_str_cmp", "werkzeug.security"), "safe_str_cmp", "Werkzeug", "2.1", "`hmac.compare_digest`"),
    (_FROM.format("escape|Markup|contextfilter|contextfunction|environmentfilter|evalcontextfilter", "jinja2"), "a name of jinja2",
     "Jinja2", "3.1",
     "`markupsafe`, `pass_context`"),
    (_FROM.format("soft_unicode", "markupsafe"), "soft_unicode", "MarkupSafe", "2.1", "`soft_str`, or a newer Jinja2"),
    (_FROM.format("json|JSONWebSignatureSerializer|TimedJSONWebSignatureSerializer", "itsdangerous"), "itsdangerous' JSON signatures",
     "itsdangerous", "2.1",
     "`URLSafeTimedSerializer`, or PyJWT"),
    (_FROM.format(r"u[gn]+ettext\w*", "django.utils.translation"), "ugettext", "Django", "4.0", "`gettext`"),
    (_FROM.format("force_text|smart_text|python_2_unicode_compatible", "django.utils"), "force_text", "Django", "4.0", "`force_str`"),
    (_FROM.format("url", "django.conf.urls") + "|" + _FROM.format("is_safe_url", "django.utils.http"), "django.conf.urls.url",
     "Django", "4.0", "`re_path`"),
    (_KEY.format("", "providing_args"), "Signal(providing_args=…)", "Django", "4.0", "`Signal()`"),
    (_FROM.format("utc", "django.utils.timezone") + "|module 'django.utils.timezone' " + _NO.format("utc"), "timezone.utc", "Django",
     "5.0", "`datetime.timezone.utc`"),
    (r"object " + _NO.format("assertQuerysetEqual|assertFormsetError"), "assertQuerysetEqual", "Django", "5.1", "`assertQuerySetEqual`"),
    (r"'Starlette' object " + _NO.format("on_event|add_event_handler|route|websocket_route|middleware|exception_handler")
     + "|" + _KEY.format(r"(?:Starlette|Router)\.__init__", "on_startup|on_shutdown"), "an old way to register with Starlette",
     "Starlette", "1.0",
     "`routes=`, `middleware=`, `lifespan=`"),
    (r"module 'PIL\.Image' " + _NO.format("ANTIALIAS|LINEAR|CUBIC") + "|'ImageDraw' object " + _NO.format("textsize") + "|'FreeTypeFont' object "
     + _NO.format("getsize"), "an old name of Pillow", "Pillow", "10.0", "`LANCZOS`, `textbbox`, `getbbox`"),
    (_KEY.format(r"(?:Runner\.)?__init__", "mix_stderr"), "CliRunner(mix_stderr=…)", "click", "8.2",
     "`result.stderr`, which is always apart"),
    (_KEY.format(r"(?:Retry\.)?__init__", "method_whitelist"), "Retry(method_whitelist=…)", "urllib3", "2.0", "`allowed_methods`"),
    (_FROM.format("DEFAULT_CIPHERS|appengine", "urllib3"), "a name of urllib3", "urllib3", "2.0", "a newer requests (or `urllib3<2`)"),
    (_KEY.format(r"Field\.__init__", "missing|default"), "fields' `missing=`", "marshmallow", "4.0", "`load_default=`"),
    (r"module 'marshmallow' " + _NO.format("__version__|__version_info__"), "marshmallow.__version__", "marshmallow", "4.0",
     "a newer version of what asks for it"),
    (_FROM.format(r"mock_(?!aws)\w+", "moto"), "moto's decorators of one service", "moto", "5.0", "`mock_aws`"),
    (r"You tried to access openai\.\w+, but this is no longer supported|module 'openai' " + _NO.format("error|ChatCompletion|Completion|Embedding"),
     "the functions of the module openai", "openai", "1.0", "`OpenAI().chat.completions.create`"),
    (r"module 'aioredis' " + _NO.format("create_redis|create_redis_pool|create_pool"), "aioredis.create_redis", "aioredis", "2.0",
     "`redis.asyncio.from_url`"),
    (r"module 'networkx' " + _NO.format("from_numpy_matrix|to_numpy_matrix|info"), "networkx' matrices", "networkx", "3.0",
     "`from_numpy_array`"),
    (r"module 'pytest' " + _NO.format("yield_fixture|config|Instance"), "an old name of pytest", "pytest", "8.0",
     "`pytest.fixture`, `request.config`"),
    (r"Collection' object is not callable\. If you meant to call the", "an old method of collections", "pymongo", "4.0",
     "`insert_one`, `update_one`, `count_documents`"),
)  # fmt: skip
_LIKELY = (
    (
        r"'Engine' object " + _NO.format("execute|table_names|has_table|scalar|transaction|run_callable"),
        "Engine.execute",
        "SQLAlchemy",
        "2.0",
        "`with engine.begin() as connection: connection.execute(text(…))`",
    ),
    (
        r"'(?:Query|Session)' object " + _NO.format("autocommit|with_lockmode|from_self|with_parent"),
        "an old method of sessions",
        "SQLAlchemy",
        "2.0",
        "`select(…)` and `session.execute`",
    ),
    (
        r"'Collection' object " + _NO.format("insert|update|remove|count|save|ensure_index"),
        "an old method of collections",
        "pymongo",
        "4.0",
        "`insert_one`, `update_one`, `count_documents`",
    ),
)


def _row(pattern: str, name: str, library: str, since: str, instead: str, *, likely: bool = False) -> Rule:
    shown = f"`{name}`" if " " not in name and "`" not in name else name
    whose = f"If this is {library}'s: " if likely else ""
    return row(
        f"removed: {name} ({library})",
        "dependencies",
        rf"(?P<subject>(?:{pattern}))",
        f"{whose}{shown} is gone since {library} {since}: the code is written for an older version than the one that is installed.",
        f"The name is one that {library} {since} took away, and the object or module that was asked is there.",
        f"The version of {library} is not pinned (or was raised), and this code was not carried over.",
        f"Use {instead} in its place; until then pin the older version in the requirements of the project and of CI ({library} before {since}).",
        "pytest {test}",
        exceptions="AttributeError ImportError TypeError PydanticImportError ArgumentError ObjectNotExecutableError APIRemovedInV1",
        raised_in=("product", "test", "library", "stdlib"),
        context=("installed",),
    )


RULES: tuple[Rule, ...] = (*(_row(*one) for one in _GONE), *(_row(*one, likely=True) for one in _LIKELY))
