"""What the desk keeps: people, and everything that happened for each of them, numbered."""

import os

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.ext.asyncio import AsyncAttrs, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"), pool_size=5)
session = async_sessionmaker(engine, expire_on_commit=False)


class Table(AsyncAttrs, DeclarativeBase):
    """All tables."""


class Person(Table):
    """Somebody who asks. `last` is the number of the newest thing that happened for them."""

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class Happening(Table):
    """One thing that happened for one person."""

    __tablename__ = "happenings"
    __table_args__ = (UniqueConstraint("person", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.name"))
    number: Mapped[int]
    told: Mapped[dict[str, object]] = mapped_column(JSON)


async def create() -> None:
    """Make the tables; what Alembic does in a larger project."""
    async with engine.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)


if __name__ == "__main__":
    import asyncio

    asyncio.run(create())
