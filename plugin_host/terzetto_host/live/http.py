"""HTTP: the OSCQuery description of everything that can be addressed. Read-only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from terzetto_host.live.oscquery import describe

if TYPE_CHECKING:
    from terzetto_host.live.server import Server

_LARGEST = 8192  # bytes of a request's head
_SECONDS = 5.0  # for a request to come


async def serve_http(web: socket.socket, server: Server) -> None:
    """Answer requests at a bound socket until the loop ends."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            status, body = await _answer(reader, server)
            text = json.dumps(body).encode()
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(text)}\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n"
            )
            writer.write(head.encode() + text)
            await asyncio.wait_for(writer.drain(), _SECONDS)
        with contextlib.suppress(OSError):
            writer.close()

    server.web = await asyncio.start_server(connected, sock=web, limit=_LARGEST)


async def _answer(reader: asyncio.StreamReader, server: Server) -> tuple[HTTPStatus, object]:
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _SECONDS)
    except asyncio.LimitOverrunError:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, {"error": f"a request's head has at most {_LARGEST} bytes"}
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return HTTPStatus.BAD_REQUEST, {"error": "not an HTTP request"}
    if words[0] != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED, {"error": "the description can only be read: GET"}
    try:
        target = urlsplit(words[1])
    except ValueError:
        return HTTPStatus.BAD_REQUEST, {"error": "not a path"}
    found = describe(unquote(target.path), target.query, server.instances(), server.osc_port)
    if found is None:
        return HTTPStatus.NOT_FOUND, {"error": "no such address; GET / describes all there are"}
    return HTTPStatus.OK, found
