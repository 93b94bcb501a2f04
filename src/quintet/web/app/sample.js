// A broken test run to begin with: small, invented, and of the usual kind: one missing setting, one server that is not
// there, one real defect.

export const SAMPLE_AGENT = "triage";

export const SAMPLE_RUN = `============================= test session starts ==============================
platform linux -- Python 3.11.9, pytest-8.3.4, pluggy-1.5.0
rootdir: /home/dev/orchard
configfile: pytest.ini
plugins: asyncio-0.25.0, anyio-4.7.0
collected 9 items

tests/test_prices.py ..F                                                 [ 33%]
tests/test_sessions.py EEE                                               [ 66%]
tests/test_live.py FFF                                                   [100%]

==================================== ERRORS ====================================
____________________ ERROR at setup of test_login_sets_cookie __________________

    @pytest.fixture(scope="session")
    def settings():
>       return Settings.from_environment(os.environ)

tests/conftest.py:18:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

environ = environ({'HOME': '/home/dev', 'LANG': 'C.UTF-8'})

    @classmethod
    def from_environment(cls, environ):
>       return cls(secret_key=environ["SECRET_KEY"])
E       KeyError: 'SECRET_KEY'

orchard/settings.py:31: KeyError
____________________ ERROR at setup of test_logout_ends_session ________________
E       KeyError: 'SECRET_KEY'

orchard/settings.py:31: KeyError
____________________ ERROR at setup of test_refresh_rotates_token ______________
E       KeyError: 'SECRET_KEY'

orchard/settings.py:31: KeyError
=================================== FAILURES ===================================
_____________________________ test_discount_is_capped __________________________

    def test_discount_is_capped():
        basket = Basket(items=[Item("pear", 400)], discount=0.9)
>       assert basket.total() == 200
E       assert 40 == 200
E        +  where 40 = total()

tests/test_prices.py:27: AssertionError
____________________________ test_socket_opens _________________________________

    async def test_socket_opens():
>       async with connect("ws://localhost:8750/live") as socket:

tests/test_live.py:12:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

    def _sock_connect_cb(self, fut, sock, address):
>               raise OSError(err, f"Connect call failed {address}")
E               ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 8750)

/usr/lib/python3.11/asyncio/selector_events.py:691: ConnectionRefusedError
____________________________ test_events_arrive_in_order _______________________
>       async with connect("ws://localhost:8750/live") as socket:

tests/test_live.py:21:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

    def _sock_connect_cb(self, fut, sock, address):
>               raise OSError(err, f"Connect call failed {address}")
E               ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 8750)

/usr/lib/python3.11/asyncio/selector_events.py:691: ConnectionRefusedError
____________________________ test_second_user_sees_nothing _____________________
>       async with connect("ws://localhost:8750/live") as socket:

tests/test_live.py:34:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

    def _sock_connect_cb(self, fut, sock, address):
>               raise OSError(err, f"Connect call failed {address}")
E               ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 8750)

/usr/lib/python3.11/asyncio/selector_events.py:691: ConnectionRefusedError
=========================== short test summary info ============================
FAILED tests/test_prices.py::test_discount_is_capped - assert 40 == 200
FAILED tests/test_live.py::test_socket_opens - ConnectionRefusedError: [Errno...
FAILED tests/test_live.py::test_events_arrive_in_order - ConnectionRefusedErr...
FAILED tests/test_live.py::test_second_user_sees_nothing - ConnectionRefusedE...
ERROR tests/test_sessions.py::test_login_sets_cookie - KeyError: 'SECRET_KEY'
ERROR tests/test_sessions.py::test_logout_ends_session - KeyError: 'SECRET_KEY'
ERROR tests/test_sessions.py::test_refresh_rotates_token - KeyError: 'SECRET_KEY'
==================== 4 failed, 2 passed, 3 errors in 1.37s =====================
`;
