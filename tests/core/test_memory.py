"""The memory that a long-running process keeps."""

import gc
import subprocess
import sys

import pytest

from appliance.core import memory

_PROGRAM = """
import ctypes, gc, sys, threading
from appliance.core import memory
if "frozen" in sys.argv:
    memory.freeze_loaded_objects()
c = ctypes.CDLL(None)
c.malloc.restype = c.fopen.restype = ctypes.c_void_p
meeting = threading.Barrier(12)
def work():
    c.malloc(ctypes.c_size_t(1000))
    meeting.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
report = c.fopen(b"/dev/stdout", b"w")
c.malloc_info(0, ctypes.c_void_p(report))
c.fflush(None)
print("frozen", gc.get_freeze_count(), flush=True)
"""


def program_output(*arguments: str) -> str:
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_threads_share_few_arenas_and_loaded_objects_are_frozen() -> None:
    before, after = program_output(), program_output("frozen")
    assert before.count("<heap nr=") > 2
    assert after.count("<heap nr=") == 2
    assert "frozen 0" in before
    assert "frozen 0" not in after


def test_garbage_collection_resumes_after_an_error() -> None:
    def fail_without_collection() -> None:
        with memory.garbage_collection_pause():
            with memory.garbage_collection_pause():
                assert not gc.isenabled()
            assert not gc.isenabled()  # the inner part is over, the outer one is not
            raise KeyError

    with pytest.raises(KeyError):
        fail_without_collection()
    assert gc.isenabled()


def test_disabled_garbage_collection_stays_disabled() -> None:
    gc.disable()
    try:
        with memory.garbage_collection_pause():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
