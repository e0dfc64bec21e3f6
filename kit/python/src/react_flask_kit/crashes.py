"""Exceptions that no answer can tell, because it has begun, or there is none."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator

from werkzeug.wsgi import ClosingIterator

Tell = Callable[[BaseException, str], None]
Answer = Callable[[Exception], Iterable[bytes]]


def tell_of_threads(tell: Tell) -> None:
    """Tell what ends a thread, after whoever wants to know it too."""
    hook_before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        hook_before(args)
        # A thread may end itself by sys.exit(), and at the very end has no value.
        if args.exc_value and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread else "unknown"
            tell(args.exc_value, f"in the thread {name}")

    threading.excepthook = hook


def tell_of_tasks(tell: Tell) -> None:
    """Tell what asyncio logs: an exception of a task that nobody has asked for."""

    def look(record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1]:
            tell(record.exc_info[1], "in a task of asyncio")
        return True

    logging.getLogger("asyncio").addFilter(look)


def watched(
    body: Iterable[bytes], answer: Answer, tell: Callable[[Exception], None]
) -> Iterable[bytes]:
    """Return a body of which it is told when it cannot be sent to its end.

    What is raised before the first part is answered, as nothing has been sent yet.
    """

    def send() -> Iterator[bytes]:
        has_begun = False
        try:
            for part in body:
                has_begun = True
                yield part
        except Exception as error:
            if not has_begun:
                yield from answer(error)
                return
            tell(error)
            raise

    def close() -> None:
        try:
            body.close()
        except Exception as error:
            tell(error)
            raise

    return ClosingIterator(send(), close if hasattr(body, "close") else None)
