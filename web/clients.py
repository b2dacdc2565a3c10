"""Who asks, as far as people and programs can be told apart: each has limits of its own and takes turns."""

from __future__ import annotations

import re
from uuid import uuid4

from flask import request, session

from ethereal.errors import InvalidInputError
from ethereal.jobs.model import Sender

#: Programs that act for others name them here.
CLIENT_HEADER = "X-Client-Id"
KEY_HEADER = "Idempotency-Key"
#: The field of a form that takes the place of that header.
KEY_FIELD = "idempotencyKey"

#: What names a browser in its session.
VISITOR = "visitor"

CLIENT_NAME = "^[A-Za-z0-9_.@:-]{1,64}$"


def client() -> str:
    """The name of this client: what a program calls it, else a person's browser, else its address.

    Raise InvalidInputError for a name that is none.
    """
    named = request.headers.get(CLIENT_HEADER)
    if named is not None:
        if not re.fullmatch(CLIENT_NAME, named):
            message = "1 to 64 letters, digits or . _ @ : -"
            raise InvalidInputError("the client's name is not usable", {CLIENT_HEADER: [message]})
        return f"named {named}"
    visitor = session.get(VISITOR, "")  # from its first form on
    return f"visitor {visitor}" if visitor else f"at {request.remote_addr}"


def sender() -> Sender:
    """Who sends this request, and the key it bears."""
    return Sender(client(), request.headers.get(KEY_HEADER))


def sender_of_form(key: str) -> Sender:
    """The same for a page's form, which bears its key in a field, and may be changed and sent once more."""
    return Sender(client(), key or None, key_of_page=True)


def new_key() -> str:
    """The key of a page's form: sent twice as it is, it is one request."""
    return str(uuid4())
