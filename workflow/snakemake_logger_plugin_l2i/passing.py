"""What this process, and those that it starts, write to the terminal, line by line.

Jobs write to the terminal that they inherit. For a display to stand still below what they say, it
must be the only one who writes there: a terminal of our own making takes the place of theirs.
"""

from __future__ import annotations

import fcntl
import os
import re
import sys
import termios
import threading
import tty
from collections.abc import Callable
from contextlib import suppress

STANDARD = (1, 2)  # output, error
_ENDS = re.compile(rb"[^\r\n]*[\r\n]")


class PassingThrough:
    """Stands between the terminal and whoever writes to standard output and standard error.

    Parameters
    ----------
    on_line : callable
        Is given each line, without its end.
    on_bar : callable
        Is given each line that is ended by a return to its beginning, as those of bars are.

    Attributes
    ----------
    terminal : TextIO
        The one that was there.
    """

    def __init__(self, *, on_line: Callable[[str], None], on_bar: Callable[[str], None]) -> None:
        self._on_line, self._on_bar = on_line, on_bar
        self._kept = {n: os.dup(n) for n in STANDARD if os.isatty(n)}
        self.terminal = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
        self._reading, writing = os.openpty()
        tty.setraw(writing)  # what comes out is what went in
        with suppress(OSError):  # bars ask how wide it is
            size = fcntl.ioctl(2, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(writing, termios.TIOCSWINSZ, size)
        self._flush()
        for n in self._kept:
            os.dup2(writing, n)
        os.close(writing)
        self._reader = threading.Thread(target=self._read, name="passing through", daemon=True)
        self._reader.start()

    def end(self) -> None:
        """Give the terminal back, and pass on what was written until now."""
        self._flush()
        for n, terminal in self._kept.items():
            os.dup2(terminal, n)
            os.close(terminal)
        self._kept = {}
        # With nobody left who writes, the reader ends. A process that has outlived Snakemake's
        # wait for it may still do so: it is not waited for, and what it says goes nowhere.
        self._reader.join(timeout=2)

    def close(self) -> None:
        """Let go of the terminal that was there."""
        self.terminal.close()

    def _read(self) -> None:
        rest = b""
        while True:
            try:
                read = os.read(self._reading, 65536)
            except OSError:  # nobody has it open any more
                read = b""
            if not read:
                break
            rest = self._pass_on(rest + read)
        if rest.strip():
            self._on_line(rest.decode(errors="replace"))
        os.close(self._reading)

    def _pass_on(self, text: bytes) -> bytes:
        """Hand over lines and bars; what is begun and not ended comes back."""
        ended = 0
        for found in _ENDS.finditer(text):
            ended = found.end()
            said = found[0].decode(errors="replace").rstrip("\r\n")
            if found[0].endswith(b"\n"):
                self._on_line(said)
            elif said.strip():
                self._on_bar(said)
        return text[ended:]

    @staticmethod
    def _flush() -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
