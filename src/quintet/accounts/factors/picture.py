"""An address as a picture that a telephone's camera reads (ISO/IEC 18004), as squares: the page draws them, nothing is executed."""

import segno

__all__ = ["squares"]


def squares(text: str) -> list[str]:
    """The rows of the picture, `1` for a dark square, without the quiet zone around it."""
    made = segno.make(text, error="m", micro=False)
    return ["".join("1" if dark else "0" for dark in row) for row in made.matrix]
