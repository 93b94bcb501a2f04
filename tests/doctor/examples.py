"""For every rule a tiny broken project, and a near miss: a project that looks alike and in which nothing is wrong."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["EXAMPLES", "Example"]

Files = Mapping[str, str]
TEST = "def test_one():\n    pass\n"


class Example(NamedTuple):
    """`installed` are distributions beside pytest; `pretended` are names and versions that only look installed."""

    rule: str
    certainty: Literal["certain", "suspect"]
    broken: Files
    near: Files
    probe: bool = True
    installed: tuple[str, ...] = ()
    pretended: tuple[tuple[str, str], ...] = ()
    name: str = ""

    def __str__(self) -> str:
        return f"{self.rule}{'-' if self.name else ''}{self.name}"


READS = "import os\nKEY = os.environ{}\ndef test_one(): pass\n"
MARKED = "import pytest\n@pytest.mark.{}\ndef test_one(): pass\n"
SETTINGS = """
    from pydantic_settings import BaseSettings
    class Settings(BaseSettings):
        doctor_example_key: str{}
    {}
    def test_one(): pass
"""

EXAMPLES = (
    Example(
        "D01",
        "certain",
        {"pytest.ini": "[tool:pytest]\naddopts = -ra\n", "test_a.py": TEST},
        {"pytest.ini": "", "test_a.py": TEST},
        probe=False,
    ),
    Example(
        "D01",
        "certain",
        {
            "pytest.ini": "",
            "pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['tests']\n",
            "tests/test_a.py": TEST,
        },
        {"pytest.ini": "[pytest]\n", "pyproject.toml": "[tool.other]\nx = 1\n", "tests/test_a.py": TEST},
        name="hides",
    ),
    Example(
        "D02",
        "certain",
        {"setup.cfg": "[pytest]\naddopts = -ra\n", "test_a.py": TEST},
        {"setup.cfg": "[tool:pytest]\naddopts = -ra\n", "tests/data/setup.cfg": "[pytest]\n", "test_a.py": TEST},
    ),
    Example(
        "D03",
        "certain",
        {
            "pyproject.toml": "[tool.pytest]\nxfail_strict = true\n[tool.pytest.ini_options]\naddopts = '-ra'\n",
            "test_a.py": TEST,
        },
        {
            "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-ra'\n[tool.pytest_other]\nx = 1\n",
            "test_a.py": TEST,
        },
    ),
    Example(
        "D04",
        "certain",
        {
            "pytest.ini": "[pytest]\nmarkers =\n    one: 1\n",
            "tox.ini": "[pytest]\nmarkers =\n    two: 2\n",
            "test_a.py": TEST,
        },
        {
            "pytest.ini": "[pytest]\nmarkers =\n    one: 1\naddopts = -ra\n",
            "pyproject.toml": "[tool.pytest.ini_options]\nmarkers = ['one: 1']\n",
            "tox.ini": "[tox]\n",
            "test_a.py": TEST,
        },
        probe=False,
    ),
    Example(
        "D05",
        "certain",
        {
            "pytest.ini": "[pytest]\ntestpaths = backend/tests\nmarkers =\n    l3: real\n",
            "backend/pytest.ini": "[pytest]\nmarkers =\n    business_value: why\n",
            "backend/tests/test_a.py": MARKED.format("business_value"),
        },
        {
            "pytest.ini": "[pytest]\ntestpaths = tests\nmarkers =\n    l3: real\n",
            "backend/pytest.ini": "[pytest]\nmarkers =\n    business_value: why\n",
            "backend/tests/test_a.py": MARKED.format("business_value"),
            "tests/test_b.py": TEST,
        },
    ),
    Example(
        "D05",
        "certain",
        {
            "Makefile": "test:\n\tpytest -c ci/pytest.ini --rootdir=. backend/tests\n",
            "ci/pytest.ini": "[pytest]\naddopts = --strict-markers\n",
            "pyproject.toml": "[tool.pytest.ini_options]\nmarkers = ['business_value: why']\n",
            "backend/tests/test_a.py": MARKED.format("business_value"),
        },
        {
            "Makefile": "test:\n\tpytest -c ci/pytest.ini --rootdir=. backend/tests\n",
            "ci/pytest.ini": "[pytest]\naddopts = --strict-markers\nmarkers =\n    business_value: why\n",
            "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n",
            "backend/tests/test_a.py": MARKED.format("business_value"),
        },
        name="given",
    ),
    Example(
        "D06",
        "certain",
        {"pytest.ini": "[pytest]\nmarkers = a\nmarkers = b\n", "test_a.py": TEST},
        {"pytest.ini": "[pytest]\nmarkers = a\n  markers = b\n", "test_a.py": TEST},
        probe=False,
    ),
    Example(
        "D06",
        "certain",
        {"pyproject.toml": "[tool.pytest.ini_options]\naddopts = -ra\n", "test_a.py": TEST},
        {"pyproject.toml": "[project]\n", "tests/data/pytest.ini": "nonsense\n", "test_a.py": TEST},
        name="toml",
    ),
    Example(
        "D07",
        "certain",
        {"pytest.ini": "[pytest]\naddopts = --strict-markers\n", "test_a.py": TEST},
        {"pytest.ini": "[pytest]\naddopts = --strict-markers\nstrict_markers = true\n", "test_a.py": TEST},
        probe=False,
        pretended=(("pytest", "9.0.2"),),
    ),
    Example(
        "D08",
        "certain",
        {"pytest.ini": "[pytest]\naddopts = --strict-markers\n", "test_a.py": MARKED.format("slow")},
        {
            "conftest.py": "def pytest_configure(config):\n    config.addinivalue_line('markers', 'slow: takes long')\n",
            "test_a.py": MARKED.format("slow"),
        },
    ),
    Example(
        "D09",
        "certain",
        {"test_a.py": MARKED.format("timeout(3)")},
        {"pytest.ini": "[pytest]\nmarkers =\n    timeout: our own\n", "test_a.py": MARKED.format("timeout(3)")},
    ),
    Example(
        "D10",
        "certain",
        {"pytest.ini": "[pytest]\naddopts = --cov=src --cov-report term\n", "test_a.py": TEST},
        {"pytest.ini": "[pytest]\naddopts = -ra --ff --import-mode=importlib\n", "test_a.py": TEST},
    ),
    Example(
        "D11",
        "certain",
        {"pytest.ini": "[pytest]\ntestpath = tests\nasyncio_mode = auto\n", "test_a.py": TEST},
        {
            "pytest.ini": "[pytest]\ntestpaths = tests\nours = 1\n",
            "conftest.py": "def pytest_addoption(parser):\n    parser.addini('ours', 'help')\n",
            "tests/test_a.py": TEST,
        },
    ),
    Example(
        "D12",
        "certain",
        {"pytest.ini": "[pytest]\nrequired_plugins = pytest-django>=4\n", "test_a.py": TEST},
        {"pytest.ini": "[pytest]\nminversion = 7.0\n", "test_a.py": TEST},
    ),
    Example(
        "D12",
        "certain",
        {"pytest.ini": "[pytest]\nminversion = 99\n", "test_a.py": TEST},
        {"pytest.ini": "[pytest]\nrequired_plugins = pytest-timeout\n", "test_a.py": TEST},
        probe=False,
        installed=("pytest-timeout",),
        name="files",
    ),
    Example(
        "D13",
        "certain",
        {"pytest.ini": "[pytest]\nasyncio_mode = automatic\n", "test_a.py": TEST},
        {"pytest.ini": "[pytest]\nasyncio_mode = strict\n", "test_a.py": TEST},
        installed=("pytest-asyncio", "typing-extensions"),
    ),
    Example(
        "D13",
        "suspect",
        {"conftest.py": "import pytest\n@pytest.fixture\nasync def one(): return 1\n", "test_a.py": TEST},
        {
            "conftest.py": "import pytest_asyncio\n@pytest_asyncio.fixture\nasync def one(): return 1\n",
            "test_a.py": TEST,
        },
        probe=False,
        installed=("pytest-asyncio", "typing-extensions"),
        name="fixture",
    ),
    Example(
        "D14",
        "certain",
        {"pytest.ini": "[pytest]\nasyncio_mode = auto\nanyio_mode = auto\n", "test_a.py": TEST},
        {"pytest.ini": "[pytest]\nasyncio_mode = strict\nanyio_mode = auto\n", "test_a.py": TEST},
        probe=False,
        pretended=(("pytest-asyncio", "1.5.0"), ("anyio", "4.16.0")),
    ),
    Example(
        "D15",
        "certain",
        {"test_a.py": "import pytest\n@pytest.fixture\ndef one(event_loop): pass\ndef test_one(one): pass\n"},
        {
            "test_a.py": "import pytest\n@pytest.fixture\ndef event_loop(): pass\n@pytest.fixture\ndef one(event_loop): pass\n"
        },
        installed=("pytest-asyncio", "typing-extensions"),
    ),
    Example(
        "D16",
        "suspect",
        {
            "pytest.ini": "[pytest]\nasyncio_default_fixture_loop_scope = function\n",
            "conftest.py": "import pytest_asyncio\n@pytest_asyncio.fixture(scope='session')\nasync def one(): return 1\n",
        },
        {
            "pytest.ini": "[pytest]\nasyncio_default_test_loop_scope = session\n",
            "conftest.py": "import pytest_asyncio\n@pytest_asyncio.fixture(scope='session', loop_scope='session')\nasync def one(): return 1\n",
        },
        probe=False,
        installed=("pytest-asyncio", "typing-extensions"),
    ),
    Example(
        "D17",
        "suspect",
        {"pytest.ini": "[pytest]\ntimeout_method = thread\n", "test_a.py": TEST},
        {"pytest.ini": "[pytest]\ntimeout_method = signal\n", "test_a.py": TEST},
        probe=False,
    ),
    Example(
        "D18",
        "certain",
        {"test_a.py": READS.format("['DOCTOR_EXAMPLE_KEY']")},
        {
            "test_a.py": READS.format(".get('DOCTOR_EXAMPLE_KEY')"),
            "test_b.py": "import os\ntry:\n    os.environ['DOCTOR_EXAMPLE_KEY']\nexcept KeyError:\n    pass\n",
            "test_c.py": "{}['DOCTOR_EXAMPLE_KEY']\n",
        },
    ),
    Example(
        "D19",
        "certain",
        {"test_a.py": SETTINGS.format("", "settings = Settings()")},
        {"test_a.py": SETTINGS.format(" = ''", "settings = Settings()")},
        installed=(
            "pydantic-settings",
            "pydantic",
            "pydantic-core",
            "typing-extensions",
            "annotated-types",
            "python-dotenv",
            "typing-inspection",
        ),
    ),
    Example(
        "D20",
        "certain",
        {"pyproject.toml": "[tool.quintet.test.env]\nDOCTOR_EXAMPLE_KEY = { required = true }\n", "test_a.py": TEST},
        {
            "pyproject.toml": "[tool.quintet.test.env]\nDOCTOR_EXAMPLE_KEY = { secret = 48 }\nPATH = { required = true }\n",
            "test_a.py": TEST,
        },
        probe=False,
    ),
    Example(
        "D21",
        "suspect",
        {".env.test": "DOCTOR_EXAMPLE_KEY=one\n", "test_a.py": TEST},
        {
            ".env.test": "DOCTOR_EXAMPLE_KEY=one\n",
            "conftest.py": "from dotenv import load_dotenv\nload_dotenv('.env.test')\n",
            "test_a.py": TEST,
        },
        probe=False,
    ),
    Example(
        "D22",
        "certain",
        {
            ".env": "DATABASE_URL=postgresql://someone:canary-of-the-test@127.0.0.1:9/db\n",
            "settings.py": "import os\nenv_file = '.env'\nURL = os.environ.get('DATABASE_URL')\n",
            "test_a.py": TEST,
        },
        {
            "conftest.py": "import os\nos.environ['DATABASE_URL'] = 'sqlite://'\nos.environ['UNUSED_URL'] = 'https://127.0.0.1:9/'\n",
            "test_a.py": TEST,
        },
    ),
    Example(
        "D23",
        "certain",
        {
            ".env": "REDIS_URL=redis://quintet-doctor-cache:6379/0\n",
            "docker-compose.yml": "services:\n  quintet-doctor-cache:\n    image: redis\n",
            "settings.py": "env_file = '.env'\n",
            "test_a.py": TEST,
        },
        {
            ".env.example": "REDIS_URL=redis://quintet-doctor-cache:6379/0\n",
            "docker-compose.yml": "services:\n  quintet-doctor-cache:\n    image: redis\n",
            "settings.py": "env_file = '.env'\n",
            "test_a.py": TEST,
        },
    ),
    Example(
        "D25",
        "certain",
        {"a/test_same.py": TEST, "b/test_same.py": TEST},
        {"a/__init__.py": "", "a/test_same.py": TEST, "b/test_same.py": TEST},
    ),
    Example(
        "D25",
        "certain",
        {"pytest.ini": "[pytest]\ntestpaths = a b\n", "a/test_same.py": TEST, "b/test_same.py": TEST},
        {
            "pytest.ini": "[pytest]\ntestpaths = a b\naddopts = --import-mode=importlib\n",
            "a/test_same.py": TEST,
            "b/test_same.py": TEST,
        },
        probe=False,
        name="files",
    ),
    Example(
        "D26",
        "certain",
        {"conftest.py": "import nothing_of_that_name\n", "test_a.py": TEST},
        {"conftest.py": "try:\n    import nothing_of_that_name\nexcept ImportError:\n    pass\n", "test_a.py": TEST},
    ),
    Example(
        "D27",
        "certain",
        {
            "pytest.ini": "[pytest]\ntestpaths = tests\n",
            "tests/deep/conftest.py": "pytest_plugins = ['pytester']\n",
            "tests/deep/test_a.py": TEST,
        },
        {
            "pytest.ini": "[pytest]\ntestpaths = tests\n",
            "tests/conftest.py": "pytest_plugins = ['pytester']\n",
            "tests/deep/test_a.py": TEST,
        },
    ),
    Example(
        "D28",
        "certain",
        {
            "app.py": "from passlib.context import CryptContext\nCONTEXT = CryptContext(schemes=['bcrypt'])\n",
            "test_a.py": TEST,
        },
        {
            "app.py": "from passlib.context import CryptContext\nCONTEXT = CryptContext(schemes=['argon2'])\n",
            "test_a.py": TEST,
        },
        probe=False,
        pretended=(("passlib", "1.7.4"), ("bcrypt", "5.0.0")),
    ),
    Example(
        "D29",
        "certain",
        {
            "pytest.ini": "[pytest]\naddopts = -n2\n",
            "test_a.py": "import pytest\n@pytest.mark.parametrize('x', {'a', 'b', 'c', 'd', 'e', 'f'})\ndef test_one(x): pass\n",
        },
        {
            "pytest.ini": "[pytest]\naddopts = -n2\n",
            "test_a.py": "import pytest\n@pytest.mark.parametrize('x', sorted({'a', 'b', 'c', 'd', 'e', 'f'}))\ndef test_one(x): pass\n",
        },
        installed=("pytest-xdist", "execnet"),
    ),
    Example(
        "D30",
        "certain",
        {"test_a.py": "import pytest\n@pytest.mark.parametrize('x', [hash('a')])\ndef test_one(x): pass\n"},
        {
            "test_a.py": "import pytest\n@pytest.mark.parametrize('x', {'a', 'b', 'c', 'd', 'e', 'f'})\ndef test_one(x): pass\n"
        },
    ),
    Example(
        "D31",
        "certain",
        {
            "pytest.ini": "[pytest]\nfilterwarnings = error\n",
            "test_a.py": "class TestThing:\n    def __init__(self): pass\n",
        },
        {"test_a.py": "class TestThing:\n    def __init__(self): pass\n"},
    ),
    Example(
        "D32",
        "suspect",
        {"tests/test_a.py": TEST, "tests/checks.py": "def test_two():\n    assert True\n"},
        {"tests/test_a.py": TEST, "tests/checks.py": "def test_two():\n    return True\n"},
        probe=False,
    ),
    Example(
        "D32",
        "suspect",
        {
            "pytest.ini": "[pytest]\nnorecursedirs = tests\n",
            "tests/test_a.py": "def test_one():\n    assert 1 + 1 == 2\n",
        },
        {
            "pytest.ini": "[pytest]\nnorecursedirs = data\n",
            "tests/test_a.py": TEST,
            "tests/data/test_b.py": "def test_one():\n    assert 1 + 1 == 3\n",
        },
        name="kept-out",
    ),
    Example(
        "D33",
        "certain",
        {"test_a.py": "import sys\nsys.exit(3)\n", "test_b.py": TEST},
        {"test_a.py": "import sys\nif __name__ == '__main__':\n    sys.exit(3)\n", "test_b.py": TEST},
    ),
    Example(
        "D34",
        "suspect",
        {
            "pytest.ini": "[pytest]\n",
            "backend/pytest.ini": "[pytest]\n",
            "backend/tests/test_a.py": TEST,
            ".github/workflows/ci.yml": "jobs:\n  test:\n    steps:\n      - run: pytest\n",
            "README.md": "```\ncd backend && pytest\n```\n",
        },
        {
            "pytest.ini": "[pytest]\n",
            "backend/tests/test_a.py": TEST,
            ".github/workflows/ci.yml": "jobs:\n  test:\n    steps:\n      - run: pytest\n",
            "README.md": "```\ncd backend && pytest\n```\n",
        },
        probe=False,
    ),
    Example(
        "D35",
        "suspect",
        {"test_a.py": "import nothing_of_that_name\n"},
        {"test_a.py": "import pytest\npytest.importorskip('nothing_of_that_name')\n"},
    ),
    Example(
        "D36",
        "certain",
        {"pytest.ini": "[pytest]\ntestpaths = test\n", "tests/test_a.py": TEST},
        {
            "pytest.ini": "[pytest]\ntestpaths = tests pkg/*/tests\n",
            "tests/test_a.py": TEST,
            "pkg/one/tests/test_b.py": TEST,
        },
    ),
    Example(
        "D36",
        "suspect",
        {"pytest.ini": "[pytest]\ntestpaths = tests integration\n", "tests/test_a.py": TEST},
        {"pytest.ini": "[pytest]\naddopts = --pyargs\ntestpaths = pkg.tests\n", "pkg/tests/test_a.py": TEST},
        probe=False,
        name="one-of-two",
    ),
    Example(
        "D36",
        "suspect",
        {"pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['tests']\n", "pkg/__init__.py": ""},
        {"pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['.']\n", "pkg/__init__.py": ""},
        probe=False,
        name="no-tests",
    ),
    Example(
        "D37",
        "certain",
        {
            "pytest.ini": "[pytest]\nfilterwarnings =\n    error\n    ignore::nothing_of_that_name.Old\n",
            "test_a.py": TEST,
        },
        {"pytest.ini": "[pytest]\nfilterwarnings =\n    error\n    ignore::DeprecationWarning\n", "test_a.py": TEST},
    ),
    Example(
        "D37",
        "suspect",
        {
            "pytest.ini": "[pytest]\naddopts = -ra\n",
            "conftest.py": "import pytest\ndef pytest_configure(config): raise pytest.UsageError('say where the ledger is')\n",
            "test_a.py": TEST,
        },
        {
            "pytest.ini": "[pytest]\naddopts = -ra\n",
            "conftest.py": "import pytest\ndef pytest_configure(config):\n    if config.option.verbose > 7: raise pytest.UsageError('no')\n",
            "test_a.py": TEST,
        },
        name="own-words",
    ),
)
