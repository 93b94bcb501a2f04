"""The tests that hang, as text: what a user could have written. Each name says the kind."""

LIMIT = 0.5
TABLE = f"""
    [tool.quintet.test]
    hang = {LIMIT}
    [tool.pytest.ini_options]
    asyncio_mode = "auto"
    asyncio_default_fixture_loop_scope = "function"
"""
CLIENT = """
    import asyncio
    import socket
    import threading
    import time
    from pathlib import Path

    import pytest


    class Client:
        def __init__(self):
            self.inbox = asyncio.Queue()

        async def next(self):
            return await self.inbox.get()


    async def forwards(client):
        async def relay():
            yield await client.next()  # the line that waits
        async for message in relay():
            return message


    @pytest.fixture
    def order():
        yield
        with Path("torn-down.txt").open("a") as file:
            file.write("once\\n")
"""
AWAITS = """
    async def test_await(order):
        async def listener():
            await asyncio.Event().wait()  # the other line

        task = asyncio.create_task(listener(), name="the listener")
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await forwards(Client())


    async def test_spins(order):
        while True:
            await asyncio.sleep(0)


    async def test_group(order):
        async with asyncio.TaskGroup() as group:
            group.create_task(Client().next(), name="in the group")
"""
BLOCKS = """
    def test_recv(order):
        left, right = socket.socketpair()
        left.recv(1)


    def test_lock(order):
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()


    def test_join(order):
        def works():
            time.sleep(60)  # the thread's line

        thread = threading.Thread(target=works, name="worker", daemon=True)
        thread.start()
        thread.join()
"""
IN_LOOP = """
    async def test_sleeps_in_loop(order):
        time.sleep(60)


    async def test_another_task_sleeps(order):
        async def other():
            time.sleep(60)  # in the other task

        task = asyncio.create_task(other())
        await asyncio.sleep(60)
"""
FIXTURES = """
    @pytest.fixture
    async def never_ready(order):
        await asyncio.sleep(60)  # never ready
        yield


    @pytest.fixture
    async def never_closed(order):
        yield
        await asyncio.sleep(60)  # never closed


    @pytest.fixture
    def never_stopped(order):
        yield
        time.sleep(60)  # never stopped


    def test_setup(never_ready):
        pass


    def test_teardown(never_closed):
        pass


    def test_sync_teardown(never_stopped):
        pass
"""
SWALLOWS = """
    async def test_swallows(order):
        while True:
            try:
                await asyncio.sleep(60)  # swallows
            except asyncio.CancelledError:
                pass


    async def test_group_swallows(order):
        async def stubborn():
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    pass

        async with asyncio.TaskGroup() as group:
            group.create_task(stubborn())


    def test_swallows_all_but_ends(order):
        for _ in range(3):
            try:
                time.sleep(60)
            except BaseException:
                pass
"""
LAST = """
    async def test_last(order):
        await asyncio.sleep(0)
"""
ANYIO = """
    import time

    import anyio
    import pytest

    pytestmark = pytest.mark.anyio


    @pytest.fixture
    async def resource():
        yield 1
        with open("torn-down.txt", "a") as file:
            file.write("once\\n")


    @pytest.fixture
    async def never_closed(resource):
        yield
        await anyio.sleep(60)  # never closed


    async def test_await(resource):
        await anyio.Event().wait()


    async def test_group(resource):
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 60)


    async def test_swallows(resource):
        while True:
            try:
                await anyio.sleep(60)
            except anyio.get_cancelled_exc_class():
                pass


    async def test_sleeps_in_loop(resource):
        time.sleep(60)


    async def test_teardown(never_closed):
        pass


    async def test_last(resource):
        await anyio.sleep(0)
"""
