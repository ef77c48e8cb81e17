"""The kind of machine that made a notebook: where it is the same, results are the same bytes."""

import hashlib
import platform
import re
import shutil
import subprocess
from importlib.metadata import requires, version
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


def fingerprint() -> dict[str, str]:
    """Describe what the last digits of a result may depend on.

    Returns
    -------
    dict of str to str
        `processor` by its name, a hash of its `instructions`, the `system` with its C library, a
        hash of the `libraries` (the versions of Python and of all that the project asks for), and
        what `draws` graphs. Compiled code chooses by the first four in which order it adds.
    """
    name, instructions = _processor()
    system = (platform.system(), platform.machine(), *platform.libc_ver())
    return {
        "processor": name,
        "instructions": _digest(instructions),
        "system": " ".join(part for part in system if part),
        "libraries": _digest(" ".join(f"{n}=={v}" for n, v in versions().items())),
        "draws": _graphviz(),
    }


def versions() -> dict[str, str]:
    """List the versions of Python and of every package that the project asks for.

    Returns
    -------
    dict of str to str
        Version by name, Python first, then this package and the others in alphabetical order.
    """
    wanted = [entry for entry in requires("cohortlab") or [] if "extra ==" not in entry]
    names = sorted(re.match(r"[\w.-]+", entry).group() for entry in wanted)
    return {"python": platform.python_version()} | {
        name: version(name) for name in ("cohortlab", *names)
    }


def _processor() -> tuple[str, str]:
    """Return the processor's name and the instructions it knows, as far as the system tells."""
    if CPU_INFO.is_file():
        lines = (line.partition(":") for line in CPU_INFO.read_text().splitlines())
        told = {key.strip(): value.strip() for key, _, value in lines}
        flags = told.get("flags") or told.get("Features", "")
        return told.get("model name", platform.machine()), " ".join(sorted(flags.split()))
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        return told.stdout.strip() or platform.machine(), ""
    return platform.processor() or platform.machine(), ""


def _graphviz() -> str:
    if not shutil.which("dot"):
        return "matplotlib"
    told = subprocess.run(["dot", "-V"], capture_output=True, text=True, check=False)
    return told.stderr.strip() or "dot"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
