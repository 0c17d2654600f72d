"""Run a part of a trial as a separate process, because it must not wait for the trial."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def running_module(module: str, *arguments: object) -> AsyncIterator[None]:
    """Run the module in the meantime, and terminate it at the end of the block."""
    options = ("-m", module, *map(str, arguments))
    process = await asyncio.create_subprocess_exec(sys.executable, *options)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
