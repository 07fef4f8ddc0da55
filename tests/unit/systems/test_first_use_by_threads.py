"""Many threads that use a type for the first time at once: without care msgspec crashes the interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys, threading, types
from ml_connector.systems.http import decode

sys.setswitchinterval(1e-6)
FIELDS = "\\n    ".join(f"f{i}: Decimal | None = None" for i in range(30))
SOURCE = f'''
from __future__ import annotations
from decimal import Decimal
from msgspec import Struct

class Inner(Struct):
    {FIELDS}

class Outer(Struct):
    rows: list[Inner] | None = None
    {FIELDS}
'''
for n in range(60):
    module = sys.modules[f"m{n}"] = types.ModuleType(f"m{n}")
    exec(SOURCE, module.__dict__)
    gate, read = threading.Barrier(6), []

    def work():
        gate.wait()
        read.append(decode(module.Outer, {"rows": [{"f1": "1"}], "f2": 2}))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 6 and read[0].rows[0].f1 == 1
print("whole")
"""


def test_the_first_use_of_a_type_by_several_threads_is_safe() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "whole"), done.stderr[-2000:]


QUERY = """
import sys, threading, types
from ml_connector.systems.MODULE import Query

sys.setswitchinterval(1e-6)
FIELDS = "\\n    ".join(f"f{i}: Decimal | None = None" for i in range(30))
SOURCE = f'''
from __future__ import annotations
from decimal import Decimal
from msgspec import Struct

class Inner(Struct):
    {FIELDS}

class Row(Struct):
    key: str = ""
    rows: list[Inner] | None = None
    {FIELDS}
'''
for n in range(60):
    module = sys.modules[f"m{n}"] = types.ModuleType(f"m{n}")
    exec(SOURCE, module.__dict__)
    gate, read = threading.Barrier(6), []

    def work():
        gate.wait()
        query = Query("AP/APVendors", module.Row, KEY)
        read.append(query.decoder.decode(b'{"value": [{"f1": "1"}]}').value[0].f1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [1] * 6
print("whole")
"""


@pytest.mark.parametrize(("module", "key"), [("sap_b1.query", "'key'"), ("sage_300.query", "lambda row: row.key")])
def test_several_threads_may_make_their_first_query_at_once(module: str, key: str) -> None:
    script = QUERY.replace("MODULE", module).replace("KEY", key)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "whole"), done.stderr[-2000:]
