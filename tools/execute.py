"""Execute the notebooks: the one place that starts a kernel for them.

    python tools/execute.py run      execute every notebook, save nothing
    python tools/execute.py record   execute every notebook and save its outputs
    python tools/execute.py record --timings    ... those that are machine facts, too

Two recordings in the environment of requirements.txt give the same bytes: no version of
Python, outputs of one stream joined, cells numbered 1 to N, and what is a fact of the
machine (a timing, a device) kept as it was recorded first.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
import time
from pathlib import Path

try:
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import (
        CellExecutionError,
        CellTimeoutError,
        DeadKernelError,
    )
except ModuleNotFoundError as error:
    sys.exit(f'{error}: start this with `make run` or `make record`, which install it.')

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / 'notebooks'
CELL_SECONDS = 120
KERNELSPEC = {
    'display_name': 'Python 3 (ipykernel)',
    'language': 'python',
    'name': 'python3',
}
# Outputs of a cell with this tag of nbval's are facts of the machine: never compared.
MACHINE_FACT = 'nbval-ignore-output'
LAST_LOSS = "print(loss.item() if 'loss' in globals() else 'null')"


class NotebookFailed(Exception):
    """A cell raised, hung, or took its kernel with it. The text says which and how."""


def series(folder=NOTEBOOKS):
    """The notebooks of a folder in the order in which they are read."""
    return sorted(Path(folder).glob('[0-9][0-9]-*.ipynb'))


def execute(path, probe='', seconds=CELL_SECONDS, env=None):
    """Run a notebook in a new kernel, in its own folder.

    Args:
        path: the .ipynb file. It is read, never written.
        probe: code to run in the same kernel after the last cell.
        seconds: the longest that one cell may take.
        env: the kernel's environment variables, if not this process's own.

    Returns:
        The executed notebook, as `record` would save it, and what the probe printed.

    Raises:
        NotebookFailed: naming the notebook, the cell, its source and the error.
    """
    path = Path(path)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop('execution', None)
        if cell.cell_type == 'code':
            cell.outputs, cell.execution_count = [], None
    notebook.cells.append(nbformat.v4.new_code_cell(probe))

    running = []
    client = NotebookClient(
        notebook,
        timeout=seconds,
        kernel_name=KERNELSPEC['name'],
        record_timing=False,
        coalesce_streams=True,
        shutdown_kernel='immediate',
        resources={'metadata': {'path': str(path.parent)}},
        extra_arguments=['--log-level=ERROR'],
        on_cell_start=lambda cell, cell_index: running.append(cell),
    )
    try:
        client.execute(**({'env': env} if env else {}))
    except CellExecutionError as error:
        what = f'{error.ename}: {error.evalue}'
        if error.ename == 'ModuleNotFoundError':
            what += '\n`pip install -r requirements.txt` installs what is missing.'
    except CellTimeoutError:
        what = f'The cell was still running after {seconds} seconds and was stopped.'
    except DeadKernelError:
        what = 'The kernel died while the cell ran (out of memory, or a crash).'
    except (RuntimeError, NoSuchKernel) as error:
        what = f'No kernel could be started: {error}'
    else:
        what = ''
    if what:
        raise NotebookFailed(_report(path, notebook, running, what))

    probed = notebook.cells.pop()
    for fact in machine_facts(notebook):
        fact.metadata.recorded_from = source_digest(fact)
    notebook.metadata.kernelspec = KERNELSPEC
    notebook.metadata.language_info.pop('version', None)
    return notebook, ''.join(out.get('text', '') for out in probed.outputs)


def _report(path, notebook, running, what):
    cells = [cell for cell in notebook.cells if cell.cell_type == 'code']
    number = cells.index(running[-1]) + 1 if running else 0
    source = running[-1].source if running else '(before the first cell)'
    indented = '\n'.join(f'    {line}' for line in source.splitlines())
    return (
        f'{path.name}: code cell {number} of {len(cells) - 1} failed.\n\n'
        f'{indented}\n\n{what}\n\n'
        'Mend the cell (`make lab` opens the series), then run this again.'
    )


def write(path, notebook):
    """Replace a notebook in one step: a reader sees the old file or the new one."""
    draft = Path(path).with_suffix('.ipynb.draft')
    nbformat.write(notebook, draft)
    os.replace(draft, path)


def machine_facts(notebook):
    """The cells of a notebook whose outputs are facts of the machine."""
    return [c for c in notebook.cells if MACHINE_FACT in c.metadata.get('tags', [])]


def kinds(cell):
    """What sorts of output a cell has, in order, without their content."""
    return [
        (output.output_type, output.get('name'), sorted(output.get('data', {})))
        for output in cell.outputs
    ]


def source_digest(cell):
    """What tells whether a cell was changed after its output was recorded."""
    return hashlib.sha256(cell.source.encode()).hexdigest()[:16]


def keep_machine_facts(recorded, notebook):
    """Give a new run the recorded outputs of its machine facts.

    All of them or none: a figure and the numbers beside it come from one run. They are
    not kept if one of these cells was changed or puts out something of another kind.
    """
    old, new = machine_facts(recorded), machine_facts(notebook)
    unchanged = all(c.metadata.get('recorded_from') == source_digest(c) for c in old)
    if unchanged and list(map(kinds, old)) == list(map(kinds, new)):
        for before, after in zip(old, new, strict=True):
            after.outputs = before.outputs
            for output in after.outputs:
                if 'execution_count' in output:
                    output.execution_count = after.execution_count


def save_picture(notebook):
    """Keep the README's picture equal to the figure that it was taken from."""
    for cell in notebook.cells:
        if 'readme-picture' in cell.metadata.get('tags', []):
            png = cell.outputs[0].data['image/png']
            (ROOT / 'picture.png').write_bytes(base64.b64decode(png))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('what', choices=['run', 'record'])
    parser.add_argument(
        '--timings', action='store_true', help='renew facts of the machine, too'
    )
    options = parser.parse_args(arguments)
    for path in series():
        start = time.perf_counter()
        try:
            notebook, printed = execute(path, probe=LAST_LOSS)
        except NotebookFailed as failure:
            sys.exit(f'\n{failure}')
        if options.what == 'record':
            if not options.timings:
                keep_machine_facts(nbformat.read(path, as_version=4), notebook)
            write(path, notebook)
            save_picture(notebook)
        loss = json.loads(printed)
        shown = 'no loss yet' if loss is None else f'loss {loss:12.2f}'
        seconds = time.perf_counter() - start
        print(f'{path.name:32} {seconds:5.1f} s   {shown}', flush=True)


if __name__ == '__main__':
    main()
