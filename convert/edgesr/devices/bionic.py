"""Android's libraries on plain Linux: copies whose names resolve in glibc and in the shim beside them.

Only test copies are changed, in two ways. Their symbol versions are Android's, which glibc's loader would
look for in vain: the entries of the dynamic section that carry them are made void. And some functions exist
in glibc under the same name but with other constants or structures: the copies ask for the shim's instead,
under a name of equal length. What the library computes is its own code, untouched.
"""

import struct

DYNAMIC_SEGMENT = 2
SYMBOLIC = 0x10  # the library's own C++ runtime wins over one that is loaded already
IGNORED = 0x6FFFFEF0  # a number in the range that loaders skip
VERSION_TAGS = (0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF)

RENAMED = {
    b"sysconf": b"sysc0nf",
    b"pthread_mutex_init": b"pthread_mutex_1nit",
    b"memalign": b"memal1gn",
    b"posix_memalign": b"posix_memal1gn",
    b"sigfillset": b"sigf1llset",
    b"pthread_sigmask": b"pthread_s1gmask",
    b"fflush": b"ffl0sh",
    b"fprintf": b"fpr1ntf",
    b"vfprintf": b"vfpr1ntf",
    b"fputc": b"fp0tc",
    b"fputs": b"fp0ts",
    b"fwrite": b"fwr1te",
}


def adapted(library: bytes) -> bytes:
    """A copy of a 64-bit little-endian Android library that loads with glibc and the shim.

    Raises:
        ValueError: it is no such library.
    """
    if library[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    data = bytearray(library)
    offset, size = _dynamic_section(data)
    replacement = SYMBOLIC
    for entry in range(offset, offset + size, 16):
        (tag,) = struct.unpack_from("<Q", data, entry)
        if tag in VERSION_TAGS:
            struct.pack_into("<Q", data, entry, replacement)
            replacement = IGNORED
    result = bytes(data)
    for name, other in RENAMED.items():
        result = result.replace(b"\0" + name + b"\0", b"\0" + other + b"\0")
    return result


def _dynamic_section(data: bytearray) -> tuple[int, int]:
    """Its place in the file and its size in bytes."""
    (table,), (entry_size, count) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<HH", data, 54)
    for index in range(count):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, table + index * entry_size)
        if kind == DYNAMIC_SEGMENT:
            return offset, size
    raise ValueError("no dynamic section")
