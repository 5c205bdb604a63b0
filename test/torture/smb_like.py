#!/usr/bin/python3
"""A client that works on records as smbd does: libtdb on the file, ctdbd only when the record is elsewhere.

smb_like.py PEER_DIRECTORY SOCKET DATABASE ACKS SLOT SLOTS KEYS SEED

Counts up its own slot of random records until standard input ends, and counts in the file ACKS what it stored.
Commands on standard input, one a line: "stop" and "die" act the next time a record is held: stopped by
SIGSTOP before the store, or killed by SIGKILL before the store. Answers "held KEY" first.
"""
import os
import random
import select
import signal
import socket
import struct
import sys

MAGIC = 0x43544442
CURRENT_NODE = 0xF0000001
REQ_CALL, REPLY_CALL, REPLY_ERROR, REQ_CONTROL, REPLY_CONTROL = 0, 1, 4, 7, 8
GETDBPATH, DB_ATTACH, GET_PNN, DB_OPEN_FLAGS = 4, 18, 35, 149
NULL_FUNC, IMMEDIATE_MIGRATION = 0xFF000001, 1
HEADER_BYTES = 24


class Ctdbd:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.reqid = 0

    def request(self, operation, body):
        self.reqid += 1
        length = 32 + len(body)
        head = struct.pack("<8I", length, MAGIC, 1, 0, operation, CURRENT_NODE, 0, self.reqid)
        self.socket.sendall(head + body)
        while True:
            (length,) = struct.unpack("<I", self.read(4))
            packet = self.read(length - 4)
            answered, reqid = struct.unpack_from("<I", packet, 12)[0], struct.unpack_from("<I", packet, 24)[0]
            if reqid == self.reqid:
                return answered, packet[28:]

    def read(self, count):
        parts = b""
        while len(parts) < count:
            part = self.socket.recv(count - len(parts))
            if not part:
                raise SystemExit("ctdbd has closed the connection")
            parts += part
        return parts

    def control(self, opcode, data):
        body = struct.pack("<IIQIII", opcode, 0, 0, 0, 0, len(data)) + data
        operation, reply = self.request(REQ_CONTROL, body)
        status, length = struct.unpack_from("<iI", reply, 0)
        if operation != REPLY_CONTROL or status < 0:
            raise SystemExit("control %d: status %d" % (opcode, status))
        return status, reply[12:12 + length]

    def call(self, db_id, key):
        body = struct.pack("<6I", IMMEDIATE_MIGRATION, db_id, NULL_FUNC, 0, len(key), 0) + key
        operation, reply = self.request(REQ_CALL, body)
        (status,) = struct.unpack_from("<i", reply, 0)
        if operation != REPLY_CALL or status != 0:
            raise SystemExit("call: operation %d status %d %r" % (operation, status, reply))


class Commands:
    def __init__(self):
        self.ended = False
        self.wanted = None

    def look(self):
        while select.select([0], [], [], 0)[0]:
            line = os.read(0, 1024)
            if not line:
                self.ended = True
                return
            self.wanted = line.decode().split()[-1]


def main():
    peer_directory, path, name, acks, slot, slots, keys, seed = sys.argv[1:]
    sys.path.insert(0, peer_directory)
    import peer

    chance = random.Random(int(seed))
    slot, slots, keys = int(slot), int(slots), int(keys)
    counts = peer.mapped_counts(acks)
    ctdbd = Ctdbd(path)
    pnn, _ = ctdbd.control(GET_PNN, b"")
    _, answer = ctdbd.control(DB_ATTACH, name.encode() + b"\0")
    (db_id,) = struct.unpack("<I", answer[:4])
    _, answer = ctdbd.control(GETDBPATH, struct.pack("<I", db_id))
    file_path = answer.rstrip(b"\0").decode()
    _, answer = ctdbd.control(DB_OPEN_FLAGS, struct.pack("<I", db_id))
    tdb = peer.Tdb(file_path, struct.unpack("<i", answer[:4])[0])
    commands = Commands()
    while not commands.ended:
        index = chance.randrange(keys)
        key = b"counter-%04d" % index
        while True:
            tdb.chainlock(key)
            value = tdb.fetch(key)
            if value is not None and len(value) >= HEADER_BYTES:
                (dmaster,) = struct.unpack_from("<I", value, 8)
                if dmaster == pnn:
                    break
            tdb.chainunlock(key)
            ctdbd.call(db_id, key)
        commands.look()
        if commands.wanted is not None:
            wanted, commands.wanted = commands.wanted, None
            print("held", key.decode(), flush=True)
            os.kill(os.getpid(), signal.SIGKILL if wanted == "die" else signal.SIGSTOP)
        data = bytearray(value[HEADER_BYTES:] or bytes(4 * slots))
        (count,) = struct.unpack_from("<I", data, slot * 4)
        struct.pack_into("<I", data, slot * 4, count + 1)
        tdb.store(key, value[:HEADER_BYTES] + bytes(data))
        counts[slot * keys + index] += 1
        tdb.chainunlock(key)


if __name__ == "__main__":
    main()
