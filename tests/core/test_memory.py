"""What a process that runs for long keeps."""

import gc
import subprocess
import sys

import pytest

from appliance.core import memory

_PROGRAM = """
import ctypes, gc, sys, threading
from appliance.core import memory
if "settled" in sys.argv:
    memory.settle()
c = ctypes.CDLL(None)
c.malloc.restype = c.fopen.restype = ctypes.c_void_p
meeting = threading.Barrier(12)
def work():
    c.malloc(ctypes.c_size_t(1000))
    meeting.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
for one in threads: one.start()
for one in threads: one.join()
told = c.fopen(b"/dev/stdout", b"w")
c.malloc_info(0, ctypes.c_void_p(told))
c.fflush(None)
print("frozen", gc.get_freeze_count(), flush=True)
"""


def told(*arguments: str) -> str:
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_threads_share_few_arenas_and_what_is_loaded_is_left_alone() -> None:
    before, after = told(), told("settled")
    assert before.count("<heap nr=") > 2
    assert after.count("<heap nr=") == 2
    assert "frozen 0" in before
    assert "frozen 0" not in after


def test_garbage_is_searched_for_again_whatever_happened_meanwhile() -> None:
    def work() -> None:
        with memory.unsearched():
            with memory.unsearched():
                assert not gc.isenabled()
            assert not gc.isenabled()  # a part of it is over, not all
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert gc.isenabled()


def test_who_searches_for_no_garbage_at_all_is_left_so() -> None:
    gc.disable()
    try:
        with memory.unsearched():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
