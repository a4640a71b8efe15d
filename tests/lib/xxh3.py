"""XXH3_64bits with seed 0 in plain Python, from the published specification of xxHash, so that the tests need no
library of ours to know a record's hash. Slow and plain on purpose; tests/lib/test_lib.py holds it against xxhsum.
"""

import struct

MASK = (1 << 64) - 1
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
MIX_1, MIX_2 = 0x165667919E3779F9, 0x9FB21C651E98DF25
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
STRIPE, STRIPES_A_BLOCK = 64, 16


def u32(data, at):
    return int.from_bytes(data[at : at + 4], "little")


def u64(data, at):
    return int.from_bytes(data[at : at + 8], "little")


def fold(a, b):
    product = a * b
    return (product & MASK) ^ (product >> 64)


def avalanche(h):
    h ^= h >> 37
    h = h * MIX_1 & MASK
    return h ^ (h >> 32)


def avalanche_xxh64(h):
    h ^= h >> 33
    h = h * P64_2 & MASK
    h ^= h >> 29
    h = h * P64_3 & MASK
    return h ^ (h >> 32)


def swap32(x):
    return int.from_bytes(x.to_bytes(4, "little"), "big")


def swap64(x):
    return int.from_bytes(x.to_bytes(8, "little"), "big")


def up_to_3(data):
    n = len(data)
    combined = (data[0] << 16) | (data[n >> 1] << 24) | data[n - 1] | (n << 8)
    return avalanche_xxh64(combined ^ u32(SECRET, 0) ^ u32(SECRET, 4))


def up_to_8(data):
    n = len(data)
    combined = (u32(data, n - 4) + (u32(data, 0) << 32)) & MASK
    h = combined ^ u64(SECRET, 8) ^ u64(SECRET, 16)
    h ^= ((h << 49 | h >> 15) & MASK) ^ ((h << 24 | h >> 40) & MASK)
    h = h * MIX_2 & MASK
    h ^= (h >> 35) + n
    h = h * MIX_2 & MASK
    return h ^ (h >> 28)


def up_to_16(data):
    n = len(data)
    low = u64(data, 0) ^ u64(SECRET, 24) ^ u64(SECRET, 32)
    high = u64(data, n - 8) ^ u64(SECRET, 40) ^ u64(SECRET, 48)
    return avalanche((n + swap64(low) + high + fold(low, high)) & MASK)


def mix16(data, at, secret_at):
    return fold(u64(data, at) ^ u64(SECRET, secret_at), u64(data, at + 8) ^ u64(SECRET, secret_at + 8))


def up_to_128(data):
    n = len(data)
    acc = n * P64_1
    for i in range((n - 1) // 32, -1, -1):
        acc += mix16(data, 16 * i, 32 * i) + mix16(data, n - 16 * (i + 1), 32 * i + 16)
    return avalanche(acc & MASK)


def up_to_240(data):
    n = len(data)
    acc = n * P64_1 + sum(mix16(data, 16 * i, 16 * i) for i in range(8))
    acc = avalanche(acc & MASK)
    acc += sum(mix16(data, 16 * i, 16 * (i - 8) + 3) for i in range(8, n // 16))
    acc += mix16(data, n - 16, 136 - 17)
    return avalanche(acc & MASK)


LANES = [struct.unpack_from("<8Q", SECRET, 8 * i) for i in range(STRIPES_A_BLOCK)]
SCRAMBLE_LANES = struct.unpack_from("<8Q", SECRET, len(SECRET) - 64)
LAST_LANES = struct.unpack_from("<8Q", SECRET, len(SECRET) - 64 - 7)


def accumulate(acc, data, at, secret):
    lanes = struct.unpack_from("<8Q", data, at)
    for i in range(8):
        keyed = lanes[i] ^ secret[i]
        acc[i ^ 1] += lanes[i]
        acc[i] = (acc[i] + (keyed & 0xFFFFFFFF) * (keyed >> 32)) & MASK


def scramble(acc):
    for i in range(8):
        lane = acc[i] & MASK
        acc[i] = ((lane ^ (lane >> 47)) ^ SCRAMBLE_LANES[i]) * P32_1 & MASK


def long_input(data):
    n = len(data)
    acc = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]
    stripes = (n - 1) // STRIPE
    for i in range(stripes):
        accumulate(acc, data, i * STRIPE, LANES[i % STRIPES_A_BLOCK])
        if i % STRIPES_A_BLOCK == STRIPES_A_BLOCK - 1:
            scramble(acc)
    accumulate(acc, data, n - STRIPE, LAST_LANES)
    acc = [lane & MASK for lane in acc]
    result = n * P64_1
    for i in range(4):
        key = 11 + 16 * i
        result += fold(acc[2 * i] ^ u64(SECRET, key), acc[2 * i + 1] ^ u64(SECRET, key + 8))
    return avalanche(result & MASK)


def xxh3_64(data):
    n = len(data)
    if n == 0:
        return avalanche_xxh64(u64(SECRET, 56) ^ u64(SECRET, 64))
    if n <= 3:
        return up_to_3(data)
    if n <= 8:
        return up_to_8(data)
    if n <= 16:
        return up_to_16(data)
    if n <= 128:
        return up_to_128(data)
    if n <= 240:
        return up_to_240(data)
    return long_input(data)
