"""Which modules are a network's or a database's, and whether a patch would replace one of them.

- Plain data (a timeout, a constant, a string) may be patched: it is a setting. What can be called, and what is one of these modules'
  objects, may not.
- A subclass in the project's own code is the project's own, what it inherits is not.
"""

from types import FunctionType, ModuleType
from typing import Any, Final

__all__ = ["network_of", "replaced"]

_WIRES: Final = """socket _socket ssl _ssl http.client http.server urllib.request urllib3 xmlrpc smtplib imaplib poplib ftplib telnetlib
requests httpx httpcore aiohttp websockets websocket wsproto socketio engineio grpc aiosmtplib paramiko asyncssh zmq paho kafka aiokafka
confluent_kafka pika aio_pika kombu nats stomp boto3 botocore aiobotocore aioboto3"""
_STORES: Final = """redis aioredis valkey coredis memcache pymemcache aiomcache elasticsearch opensearchpy psycopg psycopg_pool psycopg2
asyncpg aiopg pg8000 sqlalchemy sqlmodel databases tortoise peewee pony django.db sqlite3 _sqlite3 aiosqlite MySQLdb pymysql aiomysql
asyncmy mysql oracledb pyodbc pymongo motor beanie mongoengine cassandra neo4j clickhouse_driver clickhouse_connect duckdb"""
_NAMES: Final = frozenset(f"{_WIRES} {_STORES}".split())
# asyncio is not a network, these of it are.
_STREAMS: Final = """open_connection start_server open_unix_connection start_unix_server create_connection create_server
create_datagram_endpoint sock_connect sock_recv sock_sendall"""
_ASYNCIO: Final = frozenset(_STREAMS.split())
_DATA: Final = (str, bytes, int, float, complex, bool, type(None), tuple, list, dict, set, frozenset)


def network_of(module: str | None) -> str | None:
    """The network or database module that this dotted name is, or lies in."""
    parts = (module or "").split(".")
    for length in (1, 2):
        if ".".join(parts[:length]) in _NAMES:
            return ".".join(parts[:length])
    return None


def replaced(target: Any, attribute: str, original: Any) -> str | None:
    """What of a network or database a patch of `target.attribute` would replace, in words; None if nothing."""
    if isinstance(original, _DATA):
        return None
    home = _module(_definer(target, attribute))
    if network_of(home) or (attribute in _ASYNCIO and (home or "").split(".")[0] in {"asyncio", "uvloop"}):
        return f"{_name(target)}.{attribute}"
    found = network_of(_module(original) if _has_name(original) else type(original).__module__)
    return f"{_name(target)}.{attribute} ({found})" if found else None


def _definer(target: Any, attribute: str) -> Any:
    """The module or class whose own attribute it is."""
    if isinstance(target, ModuleType | FunctionType):
        return target
    owner = target if isinstance(target, type) else type(target)
    return next((base for base in owner.__mro__ if attribute in vars(base)), None)


def _has_name(value: Any) -> bool:
    return isinstance(value, ModuleType | type) or callable(value)


def _module(value: Any) -> str | None:
    if isinstance(value, ModuleType):
        return value.__name__
    name = getattr(value, "__module__", None)
    return name if isinstance(name, str) else type(value).__module__


def _name(target: Any) -> str:
    if isinstance(target, ModuleType):
        return target.__name__
    owner = target if isinstance(target, type) else type(target)
    return f"{owner.__module__}.{owner.__qualname__}"
