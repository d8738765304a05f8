# %% [markdown]
# # A long run on a cluster
#
# A run that takes a night should be rehearsed, survive the end of its job, and use several nodes. All of it can be
# tried on a laptop, on a run of a few seconds. [Running on a cluster](../cluster.md) has every option, and
# [the life of a run](../runs.md) says what is kept when.
#
# The commands are those that one would type; paths are those of the computer on which this page was made.

# %%
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import cosmoflow as cf


def shell(line):
    """Run a line in which `cosmoflow` is that of this Python, and show what it prints."""
    line = line.replace("cosmoflow", f"{sys.executable} -m cosmoflow", 1)
    done = subprocess.run(line, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.stdout:
        print(done.stdout.strip())
    if done.returncode:
        print("exit code", done.returncode)


# %% [markdown]
# ## A configuration
#
# Eight chains, which are two blocks of four: a block is what one process, or device, draws at a time, and its size is
# part of what the run is.

# %%
_ = Path("run.toml").write_text("""\
[likelihood.desi_dr2_bao]

[likelihood.union3]

[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "uniform", low = 10.0, high = 1000.0 }
"w0, wa" = { distribution = "uniform_polygon", vertices = [[-3, -3], [1, -3], [1, -1], [-2, 2], [-3, 2]] }

[run]
seed = 1
num_chains = 8
num_draws = 20000
commit_seconds = 1.0  # by default 30, and what a dying node loses
""")

# %% [markdown]
# ## Is the machine sound?
#
# `doctor` compiles and times what runs are made of and compares it with known results. On a cluster, run it once on a
# node of each partition: login nodes are often another kind of machine.

# %%
shell("cosmoflow doctor")

# %% [markdown]
# ## A rehearsal
#
# How long will it take, in how much memory, with which sampler? This writes nothing but compiled programs, which the
# run will find again.

# %%
shell("cosmoflow sample run.toml --quiet --dry-run")

# %% [markdown]
# ## The job
#
# `submit` writes a script that can be read and changed; with `--run` it hands it to `sbatch`, too.

# %%
shell("cosmoflow submit run.toml --time 4:00:00 --partition cpu --cpus 8")
print(Path("run.sh").read_text())

# %% [markdown]
# Before the time is over SLURM sends a signal, the run commits what it has and ends with exit code 75, and the script
# puts itself back into the queue. That is all: the next job resumes.
#
# ## A job array
#
# Jobs that know nothing of each other can share the chains. In an array of two, each job runs one line,
#
# ```sh
# cosmoflow sample run.toml --resume --part $SLURM_ARRAY_TASK_ID/2
# ```
#
# which here is run for 1 and for 2, one after the other. The second takes over the warm-up of the first.

# %%
for number in (1, 2):
    shell(f"cosmoflow sample run.toml --quiet --resume --part {number}/2")
shell("cosmoflow merge run.h5")

# %% [markdown]
# ## A node that dies
#
# The same run once more in a single process, which is killed after its first commit by the signal that nobody can
# catch. `watch` looks at a run from any computer that sees its files; of this one it says how far it came, and the way
# on.

# %%
command = [sys.executable, "-m", "cosmoflow", "sample", "run.toml", "--quiet", "--output", "whole.h5"]
process = subprocess.Popen(command)
while process.poll() is None and not list(Path(".").glob("whole.h5.segments/seg-*")):
    time.sleep(0.05)
os.kill(process.pid, signal.SIGKILL)
print("exit code", process.wait())
shell("cosmoflow watch whole.h5 --once")

# %% [markdown]
# What was committed is on the disk. Resume, as the next job would:

# %%
shell("cosmoflow sample run.toml --quiet --resume --output whole.h5")

# %% [markdown]
# One process that was killed and two that never met have drawn the same chains, bit for bit:

# %%
whole, merged = cf.Chain.from_file("whole.h5"), cf.Chain.from_file("run.h5")
print(whole.num_chains, "chains of", whole.num_draws, "draws")
print(all(np.array_equal(whole.posterior[name], merged.posterior[name]) for name in whole.posterior))

# %%
shell("cosmoflow summarize run.h5")

# %% [markdown]
# Between different kinds of processors the last bit may differ. Then let the first job of an array get through its
# warm-up before the others start, so that they take it over.
#
# With `srun` and `--distributed` the processes of one job share the chains and join them by themselves, which a stop
# criterion such as `until_ess` needs. [A GPU partition](../cluster.md#a-gpu-partition) has all lines from an empty home
# folder to a run on a GPU.
