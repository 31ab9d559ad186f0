"""Execute the notebooks: the one place that starts a kernel for them.

    python tools/execute.py run             execute every notebook, save nothing
    python tools/execute.py record          execute, and save the outputs that changed
    python tools/execute.py record --all    ... and those that agree with the old ones

An output that agrees with the committed one, in words exactly and in numbers and
pictures nearly, is kept as it is committed: so recording shows what really changed, on
any machine. What the words of a notebook say is compared with its kernel, and reported.
"""

import argparse
import os
import subprocess
import sys
import time

import nbformat
from compare import cell_differences, claim_holds, pictures
from facts import answers, expressions, problems, unbound
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from series import ROOT, paths, placed, printed

KERNELSPEC = {
    'display_name': 'Python 3 (ipykernel)',
    'language': 'python',
    'name': 'python3',
}
LAST_LOSS = "print(f'loss {loss:12.6g}' if 'loss' in globals() else 'no loss')"
# A user's own settings that would reach a kernel, and change what it draws or imports.
PERSONAL = ('MPL', 'MATPLOTLIB', 'IPYTHON', 'JUPYTER_CONFIG', 'JUPYTER_PATH')
PERSONAL += ('PYTHONPATH', 'PYTHONSTARTUP')


class NotebookFailed(Exception):
    """A cell raised, hung, or took its kernel with it. The text says which and how."""

    def __init__(self, path, place, cell, what):
        source = '\n'.join(f'    {line}' for line in cell.source.splitlines())
        super().__init__(
            f'{path.name}: {place} failed.\n\n{source}\n\n{what}\n\n'
            'Mend the cell (`make lab` opens the series), then run this again.'
        )


def environment(*folders):
    """A kernel's variables: this process's, without the settings of its user.

    `helpers` comes from this project; the settings of matplotlib, IPython and Jupyter
    are those of folders in build/kernel, where nobody else writes.

    Args:
        folders: where Python looks for modules before the project.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(PERSONAL)}
    private = ROOT / 'build' / 'kernel'
    for name in ('MPLCONFIGDIR', 'IPYTHONDIR', 'JUPYTER_CONFIG_DIR'):
        (private / name).mkdir(parents=True, exist_ok=True)
        kept[name] = str(private / name)
    return kept | {'PYTHONPATH': os.pathsep.join(map(str, [*folders, ROOT]))}


def execute(path, probe='', seconds=120, env=None):
    """Run a notebook in a new kernel, in its own folder.

    Args:
        path: of the .ipynb file, which is read, never written.
        probe: code to run in the same kernel after the last cell.
        seconds: the longest that one cell may take.
        env: the kernel's environment variables, if not those of `environment`.

    Returns:
        The executed notebook, as `record` would save it; what the probe printed; a line
        for each fact that does not hold, and each number that is none.

    Raises:
        NotebookFailed: naming the notebook, the cell, its source and the error.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.kernelspec = KERNELSPEC
    for cell in notebook.cells:
        cell.metadata.pop('execution', None)
        if cell.cell_type == 'code':
            cell.outputs, cell.execution_count = [], None
    notebook.cells.append(nbformat.v4.new_code_cell(probe))

    client = Client(
        notebook,
        timeout=seconds,
        record_timing=False,
        coalesce_streams=True,
        shutdown_kernel='immediate',
        resources={'metadata': {'path': str(path.parent)}},
        extra_arguments=['--log-level=ERROR'],
    )
    try:
        client.execute(env=env or environment())
    except CellExecutionError as error:
        what = f'{error.ename}: {error.evalue}'
    except CellTimeoutError:
        what = f'The cell was still running after {seconds} seconds and was stopped.'
    except DeadKernelError:
        what = 'The kernel died while the cell ran (out of memory, or a crash).'
    else:
        said = printed(notebook.cells.pop())
        notebook.metadata.language_info.pop('version', None)
        return notebook, said, client.amiss
    raise NotebookFailed(path, *client.running, what)


class Client(NotebookClient):
    """A client that asks the kernel for the facts of each cell, at the cell's place."""

    def __init__(self, notebook, **options):
        super().__init__(notebook, **options)
        self.placed = [*placed(notebook.cells)]
        self.amiss = []

    async def async_execute_cell(self, cell, cell_index, **options):
        self.running = place, _ = self.placed[cell_index]
        await super().async_execute_cell(cell, cell_index, **options)
        self.amiss += [f'{place}: {line}' for line in unbound(cell)]
        await self.ask(place, cell, 'facts')
        if self.running == self.placed[-1]:
            for running in self.placed:
                await self.ask(*running, 'facts_at_end')

    async def ask(self, place, cell, key):
        if wanted := expressions(cell, key):
            request = self.kc.execute('', silent=True, user_expressions=wanted)
            reply = await self.async_wait_for_reply(request)
            found = problems(cell, answers(reply['content']), key)
            self.amiss += [f'{place}: {line}' for line in found]


def committed(path):
    """A notebook as git has it, or as it lies there where git has none."""
    command = ['git', '-C', path.parent, 'show', f'HEAD:./{path.name}']
    try:
        text = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        text = path.read_bytes()
    return nbformat.reads(text.decode(), as_version=4)


def keep(before, notebook):
    """Give a new run the outputs of an old one, cell by cell, where the two agree.

    Returns:
        A line for each cell that keeps its new outputs: which, and why.
    """
    old = {cell.id: cell for cell in before.cells if cell.cell_type == 'code'}
    renewed = []
    for place, cell in placed(notebook.cells):
        if cell.cell_type == 'code':
            was = old.get(cell.id)
            why = cell_differences(was, cell.outputs) if was else ['it is new']
            if not why and not claim_holds(cell, was.outputs):
                why = [f'what was committed breaks the claim {cell.metadata.claim}']
            if why:
                renewed.append(f'{place} is renewed: ' + '; '.join(why))
                continue
            cell.outputs = was.outputs
            for output in cell.outputs:
                if 'execution_count' in output:
                    output.execution_count = cell.execution_count
    return renewed


def save_picture(notebook):
    """Keep the README's picture equal to the figure that it was taken from."""
    for cell in notebook.cells:
        if 'readme-picture' in cell.metadata.get('tags', []):
            (ROOT / 'picture.png').write_bytes(pictures(cell.outputs[0])[0])


def record(path, everything=False):
    """Execute a notebook and save it.

    Returns:
        How its loss ended; what was renewed and what is amiss, a line each.
    """
    notebook, loss, amiss = execute(path, LAST_LOSS)
    lines = [] if everything else keep(committed(path), notebook)
    draft = path.with_suffix('.ipynb.draft')
    nbformat.write(notebook, draft)
    os.replace(draft, path)  # in one step: a reader sees the old file or the new one
    save_picture(notebook)
    return loss, lines + amiss


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('what', choices=['run', 'record'])
    parser.add_argument('--all', action='store_true', help='renew every output')
    options = parser.parse_args(arguments)
    for path in paths():
        start = time.perf_counter()
        try:
            if options.what == 'run':
                loss, lines = execute(path, LAST_LOSS)[1], []
            else:
                loss, lines = record(path, options.all)
        except NotebookFailed as failure:
            sys.exit(f'\n{failure}')
        seconds = time.perf_counter() - start
        print(f'{path.name:32} {seconds:5.1f} s   {loss}', end='', flush=True)
        for line in lines:
            print(f'    {line}', flush=True)


if __name__ == '__main__':
    main()
