#!/bin/bash
# tqdm 4.70.1: in a notebook, a bar that has finished is saved as it was first displayed. The widget's state is updated,
# but the text next to it in the output, which nbconvert, GitHub and nbviewer show, was made at 0 %.
# Hurts: every exported notebook claims that nothing was done.
# Seen: count=3, text='  0%|          | 0/3 [00:00<?, ?it/s]', and the same in the HTML of nbconvert
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check tqdm==4.70.1 ipywidgets==8.1.9 ipykernel==7.4.0 nbclient==0.11.0 nbconvert==7.17.2 nbformat==5.11.1
cd "$folder"
export IPYTHONDIR="$folder/ipython" JUPYTER_DATA_DIR="$folder/jupyter" JUPYTER_PREFER_ENV_PATH=1
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import nbclient
import nbformat
from nbconvert import HTMLExporter

book = nbformat.v4.new_notebook()
book.cells = [nbformat.v4.new_code_cell("from tqdm.auto import tqdm\nprint(sum(1 for _ in tqdm(range(3))))")]
nbclient.NotebookClient(book, kernel_name="python3", store_widget_state=False).execute()
outputs = book.cells[0].outputs
(text,) = [output.data["text/plain"] for output in outputs if output.output_type == "display_data"]
(count,) = [int(output.text) for output in outputs if output.output_type == "stream" and output.name == "stdout"]
page, _ = HTMLExporter().from_notebook_node(book)
print(f"{count=}, {text=}, and the same in the HTML of nbconvert")
assert count == 3 and text.lstrip().startswith("0%") and "0/3" in page
PYTHON
