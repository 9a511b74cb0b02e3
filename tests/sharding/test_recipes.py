"""The recipes of docs/scale.md, as far as one machine can try them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from tests.sharding.test_engines import contents, is_free, needs_ray, run
from tests.sharding.test_engines import logs as logs  # noqa: PLC0414 - a fixture

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
SRUN = """#!/bin/bash
while [[ $1 == -* ]]; do
  case $1 in -w|-x) shift 2;; *) shift;; esac
done
echo "$@" >> srun.log
exec "$@"
"""


def recipe(language, word):
    """Return the block of code that holds a word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if word in block)


def test_the_job_for_kubernetes_is_one():
    job = YAML(typ="safe").load(recipe("yaml", "RayJob"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]["rayClusterSpec"]
    pod = spec["headGroupSpec"]["template"]
    assert [group["template"] for group in spec["workerGroupSpecs"]] == [pod]
    assert pod["spec"]["containers"][0]["volumeMounts"][0]["name"] == pod["spec"]["volumes"][0]["name"]
    assert job["spec"]["entrypoint"].startswith("zonelog analyze ")


@needs_ray
def test_the_script_for_slurm_starts_two_nodes_and_judges(logs, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    port = next(port for port in range(6400, 9000) if is_free(port))
    python = Path(sys.executable)
    for name, text in {
        "srun": SRUN,
        "scontrol": "#!/bin/bash\nprintf '127.0.0.1\\nnode2\\n'\n",
        "ray": f'#!/bin/bash\nexec {python.with_name("ray")} "$@"\n',
        "zonelog": f'#!/bin/bash\nexec {python} -m tests.sharding.engine_run "$@" --lang en\n',
    }.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    script = recipe("bash", "#SBATCH").replace("6379", str(port)).replace("sleep 20", "sleep 8")
    for there, here in (("/shared/logs", str(logs)), ("/shared/zones", "demo"), ("/shared/", f"{tmp_path}/")):
        script = script.replace(there, here)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "job.sh").write_text(
        f"{script}\nstatus=$?\nray status --address=$RAY_ADDRESS\nkill $(jobs -p)\nwait\nexit $status\n"
    )
    given = {
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_NNODES": "2",
        "SLURM_CPUS_PER_TASK": "1",
        "RAY_AUTH_MODE": "disabled",
    }
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        ["bash", str(tmp_path / "job.sh")],
        cwd=tmp_path,
        env=os.environ | given | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 4, done.stderr  # none.csv
    assert len((tmp_path / "srun.log").read_text().splitlines()) == 2
    assert "/2.0 CPU" in done.stdout, done.stdout
    assert run("serial", logs, tmp_path / "serial", "--ledger", "ledger")[0] == 4
    one, two = contents(tmp_path / "result"), contents(tmp_path / "serial" / "out")
    assert {n for n in one if one[n] != two.get(n)} <= {"run.json", "report.html"}  # the command
    assert one.keys() == two.keys()
