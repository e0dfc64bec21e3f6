"""Which names a development server answers to."""

import re
from collections.abc import Collection
from ipaddress import ip_address

from werkzeug.wsgi import host_is_trusted

# RFC 9110, section 7.2; without what a URL may have before it, and without a list.
HOST = re.compile(
    r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::[0-9]{1,5})?", re.IGNORECASE
)


def is_host_allowed(host: str, trusted: Collection[str]) -> bool:
    """Tell whether a Host header can be no other website's.

    A name on the internet can be made to lead to this machine (DNS rebinding), and its
    pages would then read everything. An address, `localhost`, what is below it and a
    name without a dot cannot; others must be among the trusted ones, as Flask's
    TRUSTED_HOSTS has them.
    """
    match = HOST.fullmatch(host)
    if not match:
        return False
    address, name = match.groups()
    if address or is_address(name):
        return is_address(address or name)
    name = name.lower()
    is_local = "." not in name or name.endswith(".localhost")
    return is_local or bool(trusted and host_is_trusted(name, trusted))


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
