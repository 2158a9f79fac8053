"""Whether pictures of text are read in this process, and in which languages."""

from __future__ import annotations

languages: str | None = None
"""As the program tesseract names them, such as `eng+deu`; None leaves pictures unread."""
