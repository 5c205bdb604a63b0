#!/usr/bin/python3
"""The C library's side of tests with libtdb, through ctypes: python3-tdb has no chain locks.

peer.py counters PATH FLAGS ACKS SLOT KEYS SEED   increment own slot of random records until killed
peer.py serve PATH FLAGS HASH_SIZE                answer commands on standard input
peer.py churn PATH FLAGS SEED COUNT               random stores, deletes, transactions
peer.py find FLAGS HASH_SIZE                      open the files named on standard input, tell what is in them
"""
import ctypes
import json
import mmap
import os
import random
import struct
import sys
import time

lib = ctypes.CDLL("libtdb.so.1", use_errno=True)


class Data(ctypes.Structure):
    _fields_ = [("dptr", ctypes.c_char_p), ("dsize", ctypes.c_size_t)]


class Fetched(ctypes.Structure):
    _fields_ = [("dptr", ctypes.c_void_p), ("dsize", ctypes.c_size_t)]


lib.tdb_open.restype = ctypes.c_void_p
lib.tdb_fetch.restype = Fetched
lib.tdb_errorstr.restype = ctypes.c_char_p
libc = ctypes.CDLL(None)


class Tdb:
    def __init__(self, path, flags, hash_size=131, open_flags=os.O_RDWR):
        self.tdb = lib.tdb_open(path.encode(), hash_size, flags, open_flags, 0o600)
        if not self.tdb:
            raise OSError(ctypes.get_errno(), "tdb_open", path)
        self.tdb = ctypes.c_void_p(self.tdb)

    def must(self, result, what):
        if result != 0:
            raise RuntimeError(what + ": " + lib.tdb_errorstr(self.tdb).decode())

    def chainlock(self, key):
        self.must(lib.tdb_chainlock(self.tdb, Data(key, len(key))), "chainlock")

    def chainunlock(self, key):
        self.must(lib.tdb_chainunlock(self.tdb, Data(key, len(key))), "chainunlock")

    def fetch(self, key):
        got = lib.tdb_fetch(self.tdb, Data(key, len(key)))
        if not got.dptr:
            return None
        value = ctypes.string_at(got.dptr, got.dsize)
        libc.free(ctypes.c_void_p(got.dptr))
        return value

    def store(self, key, value):
        self.must(lib.tdb_store(self.tdb, Data(key, len(key)), Data(value, len(value)), 0), "store")

    def delete(self, key):
        lib.tdb_delete(self.tdb, Data(key, len(key)))

    def call(self, name):
        self.must(getattr(lib, name)(self.tdb), name)


def mapped_counts(path):
    """The file as an array of u32, each changed by one store: struct.pack_into() zeroes it first, and a kill may come then."""
    with open(path, "r+b") as file:
        counts = mmap.mmap(file.fileno(), 0)
    return (ctypes.c_uint32 * (len(counts) // 4)).from_buffer(counts)


def counters(path, flags, acks, slot, keys, seed):
    chance = random.Random(int(seed))
    slot = int(slot)
    counts = mapped_counts(acks)
    tdb = Tdb(path, int(flags))
    while True:
        index = chance.randrange(int(keys))
        key = b"counter-%04d" % index
        whole = chance.random() < 0.1
        if whole:
            tdb.call("tdb_lockall")
        else:
            tdb.chainlock(key)
        value = bytearray(tdb.fetch(key))
        (count,) = struct.unpack_from("<I", value, slot * 4)
        struct.pack_into("<I", value, slot * 4, count + 1)
        if chance.random() < 0.1:
            # Room for whoever does not respect the lock.
            time.sleep(0.0002)
        tdb.store(key, bytes(value))
        if whole:
            tdb.call("tdb_unlockall")
        else:
            tdb.chainunlock(key)
        counts[slot * int(keys) + index] += 1


def churn(path, flags, seed, count):
    chance = random.Random(int(seed))
    tdb = Tdb(path, int(flags))
    print("ready", flush=True)
    for step in range(int(count)):
        inside = chance.random() < 0.05
        if inside:
            tdb.call("tdb_transaction_start")
        for _ in range(chance.randrange(1, 20) if inside else 1):
            key = b"key-%d" % chance.randrange(300)
            if chance.random() < 0.3:
                tdb.delete(key)
            else:
                tdb.store(key, bytes([chance.randrange(256)]) * chance.randrange(0, 600))
        if inside:
            tdb.call("tdb_transaction_commit" if chance.random() < 0.7 else "tdb_transaction_cancel")
    print("done", flush=True)


def serve(path, flags, hash_size):
    """One command a line, arguments in hex; one line answers."""
    tdb = Tdb(path, int(flags), int(hash_size), os.O_RDWR | os.O_CREAT)
    lib.tdb_get_seqnum.restype = ctypes.c_int
    for line in sys.stdin:
        name, *rest = line.rstrip("\n").split(" ")
        arguments = [bytes.fromhex(word) for word in rest]
        answer = "ok"
        try:
            if name == "fetch":
                value = tdb.fetch(*arguments)
                answer = "none" if value is None else "value " + value.hex()
            elif name in ("store", "delete", "chainlock", "chainunlock"):
                getattr(tdb, name)(*arguments)
            elif name == "seqnum":
                answer = str(lib.tdb_get_seqnum(tdb.tdb))
            elif name == "check":
                tdb.must(lib.tdb_check(tdb.tdb, None, None), "check")
            elif name == "close":
                tdb.call("tdb_close")
            else:
                tdb.call("tdb_" + name)
        except RuntimeError as error:
            answer = "error " + str(error)
        print(answer, flush=True)
        if name == "close":
            return


def find(flags, hash_size):
    """A line of JSON for each file: is it sound, what is in it, and is it sound after more was stored?"""
    collect = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, Fetched, Fetched, ctypes.c_void_p)

    def check(tdb):
        return lib.tdb_check(tdb.tdb, None, None) == 0

    def records_of(tdb):
        found = []

        def collect_one(_tdb, key, value, _private):
            found.append("=".join(ctypes.string_at(d.dptr, d.dsize).hex() for d in (key, value)))
            return 0

        lib.tdb_traverse_read(tdb.tdb, collect(collect_one), None)
        return sorted(found)

    for line in sys.stdin:
        tdb = Tdb(line.rstrip("\n"), int(flags), int(hash_size))
        answer = {"sound": check(tdb), "records": records_of(tdb)}
        tdb.call("tdb_transaction_start")
        tdb.store(b"committed", b"c" * 100)
        tdb.call("tdb_transaction_commit")
        # The file grows.
        tdb.store(b"stored", b"s" * 100000)
        answer["soundAfterGrowth"] = check(tdb)
        answer["added"] = len(records_of(tdb)) - len(answer["records"])
        tdb.call("tdb_close")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
