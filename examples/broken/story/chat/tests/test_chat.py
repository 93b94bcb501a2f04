from unittest.mock import AsyncMock

import pytest
from courier.feed import Feed
from courier.post import tell_absent
from courier.store import keep


@pytest.mark.l3
def test_a_message_is_kept():
    assert keep("hello") < keep("again")


@pytest.mark.business_value("the second screen shows what the first one did")
async def test_a_second_device_hears_the_answer():
    feed = Feed()
    phone = feed.listen()
    feed.publish("the answer")
    laptop = feed.listen()
    assert await phone.next() == "the answer"
    assert await laptop.next() == "the answer"


async def test_the_absent_are_told():
    mailer = AsyncMock(name="mailer")
    assert await tell_absent(mailer, ["ada", "bob"], "hello") == 2
