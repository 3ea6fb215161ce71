"""Scripts that run in the processes of a side: by its Python, without the rest of this project."""
