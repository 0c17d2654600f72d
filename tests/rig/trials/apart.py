"""A part of a trial as a process of its own: it must not wait for the trial."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def running(module: str, *arguments: object) -> AsyncIterator[None]:
    """The module runs meanwhile, and is terminated at the end."""
    words = ("-m", module, *map(str, arguments))
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
