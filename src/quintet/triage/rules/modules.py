"""Names that are somebody else's: packages everybody knows, what they bring to pytest, and modules that Python itself has dropped.

A name in these tables is a dependency. A name that is not may be the project's own, and only the project's tree can tell.
"""

# Import names, not the names of the distributions.
_NAMES = """
aio_pika aioboto3 aiobotocore aiocache aiofiles aiohttp aiohttp_cors aiokafka aiomysql aioredis aioresponses aiormq aiosmtplib aiosqlite
airflow alembic allauth altair amqp anthropic antlr4 anyio apscheduler argon2 arq arrow asgi_lifespan asgiref asyncpg asyncssh asynctest
attr attrs authlib autogen av babel backoff bcrypt beanie behave bitsandbytes black bleach blinker bokeh boto boto3 botocore braintree bs4
bson cachetools cairosvg cassandra catboost celery cerberus certifi cffi channels channels_redis chardet charset_normalizer cherrypy
chromadb circus click clickhouse_connect clickhouse_driver cloudpickle cloudscraper cohere colorama colorlog confluent_kafka consul couchdb
coverage crewai croniter cryptography cssselect cv2 cycler cyclopts cython dash dask databases dataclasses_json datadog datasets dateparser
dateutil ddt decouple deepdiff defusedxml deprecated diffusers diskcache distro django django_celery_beat django_extensions django_filters
django_redis dns docker docling docx docx2txt dotenv drf_spectacular drf_yasg duckdb ecdsa einops elasticsearch elasticsearch_dsl
email_validator environ environs eth_account evaluate execnet factory faiss faker fakeredis falcon fastapi fastapi_limiter fastapi_users
fastembed fastmcp fasttext feedparser fido2 filelock fire firebase_admin flask flask_bcrypt flask_caching flask_cors flask_jwt_extended
flask_limiter flask_login flask_mail flask_migrate flask_restful flask_restx flask_socketio flask_sqlalchemy flask_testing flask_wtf
freezegun frozendict ftfy fuzzywuzzy gensim geoalchemy2 geopandas geopy gevent gi git github gitlab gitpython gql graphene graphql greenlet
grpc grpc_status gspread gtts gunicorn gym gymnasium h11 h2 h5py haystack hdfs holidays html2text html5lib httplib2 httptools httpx
httpx_sse httpx_ws huggingface_hub hvac hypercorn hypothesis icalendar imageio imblearn inflection influxdb influxdb_client injector
instructor invoke ipywidgets isodate itsdangerous jaeger_client jax jinja2 jira jmespath joblib jose jsonpatch jsonpath_ng jsonpickle
jsonref jsonschema jwcrypto jwt kafka keras keyring kombu kubernetes langchain langchain_anthropic langchain_chroma langchain_community
langchain_core langchain_google_genai langchain_groq langchain_huggingface langchain_ollama langchain_openai langchain_text_splitters
langdetect langfuse langgraph langsmith ldap ldap3 librosa lightgbm limits litellm litestar llama_cpp llama_index locust logfire loguru lxml
magic mako mangum markdown markdown_it markupsafe marshmallow matplotlib mcp minio mistralai mlflow mock mongoengine mongomock moto motor
moviepy mpmath msal msgpack msgspec multipart mutagen mypy mysql mysqlclient MySQLdb nacl nats neo4j nest_asyncio netaddr networkx newrelic
nltk nox numba numexpr numpy oauth2client oauthlib odmantic ollama onnx onnxruntime openai openapi_spec_validator openpyxl opensearchpy
opentelemetry optuna oracledb orjson overrides paho pandas pandera parameterized paramiko parse passlib pathspec patsy peewee peft pendulum
pexpect pgvector phonenumbers pika PIL pinecone pip pkg_resources playwright plotly pluggy polars polyfactory portalocker praw prefect
presidio_analyzer prettytable prometheus_client prometheus_fastapi_instrumentator prompt_toolkit protobuf psutil psycopg psycopg2
psycopg_pool pulsar pyarrow pyaudio pyautogui pydantic pydantic_ai pydantic_core pydantic_extra_types pydantic_settings pydot pydub pyfakefs
pygame pygments pyinstrument pylint pymilvus pymongo pymupdf pymysql pynamodb pynput pyodbc pyotp pypdf PyPDF2 pyperclip pyppeteer PyQt5
PyQt6 pyrogram pysftp PySide2 PySide6 pyspark pystray pytesseract pytest_asyncio pytest_bdd pytest_benchmark pytest_check pytest_cov
pytest_django pytest_factoryboy pytest_httpserver pytest_httpx pytest_lazyfixture pytest_mock pytest_postgresql pytest_redis pytest_subtests
pytest_timeout pythonjsonlogger pytz pyvirtualdisplay pywebpush qdrant_client qrcode quart ragas rapidfuzz ratelimit ray redis redis_om
regex rembg reportlab requests requests_html requests_mock requests_oauthlib resend responses respx rest_framework rest_framework_simplejwt
retry rich robyn rq rsa rtree ruamel s3fs sanic sanic_testing schedule schema schemathesis scipy scrapy seaborn selenium sendgrid
sentence_transformers sentry_sdk serial setproctitle setuptools shap shapely shortuuid signalr simple_parsing simplejson six skimage sklearn
skopt slack_bolt slack_sdk slowapi slugify smbus snowflake socketio socks sounddevice soundfile soupsieve spacy speech_recognition sphinx
sqladmin sqlalchemy sqlalchemy_utils sqlfluff sqlglot sqlite_utils sqlmodel sqlparse sse_starlette starlette starlette_context statsmodels
storages strawberry streamlit stripe structlog supabase sympy syrupy tabulate taskiq tavily telebot telegram telethon tenacity tensorboard
tensorflow termcolor testcontainers testfixtures textblob textual thefuzz tiktoken timm tinydb toml tomli tomlkit toolz torch
torch_geometric torchaudio torchmetrics torchtext torchvision tornado tortoise tox tqdm trafilatura transformers trio trl tweepy twilio
twisted typeguard typer typing_extensions typing_inspect tzlocal ujson ultralytics umap undetected_chromedriver unidecode unstructured
urllib3 usb user_agents uvicorn uvloop validators vcr versioneer waitress wandb watchdog watchfiles weasyprint weaviate web3 webauthn
webdriver_manager websocket websockets webtest werkzeug wheel whisper whitenoise win32api win32com wordcloud wsproto wtforms xarray xgboost
xlrd xlsxwriter xmlschema xmltodict yaml yarl yfinance yt_dlp zeep zeroconf zmq zstandard zxcvbn
"""
KNOWN = frozenset(_NAMES.split())
PREFIXES = (
    "pytest_",
    "django_",
    "flask_",
    "fastapi_",
    "langchain_",
    "llama_index_",
    "types_",
    "opentelemetry_",
    "google_",
    "azure_",
    "sphinx_",
    "mypy_",
)
SHARED_ROOTS = frozenset(
    {"google", "azure", "opentelemetry", "sphinxcontrib", "ruamel", "zope", "backports", "jaraco", "mpl_toolkits"}
)
_LEFT = (
    "distutils imp asyncore asynchat smtpd cgi cgitb pipes telnetlib crypt nntplib imghdr sndhdr audioop aifc chunk uu xdrlib msilib "
    "nis ossaudiodev spwd sunau mailcap lib2to3 binhex formatter parser symbol"
)
DROPPED = frozenset(_LEFT.split())

