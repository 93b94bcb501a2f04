"""The gate in front of the frame parser, compared with an implementation that is not ours."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from quintet.delivery.frames import FrameGate, close_answer, close_frame, pong_frame, text_frames
from quintet.testing.wire.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame_bytes

pytestmark = pytest.mark.l1

LIMIT = 200


def feed(stream: bytes, sizes: list[int], gate: FrameGate) -> bytes:
    """Everything the gate lets through, fed in pieces."""
    passed, at = b"", 0
    for size in [*sizes, len(stream)]:
        passed += gate.feed(stream[at : at + size])
        at += size
    return passed


_control = st.builds(
    frame_bytes,
    st.sampled_from([PING, PONG]),
    st.binary(max_size=130),
    fin=st.booleans(),
    masked=st.sampled_from([True] * 9 + [False]),
)
_message = st.builds(
    frame_bytes,
    st.sampled_from([TEXT, TEXT, CONTINUATION, CONTINUATION, BINARY, 0x3, 0xB]),
    st.text("abc", max_size=130).map(str.encode),
    fin=st.booleans(),
    masked=st.sampled_from([True] * 9 + [False]),
    rsv=st.sampled_from([0] * 9 + [1, 2, 4]),
)
_sizes = st.lists(st.integers(0, 40), max_size=30)


@given(st.lists(_control | _message, max_size=8), _sizes)
def test_what_is_legal_is_what_another_implementation_takes(frames: list[bytes], sizes: list[int]) -> None:
    """Both take the same frames up to the first illegal one, and name the same fault; how the bytes arrive is of no account."""
    gate = FrameGate(LIMIT)
    passed = feed(b"".join(frames), sizes, gate)
    other = ServerProtocol(state=State.OPEN, max_size=LIMIT)
    legal = b""
    for frame in frames:
        other.receive_data(frame)
        if other.parser_exc is not None or frame[0] & 0x0F == BINARY:
            break
        legal += frame
    assert passed == legal
    if gate.fault is None:
        assert other.parser_exc is None
    elif gate.fault.code != 1003:
        assert other.close_sent is not None
        assert gate.fault.code == other.close_sent.code


@given(st.lists(_control | _message, max_size=8), _sizes, st.binary(max_size=100))
def test_after_a_fault_the_gate_stays_in_step_until_the_peer_closes(
    frames: list[bytes], sizes: list[int], reason: bytes
) -> None:
    """Nothing more goes on to the parser, and the close frame is found behind whatever came."""
    gate = FrameGate(LIMIT)
    feed(b"".join(frames), sizes, gate)
    gate.discarding = True
    assert not gate.peer_closed
    assert gate.feed(frame_bytes(TEXT, b"ignored")) == b""
    assert gate.feed(frame_bytes(CLOSE, (b"\x03\xe8" + reason)[:125]) + b"anything") == b""
    assert gate.peer_closed


def test_an_oversized_frame_is_refused_by_its_header() -> None:
    """Not a byte of its payload is kept, and the close behind it is found."""
    gate = FrameGate(65_536)
    whole = frame_bytes(TEXT, b"x" * 65_537)
    assert gate.feed(whole[:14]) == b""
    assert gate.fault is not None
    assert gate.fault.code == 1009
    assert gate.feed(whole[14:] + frame_bytes(CLOSE, b"\x03\xf1")) == b""
    assert gate.peer_closed


def test_the_size_is_that_of_the_whole_message() -> None:
    """65,536 bytes in fragments pass, with a ping between them; the next message starts from nothing."""
    gate = FrameGate(65_536)
    stream = (
        frame_bytes(TEXT, b"x" * 40_000, fin=False)
        + frame_bytes(PING, b"y" * 125)
        + frame_bytes(CONTINUATION, b"x" * 25_536)
        + frame_bytes(TEXT, b"x" * 65_536)
    )
    assert gate.feed(stream) == stream
    gate.feed(frame_bytes(TEXT, b"x" * 65_536, fin=False))
    assert gate.fault is None
    assert gate.feed(frame_bytes(CONTINUATION, b"x")) == b""
    assert gate.fault is not None


@pytest.mark.parametrize(
    "header",
    [
        bytes([0x81, 0xFE, 0, 125]),
        bytes([0x81, 0xFF]) + (65_535).to_bytes(8, "big"),
        bytes([0x81, 0xFF, 0x80, *[0] * 7]),
    ],
    ids=["16 bits for 125", "64 bits for 65,535", "the highest bit"],
)
def test_a_length_has_one_form(header: bytes) -> None:
    """RFC 6455, 5.2: the minimal number of bytes."""
    gate = FrameGate(1 << 20)
    gate.feed(header + os.urandom(4))
    assert gate.fault is not None
    assert gate.fault.code == 1002


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", None),
        (b"\x03\xe8", 1000),
        (b"\x0f\xa0going", 4000),
        (b"\x0b\xb8", 3000),
        (b"\x03\xf6", 1014),
        (b"\x03", 1002),
        (b"\x03\xec", 1002),
        (b"\x03\xed", 1002),
        (b"\x03\xee", 1002),
        (b"\x00\x00", 1002),
        (b"\x04\x4c", 1002),
        (b"\x13\x88", 1002),
        (b"\x03\xe8\xff", 1007),
    ],
)
def test_a_close_is_answered_with_its_code_or_with_what_is_wrong_with_it(payload: bytes, code: int | None) -> None:
    """RFC 6455, 7.4: codes that nobody may send are framing errors."""
    assert close_answer(payload)[0] == code


def test_a_close_is_unmasked_across_reads() -> None:
    """The payload that is answered is the one that was sent."""
    gate = FrameGate(LIMIT)
    for byte in frame_bytes(CLOSE, b"\x0f\xa1going"):
        gate.feed(bytes([byte]))
    assert gate.closing == b"\x0f\xa1going"


@given(st.lists(st.binary(max_size=300) | st.just(b"x" * 65_535) | st.just(b"x" * 65_536), max_size=5))
def test_what_goes_out_are_unmasked_frames(payloads: list[bytes]) -> None:
    """Read by another implementation: the same messages, one final frame each."""
    assert text_frames(payloads) == b"".join(Frame(Opcode.TEXT, payload).serialize(mask=False) for payload in payloads)


def test_control_frames_that_go_out() -> None:
    """A close keeps within 125 bytes, and one without a code has no body."""
    assert close_frame(None) == b"\x88\x00"
    assert close_frame(4000, "draining") == Frame(Opcode.CLOSE, b"\x0f\xa0draining").serialize(mask=False)
    assert len(close_frame(1000, "x" * 500)) == 127
    assert pong_frame(b"abc") == Frame(Opcode.PONG, b"abc").serialize(mask=False)
