"""What a kernel of the checks does first, since it has this folder on its path.

No network but loopback; and with ROUNDING=seed, random rounding (rounding.py).
"""

import ipaddress
import os
import socket

connect, connect_ex, getaddrinfo = (
    socket.socket.connect,
    socket.socket.connect_ex,
    socket.getaddrinfo,
)


def refuse_unless_local(host):
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host in ('localhost', '')
    if not local:
        raise OSError(
            f'A notebook tried to reach {host}, but networking is switched off.'
        )


def guarded(method):
    def call(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse_unless_local(address[0])
        return method(self, address)

    return call


def guarded_getaddrinfo(host, *args, **kwargs):
    if host is not None:
        refuse_unless_local(host.decode() if isinstance(host, bytes) else host)
    return getaddrinfo(host, *args, **kwargs)


socket.socket.connect = guarded(connect)
socket.socket.connect_ex = guarded(connect_ex)
socket.getaddrinfo = guarded_getaddrinfo

if os.environ.get('ROUNDING'):
    from rounding import RandomRounding

    RandomRounding(int(os.environ['ROUNDING'])).__enter__()