# Which plugin brings a fixture, and which one owns a marker.
FIXTURES = {
    "admin_client": "pytest-django", "admin_user": "pytest-django", "aiohttp_client": "pytest-aiohttp", "aiohttp_server": "pytest-aiohttp",
    "aioresponses": "aioresponses", "anyio_backend": "anyio", "async_client": "pytest-django", "benchmark": "pytest-benchmark",
    "celery_app": "pytest-celery", "celery_worker": "pytest-celery", "class_mocker": "pytest-mock", "dash_duo": "dash",
    "data_regression": "pytest-regressions", "datadir": "pytest-datadir", "django_assert_num_queries": "pytest-django",
    "django_db_blocker": "pytest-django", "django_db_setup": "pytest-django", "django_user_model": "pytest-django",
    "docker_ip": "pytest-docker", "docker_services": "pytest-docker", "faker": "Faker", "file_regression": "pytest-regressions",
    "fp": "pytest-subprocess", "freezer": "pytest-freezer", "fs": "pyfakefs", "hass": "pytest-homeassistant-custom-component",
    "httpbin": "pytest-httpbin", "httpserver": "pytest-httpserver", "httpx_mock": "pytest-httpx", "image_regression": "pytest-regressions",
    "live_server": "pytest-django", "loop_policy": "pytest-asyncio", "mailoutbox": "pytest-django", "mocker": "pytest-mock",
    "module_mocker": "pytest-mock", "mongodb": "pytest-mongodb", "num_regression": "pytest-regressions", "page": "pytest-playwright",
    "playwright": "pytest-playwright", "postgresql": "pytest-postgresql", "postgresql_proc": "pytest-postgresql",
    "pytester": "the pytester plugin", "qapp": "pytest-qt", "qtbot": "pytest-qt", "redis_proc": "pytest-redis", "redisdb": "pytest-redis",
    "requests_mock": "requests-mock", "requests_mocker": "requests-mock", "respx_mock": "respx", "rf": "pytest-django",
    "selenium": "pytest-selenium", "session_mocker": "pytest-mock", "snapshot": "syrupy", "subtests": "pytest-subtests",
    "testdir": "the pytester plugin", "testrun_uid": "pytest-xdist", "time_machine": "time-machine", "transactional_db": "pytest-django",
    "unused_tcp_port": "pytest-asyncio", "vcr": "pytest-vcr", "worker_id": "pytest-xdist",
}  # fmt: skip
MARKERS = {
    "allow_hosts": "pytest-socket", "anyio": "anyio", "asyncio": "pytest-asyncio", "benchmark": "pytest-benchmark",
    "celery": "pytest-celery", "datafiles": "pytest-datafiles", "dependency": "pytest-dependency", "disable_socket": "pytest-socket",
    "django_db": "pytest-django", "enable_socket": "pytest-socket", "flaky": "pytest-rerunfailures (or flaky)",
    "freeze_time": "pytest-freezer", "gen_test": "pytest-tornado", "httpx_mock": "pytest-httpx", "mpl_image_compare": "pytest-mpl",
    "order": "pytest-order", "parallel": "pytest-parallel", "playwright": "pytest-playwright", "qt_log_ignore": "pytest-qt",
    "repeat": "pytest-repeat", "respx": "respx", "timeout": "pytest-timeout", "trio": "pytest-trio", "vcr": "pytest-vcr",
    "xdist_group": "pytest-xdist",
}  # fmt: skip
OPTIONS = {
    "--alluredir": "allure-pytest", "--asyncio-mode": "pytest-asyncio", "--benchmark-only": "pytest-benchmark", "--black": "pytest-black",
    "--browser": "pytest-playwright", "--count": "pytest-repeat", "--cov": "pytest-cov", "--cov-report": "pytest-cov",
    "--ctrf": "pytest-json-ctrf", "--disable-socket": "pytest-socket", "--dist": "pytest-xdist",
    "--docker-compose": "pytest-docker-compose", "--ds": "pytest-django", "--flake8": "pytest-flake8", "--forked": "pytest-forked",
    "--headed": "pytest-playwright", "--html": "pytest-html", "--json-report": "pytest-json-report", "--mypy": "pytest-mypy",
    "--no-cov": "pytest-cov", "--nomigrations": "pytest-django", "--numprocesses": "pytest-xdist", "--random-order": "pytest-random-order",
    "--report-log": "pytest-reportlog", "--reruns": "pytest-rerunfailures", "--reuse-db": "pytest-django",
    "--self-contained-html": "pytest-html", "--snapshot-update": "syrupy", "--testmon": "pytest-testmon", "--timeout": "pytest-timeout",
    "-n": "pytest-xdist",
}  # fmt: skip


def is_package(name: str) -> bool:
    """True for the top-level name of a package that everybody knows (any case)."""
    return (
        name in KNOWN or name.lower() in KNOWN or name.startswith(PREFIXES) or name in DROPPED or name in SHARED_ROOTS
    )
