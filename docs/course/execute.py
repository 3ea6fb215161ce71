"""Runs the notebooks of this folder and writes their outputs into them: `python docs/course/execute.py [NAME ...]`."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
SECONDS = 300


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a new run, without stderr; an error in a cell is raised."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", record_timing=False).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":  # TensorFlow's messages hold times and addresses
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
    return notebook


def main() -> None:
    """Write the outputs."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not sys.argv[1:] or path.stem in sys.argv[1:]:
            nbformat.write(executed(path), path)
            print(f"written: {path.name}")


if __name__ == "__main__":
    main()
