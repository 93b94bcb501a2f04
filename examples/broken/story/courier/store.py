"""Messages in PostgreSQL."""

import psycopg

from courier.settings import database_url


def keep(text: str) -> int:
    with psycopg.connect(database_url(), connect_timeout=3) as connection:
        connection.execute("create table if not exists message (id serial primary key, text text not null)")
        row = connection.execute("insert into message (text) values (%s) returning id", (text,)).fetchone()
    return row[0]
