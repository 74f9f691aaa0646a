"""Picture process. It decodes one file that someone sent, apart from the server, and gives its sizes back."""

from __future__ import annotations

from app.formats.pictures import PictureSize, sizes_of
from app.worker_process import Message, WorkerProcess, serve_one

SECONDS = 30.0
MEMORY_BYTES = 1_500_000_000
_MODULE = "app.formats.picture_process"


class PictureProcess:
    """Makes the sizes of pictures, one picture at a time."""

    def __init__(self) -> None:
        self._worker = WorkerProcess(_MODULE, "a picture", seconds=SECONDS)

    def sizes_of(self, content: bytes, *, is_avatar: bool = False) -> list[PictureSize]:
        """Return the sizes of a picture; raises InvalidContent for what is none, and Busy."""
        found = self._worker.ask(Message({"is_avatar": is_avatar}, [content]))
        return [
            PictureSize(**said, content=piece)
            for said, piece in zip(found.head["sizes"], found.pieces, strict=True)
        ]


def _answer(request: Message) -> Message:
    found = sizes_of(request.pieces[0], is_avatar=bool(request.head["is_avatar"]))
    heads = [
        {"name": each.name, "media_type": each.media_type, "width": each.width, "height": each.height}
        for each in found
    ]
    return Message({"sizes": heads}, [each.content for each in found])


if __name__ == "__main__":
    serve_one(_answer, memory_bytes=MEMORY_BYTES, cpu_seconds=int(SECONDS))
