"""SCTBench's `stringbuffer`, known from Java's StringBuffer: append reads the other buffer's length before it copies.

Each method holds its buffer's lock, but the other buffer can get shorter between the length and the copy.
"""

import threading


class StringBuffer:
    """A text whose methods are each atomic."""

    def __init__(self, text: str) -> None:
        self.lock = threading.Lock()
        self.text = text

    def length(self) -> int:
        """Tell how many characters there are."""
        with self.lock:
            return len(self.text)

    def copy(self, end: int) -> str:
        """Give the characters before `end`, which must exist."""
        with self.lock:
            text = self.text
            assert end <= len(text)
            return text[:end]

    def erase(self, end: int) -> None:
        """Drop the characters before `end`."""
        with self.lock:
            self.text = self.text[end:]

    def append_text(self, text: str) -> None:
        """Add a text at the end."""
        with self.lock:
            self.text += text

    def append(self, other: "StringBuffer") -> None:
        """Add the other buffer's text at the end."""
        with self.lock:
            length = other.length()
            self.text += other.copy(length)


def append(target: StringBuffer, source: StringBuffer) -> None:
    """Append one buffer to the other."""
    target.append(source)


def rewrite(source: StringBuffer) -> None:
    """Drop the text and write another."""
    source.erase(3)
    source.append_text("xyz")


def run() -> None:
    """Append a buffer that is being rewritten."""
    target = StringBuffer("")
    source = StringBuffer("abc")
    threads = [
        threading.Thread(target=append, args=(target, source)),
        threading.Thread(target=rewrite, args=(source,)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
