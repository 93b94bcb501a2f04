"""An id that cannot be written is not repeated: the refusal of its frame can always be sent."""

import json

import pytest

from quintet import protocol
from quintet.protocol import BadFrameError

pytestmark = pytest.mark.l1


@pytest.mark.parametrize("spoken", ["half \\ud800", "\\udfff", "x" * 65])
@pytest.mark.parametrize(
    "rest", ['"do":"nothing"', '"do":"ping","extra":1', '"do":"follow"', '"do":"cancel","run_id":3']
)
def test_a_refusal_can_be_sent_whatever_the_id_was(spoken: str, rest: str) -> None:
    """Half a character or 65 of them: the error frame is JSON without an id."""
    with pytest.raises(BadFrameError) as refused:
        protocol.parse(f'{{"id":"{spoken}",{rest}}}'.encode())
    told = json.loads(protocol.error(refused.value, refused.value.id))
    assert (told["type"], told["code"], "id" in told) == ("error", "bad_message", False)
