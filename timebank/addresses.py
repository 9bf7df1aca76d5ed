"""What may be written to: the one rule that every door for an e-mail address asks, besides its own form."""

from __future__ import annotations

from email.message import EmailMessage


def can_be_written_to(address: str) -> bool:
    """Whether the header of a letter holds `address` just as it stands.

    Mail headers know notations in which a text stands for another one (`=?utf-8?q?…?=`), line breaks among them.
    An address that is read back as something else would stop the letter, or send it to somebody else.
    """
    if "=?" in address or not address.isprintable():
        return False
    if address.isascii() and not set('()<>[]:;,\\" ').intersection(address):
        return True  # nothing in it has a meaning in a header
    letter = EmailMessage()
    try:
        letter["To"] = address
        return [each.addr_spec for each in letter["To"].addresses] == [address]
    except (
        ValueError,
        IndexError,
        TypeError,
    ):  # all that the standard library raises for what it cannot read
        return False
