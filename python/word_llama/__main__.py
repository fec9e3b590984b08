"""python -m word_llama: the command wordllama, which the package brings."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Becomes the command, with the arguments of this program."""
    command = Path(__file__).with_name("bin") / "wordllama"
    if not command.exists():
        sys.exit("word_llama: the command wordllama is not part of this build")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and the command would inherit that
    os.execv(command, ["wordllama", *sys.argv[1:]])


if __name__ == "__main__":
    main()
