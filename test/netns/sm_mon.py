"""Asks rpc.statd on this host to watch a client, or not any more, as the lock manager of an NFSv3 server does.

    sm_mon.py mon|unmon CLIENT SERVER
"""
import socket
import struct
import subprocess
import sys

SM_PROGRAM, SM_VERSION = 100024, 1
PROCEDURES = {"mon": 2, "unmon": 3}
NLM_PROGRAM, NLM_VERSION, NLM_NOTIFY = 100021, 4, 16


def text(value):
    data = value.encode()
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


def statd_port():
    """As rpcbind has it: lines "program version protocol port name"."""
    listing = subprocess.run(["rpcinfo", "-p", "127.0.0.1"], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines()[1:]:
        program, version, protocol, port = line.split()[:4]
        if (program, version, protocol) == (str(SM_PROGRAM), str(SM_VERSION), "udp"):
            return int(port)
    sys.exit("rpc.statd is not registered")


def main(what, client, server):
    call = struct.pack(">IIIIII", 1, 0, 2, SM_PROGRAM, SM_VERSION, PROCEDURES[what])
    call += struct.pack(">IIII", 0, 0, 0, 0)  # no credentials
    call += text(client) + text(server) + struct.pack(">III", NLM_PROGRAM, NLM_VERSION, NLM_NOTIFY)
    if what == "mon":
        call += b"\0" * 16
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.bind(("127.0.0.1", 999))  # statd listens to privileged ports only
        caller.settimeout(10)
        caller.sendto(call, ("127.0.0.1", statd_port()))
        reply = caller.recv(1000)
    # Transaction, reply, accepted, verifier of two words, success; SM_MON then says 0 for yes.
    words = struct.unpack(">" + "I" * (len(reply) // 4), reply)
    accepted = words[:6] == (1, 1, 0, 0, 0, 0)
    sys.exit(0 if accepted and (what == "unmon" or words[6] == 0) else f"refused: {words}")


main(*sys.argv[1:])
