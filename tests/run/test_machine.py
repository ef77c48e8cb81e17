import pytest

from cohortlab.run import machine
from cohortlab.run.machine import fingerprint

INTEL = "processor : 0\nmodel name : Some Processor\nflags : sse avx avx2\n"
ARM = "processor : 0\nFeatures : fp asimd\n"


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Let a processor tell something of itself; what the fingerprint makes of it."""

    def tell(text):
        (tmp_path / "cpuinfo").write_text(text)
        monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "cpuinfo")
        return fingerprint()

    return tell


def test_another_processor_is_another_kind_of_machine(told):
    first = told(INTEL)
    assert first["processor"] == "Some Processor"
    assert told(INTEL) == first
    assert told(INTEL.replace("Some", "Other"))["processor"] == "Other Processor"
    # The name may be the same where a virtual machine hides some instructions.
    assert told(INTEL.replace(" avx2", ""))["instructions"] != first["instructions"]
    assert told(ARM)["instructions"] != first["instructions"]


def test_the_order_in_which_a_processor_lists_its_instructions_does_not_count(told):
    assert told(INTEL.replace("sse avx", "avx sse")) == told(INTEL)


def test_another_version_of_a_library_is_another_kind_of_machine(told, monkeypatch):
    first = told(INTEL)
    versions = machine.versions() | {"numpy": "0.1"}
    monkeypatch.setattr(machine, "versions", lambda: versions)
    assert told(INTEL)["libraries"] != first["libraries"]


def test_what_draws_graphs_is_told(monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    assert fingerprint()["draws"] == "matplotlib"
