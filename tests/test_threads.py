import os
import subprocess
import sys
from types import ModuleType

import sklearn.cluster  # noqa: F401 - brings libraries that have threads
from threadpoolctl import threadpool_info, threadpool_limits

from cohortlab import threads


def n_threads():
    return [library["num_threads"] for library in threadpool_info()]


def test_libraries_take_one_thread_and_then_as_many_as_before():
    with threadpool_limits(limits=2):
        before = n_threads()
        assert set(before) == {2}
        with threads.one_thread():
            assert set(n_threads()) == {1}
            with threads.one_thread("blas"):
                assert set(n_threads()) == {1}
            assert set(n_threads()) == {1}
        assert n_threads() == before


def test_libraries_are_looked_up_again_only_after_an_import(monkeypatch):
    threads.one_thread()
    known = threads._controller(len(sys.modules))
    threads.one_thread()
    assert threads._controller(len(sys.modules)) is known
    monkeypatch.setitem(sys.modules, "a_module_that_was_just_imported", ModuleType("new"))
    assert threads._controller(len(sys.modules)) is not known


def test_a_notebook_holds_libraries_to_one_thread_for_good():
    code = (
        "import sklearn.cluster; from threadpoolctl import threadpool_info as info\n"
        "from cohortlab.notebook import setup\n"
        "print(*{library['num_threads'] for library in info()})\n"
        "setup('toy', 'why?')\n"
        "print(*{library['num_threads'] for library in info()})\n"
    )
    two = os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=two)
    assert done.stdout.split() == ["2", "1"]
