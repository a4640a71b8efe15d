"""Reads PNG files of 8 bits a channel, enough to see whether a screenshot shows something."""

import struct
import zlib


def chunks(data):
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + size]
        at += 12 + size


def unfilter(kind, row, above, step):
    """PNG section 9.2."""
    for i, byte in enumerate(row):
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        if kind == 1:
            row[i] = (byte + left) & 255
        elif kind == 2:
            row[i] = (byte + above[i]) & 255
        elif kind == 3:
            row[i] = (byte + (left + above[i]) // 2) & 255
        elif kind == 4:
            guess = left + above[i] - corner
            near = min((left, above[i], corner), key=lambda one: abs(guess - one))
            row[i] = (byte + near) & 255


def rows(path):
    """Each row of the picture as a list of (red, green, blue)."""
    with open(path, "rb") as file:
        parts = list(chunks(file.read()))
    width, height, depth, kind = struct.unpack(">IIBB", dict(parts)[b"IHDR"][:10])
    if depth != 8 or kind not in (2, 6):
        raise AssertionError("a PNG of another kind")
    step = 3 if kind == 2 else 4
    data = zlib.decompress(b"".join(part for name, part in parts if name == b"IDAT"))
    above = bytearray(width * step)
    for y in range(height):
        begin = y * (width * step + 1)
        row = bytearray(data[begin + 1:begin + 1 + width * step])
        unfilter(data[begin], row, above, step)
        above = row
        yield [tuple(row[x:x + 3]) for x in range(0, len(row), step)]
