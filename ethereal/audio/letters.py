"""Small letters for pictures of sound: capitals and digits of five by seven dots, twice as large."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 12, 14  #: of a letter with the gap after it, in pixels

_GLYPHS = {
    "A": "0E11111F111111",
    "B": "1E11111E11111E",
    "C": "0E11101010110E",
    "D": "1E11111111111E",
    "E": "1F10101E10101F",
    "F": "1F10101E101010",
    "G": "0E11101711110F",
    "H": "1111111F111111",
    "I": "0E04040404040E",
    "J": "0702020202120C",
    "K": "11121418141211",
    "L": "1010101010101F",
    "M": "111B1515111111",
    "N": "11191513111111",
    "O": "0E11111111110E",
    "P": "1E11111E101010",
    "Q": "0E11111115120D",
    "R": "1E11111E141211",
    "S": "0F10100E01011E",
    "T": "1F040404040404",
    "U": "1111111111110E",
    "V": "11111111110A04",
    "W": "1111111515150A",
    "X": "11110A040A1111",
    "Y": "1111110A040404",
    "Z": "1F01020408101F",
    "0": "0E11131519110E",
    "1": "040C040404040E",
    "2": "0E11010204081F",
    "3": "1F02040201110E",
    "4": "02060A121F0202",
    "5": "1F101E0101110E",
    "6": "0608101E11110E",
    "7": "1F010204080808",
    "8": "0E11110E11110E",
    "9": "0E11110F01020C",
    ".": "00000000000C0C",
    ",": "000000000C0408",
    ":": "000C0C000C0C00",
    "-": "0000001F000000",
    "+": "0004041F040400",
    "%": "18190204081303",
    "/": "00010204081000",
    "(": "02040808080402",
    ")": "08040202020408",
    " ": "00000000000000",
}


def draw_text(text: str) -> NDArray[np.bool_]:
    """The dots of a line of text; what has no letter is left out. Shape (HEIGHT, WIDTH for each letter)."""
    known = [letter for letter in text.upper() if letter in _GLYPHS]
    return np.hstack([np.zeros((HEIGHT, 0), bool), *map(_letter, known)])


def _letter(letter: str) -> NDArray[np.bool_]:
    rows = np.frombuffer(bytes.fromhex(_GLYPHS[letter]), np.uint8)
    dots = np.pad(np.unpackbits(rows[:, None], axis=1)[:, 3:], ((0, 0), (0, 1)))
    return dots.repeat(2, axis=0).repeat(2, axis=1).astype(bool)
