"""What all tables belong to, and how their keys and indexes are named."""

from sqlalchemy import MetaData

__all__ = ["LOCAL", "metadata"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

LOCAL = {"local": True}
"""The `info` of a table that is about this database and its processes: nothing of it is moved to another one."""
