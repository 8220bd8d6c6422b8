"""The command that does again, alone and on one machine, what failed in the cluster."""

from __future__ import annotations

import shlex

from stores.records import FileRef


def reproduce(file: FileRef) -> str:
    """A line for the shell. The file is named by its library root: where that lies on a server is nobody's business."""
    path = file.raw if file.raw is not None else file.path.encode("utf-8", "surrogatepass")
    return f"./samplemind analyze -j 1 {quoted(file.root.encode() + b':' + path)}"


def quoted(name: bytes) -> str:
    """A name as one word of the shell, also where it is no text or would move the cursor."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and text.isprintable():
        return shlex.quote(text)
    said = "".join(chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in name)
    return f"$'{said}'"
