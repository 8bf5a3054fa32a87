"""Two people at once: run functions in threads of their own, each with its own database connection."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def together(*actions: Callable[[], Any]) -> list[Any]:
    """Start all actions at the same moment; answer what each returned or the exception it raised, in order."""
    results: list[Any] = [None] * len(actions)
    barrier = threading.Barrier(len(actions))

    def run(place: int, action: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=10)
            results[place] = action()
        except Exception as error:  # the test asserts on it
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, action)) for place, action in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results
