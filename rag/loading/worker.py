"""The child process that parses: one request after another, each with fresh limits.

Started by `rag.loading.parser`, which kills it when a file takes too long. It holds one socket,
to its parent, and ends when the parent does.
"""

from __future__ import annotations

import logging
import resource
import socket

from rag.errors import FileRefused, TooLarge, UnsupportedFormat
from rag.loading import ocr
from rag.loading.formats import extension_of, parse
from rag.loading.limits import Limits, impose, is_swollen
from rag.loading.wire import packed, parsed_to_json, receive, send, unpacked

_NO_BOUND = 1 << 62  # the parent is trusted; it has bounded the file already


def main(descriptor: int, languages: str) -> None:
    """Serves requests from an inherited socket until the other side closes it.

    Pictures of text are read in `languages`, left unread where that is empty.
    """
    ocr.languages = languages or None
    logging.disable()  # what a library thinks of somebody's file is no log of ours
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))  # no dump of what it reads, nor any other file
    with socket.socket(fileno=descriptor) as channel:
        try:
            while True:
                request = unpacked(receive(channel, _NO_BOUND))
                data = receive(channel, _NO_BOUND)
                send(channel, _reply(request["source"], data, Limits(**request["limits"])))
        except ConnectionError:
            return


def _reply(source: str, data: bytes, limits: Limits) -> bytes:
    """A message for whatever happens: the text, or why there is none."""
    try:
        impose(limits)
        parsed = parse(source, data)
        if len(parsed.text) > limits.output_chars:
            raise TooLarge(f"its text has more than {limits.output_chars:,} characters; split it")
        return packed({"parsed": parsed_to_json(parsed), "retire": is_swollen(limits)})
    except UnsupportedFormat as error:
        return _refusal(str(error), kind="unsupported")
    except TooLarge as error:
        return _refusal(str(error), kind="too_large")
    except FileRefused as error:
        return _refusal(str(error))
    except MemoryError:
        size = limits.memory_bytes >> 20
        return _refusal(f"takes more than {size} MiB of memory to read; split it", retire=True)
    except Exception:
        # Damaged input leads parsers to raise anything at all, and the next file must not suffer.
        return _refusal(f"damaged: not readable as {extension_of(source)}; save it afresh")


def _refusal(reason: str, kind: str = "refused", retire: bool = False) -> bytes:
    return packed({"refused": reason, "kind": kind, "retire": retire})
